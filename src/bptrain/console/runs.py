"""The table of runs."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bptrain.commands.runs.run_rows import RunRow
from bptrain.commands.runs.runs import RunList
from bptrain.console.terminal.screen import Screen, figure
from bptrain.console.terminal.tables import as_shown, width_of_column
from bptrain.console.terminal.terminal import width_of

COLUMNS = ("run", "state", "epochs", "best", "loss", "of", "metric", "test", "seconds", "started")
LESS = ("seconds", "best", "of", "test", "started")  # left out in this order on a terminal that is too narrow
SETTINGS = 6  # columns of settings in which the runs differ, at most
WIDEST = 20  # of such a cell


def show_runs(screen: Screen, found: RunList) -> None:
    """Each run with its main results; what is damaged is printed on stderr as well."""
    rows, keys = found.rows, found.differing[:SETTINGS]
    names = short_names(keys, found.differing)
    head = [*COLUMNS[:8], *names, *COLUMNS[8:]]
    table = [] if screen.json else [cells_of(row, keys) for row in rows]
    shown = fitting(head, table, [*LESS, *reversed(names)])
    places = [head.index(name) for name in shown]
    screen.table("", shown, [[row[place] for place in places] for row in table])
    left_out = [key for key, name in zip(keys, names, strict=True) if name not in shown] + found.differing[
        SETTINGS:
    ]
    if left_out and not screen.json:
        from bptrain.formats.problems import some_of  # more than a quick listing needs

        screen.note(f"the runs also differ in {some_of(left_out)}: --json has them")
    for row in rows:
        if row.state == "damaged":
            screen.note(f"{row.run}: {row.reason}")


def short_names(keys: Sequence[str], among: Sequence[str]) -> list[str]:
    """The last step of each key, or as many as tell it from the others and from the columns."""
    taken: dict[str, int] = dict.fromkeys(COLUMNS, 2)
    for key in among:
        for name in endings(key):
            taken[name] = taken.get(name, 0) + 1
    return [next((name for name in endings(key) if taken[name] == 1), key) for key in keys]


def endings(key: str) -> list[str]:
    """The last step of a key, its last two, … and the key; the name of a part is that of its section."""
    steps = key.removesuffix(".name").split(".")
    return [".".join(steps[start:]) for start in reversed(range(len(steps)))]


def fitting(head: Sequence[str], table: Sequence[Sequence[str]], less: Sequence[str]) -> list[str]:
    """The columns that fit; all of them if not even the narrowest choice does, and the table is turned."""
    width, shown = width_of(sys.stdout), list(head)
    if width is None:
        return shown
    columns = zip(head, *table, strict=True)
    widths = {column[0]: width_of_column(as_shown(column, sys.stdout)) for column in columns}
    for left_out in ("", *less):
        shown = [name for name in shown if name != left_out]
        if sum(widths[name] + 2 for name in shown) < width:
            return shown
    return list(head)


def cells_of(row: RunRow, keys: Sequence[str] = ()) -> list[str]:
    """A run as a row of the table, with these settings behind its results."""
    state = f"{row.state} ({row.reason})" if row.state == "stopped" else row.state
    if row.group is not None:
        standing = f"{row.group['kind']} {row.group['finished']}/{row.group['runs']}"
        state = standing if row.state == "finished" else f"{standing} {row.state}"
    name = next((name for name, value in row.metrics.items() if isinstance(value, float)), None)
    metric = "-" if name is None else f"{name} {with_deviation(row, str(row.split), name, row.metrics)}"
    test = "-" if name is None else with_deviation(row, "test", name, row.test)
    seconds = "-" if row.seconds is None else f"{row.seconds:.1f}"
    return [
        row.run,
        state,
        figure(row.epochs),
        figure(row.best),
        figure(row.loss),
        "-" if row.split is None or (row.loss is None and row.group is None) else row.split,
        metric,
        test,
        *(setting(row.settings, key) for key in keys),
        seconds,
        local_time(row.started),
    ]


def with_deviation(row: RunRow, split: str, name: str, metrics: Mapping[str, Any]) -> str:
    """A metric, of a group of runs with its standard deviation."""
    sd = None if row.group is None else row.group["sd"].get(split, {}).get(name)
    return figure(metrics.get(name)) + ("" if sd is None else f" ± {figure(sd)}")


def setting(settings: Mapping[str, Any], key: str) -> str:
    """A setting as a cell: as a config has it, a number in six digits, cut where it is long."""
    try:
        value = settings[key]
    except KeyError:
        return "-"
    if isinstance(value, float):
        return f"{value:g}"
    if type(value) is int:
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def local_time(text: str | None) -> str:
    """A time of run.json on the clock of this machine."""
    try:
        return datetime.fromisoformat(str(text)).astimezone().isoformat(" ", "minutes")[:16]
    except ValueError:
        return "-"

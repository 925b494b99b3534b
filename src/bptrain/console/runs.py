"""The table of runs."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bptrain.commands.runs import RunRow
from bptrain.console.terminal.screen import Screen, figure
from bptrain.console.terminal.terminal import cells, width_of
from bptrain.errors import printable

COLUMNS = ("run", "state", "epochs", "best", "loss", "of", "metric", "test", "seconds", "started")
LESS = ("seconds", "best", "of", "test", "started")  # left out in this order on a terminal that is too narrow


def show_runs(screen: Screen, rows: Sequence[RunRow]) -> None:
    """Each run with its main results; what is damaged is printed on stderr as well."""
    columns = fitting([dict(zip(COLUMNS, cells_of(row), strict=True)) for row in rows])
    table = [list(zip(COLUMNS, cells_of(row), strict=True)) for row in rows]
    screen.table("", columns, [[cell for name, cell in row if name in columns] for row in table])
    for row in rows:
        if row.state == "damaged":
            screen.note(f"{row.run}: {row.reason}")


def fitting(rows: Sequence[dict[str, str]]) -> list[str]:
    """The columns that fit; all of them if not even the narrowest choice does, and the table is turned."""
    width, shown = width_of(sys.stdout), list(COLUMNS)
    widths = {
        name: max(cells(name), *(cells(printable(row[name], spaces=True)) for row in rows))
        for name in COLUMNS
    }
    for less in ("", *LESS):
        shown = [name for name in shown if name != less]
        if width is None or sum(widths[name] + 2 for name in shown) < width:
            return shown
    return list(COLUMNS)


def cells_of(row: RunRow) -> list[str]:
    """A run as a row of the table."""
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
        seconds,
        local_time(row.started),
    ]


def with_deviation(row: RunRow, split: str, name: str, metrics: Mapping[str, Any]) -> str:
    """A metric, of a group of runs with its standard deviation."""
    sd = None if row.group is None else row.group["sd"].get(split, {}).get(name)
    return figure(metrics.get(name)) + ("" if sd is None else f" ± {figure(sd)}")


def local_time(text: str | None) -> str:
    """A time of run.json on the clock of this machine."""
    try:
        return datetime.fromisoformat(str(text)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return "-"

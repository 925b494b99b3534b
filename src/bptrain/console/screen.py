"""The two streams of a command, and what goes where."""

import contextlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from bptrain.errors import BptrainError, Interrupted, Problem, printable
from bptrain.store.plain import plain

SCHEMA_VERSION = 1
LINE = 100  # characters of a line of the config that are shown


class Screen:
    """Results go to stdout, the rest to stderr; with `json`, stdout gets one JSON object and nothing else."""

    def __init__(self, command: str, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.command, self.json, self.quiet, self.verbose = command, json, quiet, verbose

    def result(self, text: str = "") -> None:
        """A line of the result."""
        if not self.json:
            print(text, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of the result: the first column to the left, the others to the right."""
        if not self.json:
            show_table(sys.stdout, title, columns, rows)

    def note(self, text: str) -> None:
        """Something worth a line while the work goes on."""
        if not self.quiet:
            self._tell(text)

    def warn(self, name: str, message: str) -> None:
        """Something that should be known, even by those who asked for quiet."""
        self._tell(f"warning: {message} [{name}]")

    def _tell(self, text: str) -> None:
        """A line on stderr; one that cannot be written ends no run."""
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)

    def record(self, fields: Mapping[str, Any], ok: bool = True) -> None:
        """The JSON object of the command."""
        if self.json:
            head = {"schema_version": SCHEMA_VERSION, "command": self.command, "ok": ok}
            print(json.dumps(plain({**head, **fields}), ensure_ascii=False, allow_nan=False), flush=True)

    def error(self, error: BptrainError) -> None:
        """Every problem of an error, in the compiler's form, with the line and a caret."""
        for problem in error.problems:
            text = problem.message if isinstance(error, Interrupted) else problem_text(problem)
            print(text, file=sys.stderr, flush=True)
        self.record({"errors": [problem_record(problem) for problem in error.problems]}, ok=False)


def problem_text(problem: Problem) -> str:
    """`file:line:column: error: path: message`, and under it the source line with a caret."""
    text = str(problem)
    if problem.source is not None and problem.column is not None:
        before = printable(problem.source[: problem.column - 1].expandtabs(8))
        source = printable(problem.source.expandtabs(8))
        first = max(0, len(before) - LINE // 2) if len(source) > LINE else 0  # of a long line, what is around
        left, right = "…" if first else "", "…" if len(source) > first + LINE else ""
        text += f"\n    {left}{source[first : first + LINE]}{right}"
        text += f"\n    {' ' * (len(left) + len(before) - first)}^"
    return text


def problem_record(problem: Problem) -> dict[str, Any]:
    """A problem as `--json` tells it."""
    record = problem._asdict()
    del record["source"]
    return {key: value if value != "" else None for key, value in record.items()}


def show_table(stream: TextIO, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table: drawn by rich on a terminal that is wide enough, else in plain aligned columns."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    if stream.isatty() and sum(widths) + 3 * len(widths) <= shutil.get_terminal_size().columns:
        draw_table(stream, title, columns, rows)
        return
    print(title, file=stream)
    for row in [columns, *rows]:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(cells).rstrip(), file=stream, flush=True)


def draw_table(stream: TextIO, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table drawn by rich."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if position == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=stream, highlight=False).print(table)


def figure(value: Any) -> str:
    """A number as a table shows it."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    if value == 0 or 1e-3 <= size < 10:
        return f"{value:.4f}"
    return f"{value:.5g}" if 10 <= size < 1e5 else f"{value:.3e}"

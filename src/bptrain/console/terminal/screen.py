"""The two streams of a command, and what goes where.

Labels, columns, files and parts have names that others chose. All that is printed passes through here, where each line
and each cell is made printable; so no command can forget it.
"""

import contextlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from bptrain.console.terminal.spelling import has_all_signs
from bptrain.console.terminal.tables import show_table
from bptrain.console.terminal.terminal import RED, YELLOW, styled, width_of, wrapped
from bptrain.errors import JOINERS, BptrainError, Interrupted, Problem, Warned, printable
from bptrain.store.plain import plain

SCHEMA_VERSION = 1
AT_A_TIME = 1 << 16  # characters of data that are written
LINE = 100  # characters of a line of the config that are shown


class Screen:
    """Results go to stdout, the rest to stderr; with `json`, stdout gets one JSON object and nothing else."""

    def __init__(self, command: str, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.command, self.json, self.quiet, self.verbose = command, json, quiet, verbose

    def result(
        self, text: str = "", whole: bool = False, style: str | None = None, further: str = "  "
    ) -> None:
        """A line of the result, broken where a terminal is too narrow for it, unless it must stay `whole`.

        Its first word may have a style; `further` stands before the rest of a line that is broken.
        """
        if not self.json:
            print(line(sys.stdout, text, whole, style, further), flush=True)

    def text(self, text: str) -> None:
        """A result of several lines that stay as they are, such as code."""
        if not self.json:
            print("\n".join(map(printable, text.split("\n"))), flush=True)

    def data(self, text: str) -> None:
        """Lines of data, which go to a file or another program as they are, and to a terminal as `text` does."""
        if sys.stdout.isatty():
            text = "".join(f"{printable(one)}\n" for one in text.splitlines())
        for begin in range(0, len(text), AT_A_TIME):  # a reader that has seen enough ends it soon
            print(text[begin : begin + AT_A_TIME], end="", flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of the result: the first column to the left, the others to the right."""
        if not self.json:
            show_table(sys.stdout, title, columns, rows)

    def note(self, text: str, whole: bool = False) -> None:
        """A line about the work in progress; a command to be copied stays `whole`."""
        if not self.quiet:
            self._print(text, whole=whole)

    def warn(self, name: str, message: str) -> None:
        """A warning, printed even with --quiet."""
        self._print(f"warning: {message} [{name}]", YELLOW)

    def warn_all(self, warnings: Iterable[Warned]) -> None:
        """Warnings; what several say behind their colon, word for word, is said once."""
        said: set[str] = set()
        for name, message in warnings:
            what, colon, why = message.partition(": ")
            self.warn(name, f"{what}, for the same reason" if colon and why in said else message)
            said.add(why)

    def _print(self, text: str, style: str | None = None, whole: bool = False) -> None:
        """A line on stderr, its first word in a style; a run goes on if it cannot be written."""
        with contextlib.suppress(OSError):
            print(line(sys.stderr, text, whole, style), file=sys.stderr, flush=True)

    def record(self, fields: Mapping[str, Any], ok: bool = True) -> None:
        """The JSON object of the command."""
        if self.json:
            head = {"schema_version": SCHEMA_VERSION, "command": self.command, "ok": ok}
            numbered = not has_all_signs(sys.stdout)  # what its encoding lacks is a \\u… of JSON's own
            text = json.dumps(plain({**head, **fields}), ensure_ascii=numbered, allow_nan=False)
            print(unsteering(text), flush=True)

    def error(self, error: BptrainError) -> None:
        """Every problem of an error, in the compiler's form, with the line and a caret."""
        for problem in error.problems:
            stopped = isinstance(error, Interrupted)
            lines = [printable(problem.message)] if stopped else problem_text(problem).split("\n")
            message, *place = lines
            before, word, after = wrapped(message, width_of(sys.stderr)).partition("error:")
            text = before + (styled(word, RED, sys.stderr) if word else "") + after
            print("\n".join([text, *place]), file=sys.stderr, flush=True)
        self.record({"errors": [problem_record(problem) for problem in error.problems]}, ok=False)


def unsteering(text: str) -> str:
    """The same JSON, in which what could steer a terminal is a \\u… of JSON's own."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in JOINERS else json.dumps(c)[1:-1] for c in text)


def line(
    stream: TextIO, text: str, whole: bool = False, style: str | None = None, further: str = "  "
) -> str:
    """A line for a stream: names in it cannot write to the terminal, and on a narrow one it is broken."""
    shown = printable(text, spaces=True)
    shown = shown if whole else wrapped(shown, width_of(stream), further)
    if style is None:
        return shown
    word, space, rest = shown.partition(" ")
    return styled(word, style, stream) + space + rest


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
    """A problem as `--json` prints it."""
    record = problem._asdict()
    del record["source"]
    return {key: value if value != "" else None for key, value in record.items()}


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

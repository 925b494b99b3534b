"""The two streams of a command, and what goes where."""

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bptrain.console.terminal.spelling import has_all_signs
from bptrain.console.terminal.tables import show_table
from bptrain.console.terminal.terminal import RED, YELLOW, styled, width_of, wrapped
from bptrain.errors import BptrainError, Interrupted, Problem, printable
from bptrain.store.plain import plain

SCHEMA_VERSION = 1
LINE = 100  # characters of a line of the config that are shown


class Screen:
    """Results go to stdout, the rest to stderr; with `json`, stdout gets one JSON object and nothing else."""

    def __init__(self, command: str, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
        self.command, self.json, self.quiet, self.verbose = command, json, quiet, verbose

    def result(self, text: str = "", whole: bool = False) -> None:
        """A line of the result, broken where a terminal is too narrow for it, unless it must stay `whole`."""
        if not self.json:
            print(text if whole else wrapped(text, width_of(sys.stdout)), flush=True)

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

    def _print(self, text: str, style: str | None = None, whole: bool = False) -> None:
        """A line on stderr, its first word in a style; a run goes on if it cannot be written."""
        text = text if whole else wrapped(text, width_of(sys.stderr))
        if style is not None:
            word, space, rest = text.partition(" ")
            text = styled(word, style, sys.stderr) + space + rest
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)

    def record(self, fields: Mapping[str, Any], ok: bool = True) -> None:
        """The JSON object of the command."""
        if self.json:
            head = {"schema_version": SCHEMA_VERSION, "command": self.command, "ok": ok}
            numbered = not has_all_signs(sys.stdout)  # what its encoding lacks is a \\u… of JSON's own
            text = json.dumps(plain({**head, **fields}), ensure_ascii=numbered, allow_nan=False)
            print(text, flush=True)

    def error(self, error: BptrainError) -> None:
        """Every problem of an error, in the compiler's form, with the line and a caret."""
        for problem in error.problems:
            message, *place = (
                [problem.message] if isinstance(error, Interrupted) else problem_text(problem).split("\n")
            )
            before, word, after = wrapped(message, width_of(sys.stderr)).partition("error:")
            text = before + (styled(word, RED, sys.stderr) if word else "") + after
            print("\n".join([text, *place]), file=sys.stderr, flush=True)
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

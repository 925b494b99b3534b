"""Runs the command line in this process, as a user would type it."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bptrain.cli.main import run
from bptrain.commands.gradcheck import selftest

# What a process of its own runs, with the arguments behind it.
SCRIPT = "import sys; from bptrain.cli.main import main; sys.argv = ['bptrain', *sys.argv[1:]]; main()"


class Outcome(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        record: dict[str, Any] = json.loads(self.out)
        return record


def bptrain(*arguments: object) -> Outcome:
    """Runs `bptrain ARGUMENTS` and returns exit code and streams."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


def check_only(monkeypatch: pytest.MonkeyPatch, wanted: Callable[[selftest.Combination], bool]) -> None:
    """`bptrain gradcheck` without an argument takes the wanted combinations of all that there are.

    One test checks all of them (test_gradcheck_of_every_part); others ask whether a part is among them.
    """
    kept = selftest.combinations
    monkeypatch.setattr(selftest, "combinations", lambda: filter(wanted, kept()))


def training_process(*arguments: object, out: str) -> "subprocess.Popen[str]":
    """`bptrain fit ARGUMENTS --out OUT` as a process of its own, once its first epoch is done."""
    command = [sys.executable, "-c", SCRIPT, "fit", *map(str, arguments), "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics = Path(out, "metrics.jsonl")
    deadline = time.monotonic() + 60
    while not (metrics.exists() and metrics.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process

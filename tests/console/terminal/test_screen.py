"""How errors, tables and numbers look."""

import json

import pytest

from bptrain.console.terminal.screen import Screen, figure, problem_text
from bptrain.errors import DataError, Problem, Warned


def test_a_problem_points_at_its_place() -> None:
    problem = Problem("unknown_key", "no such key", "training.epoch", "c.yaml", 8, 3, "epochs", "  epoch: 2")
    assert problem_text(problem) == (
        "c.yaml:8:3: error: training.epoch: no such key (did you mean epochs?)\n      epoch: 2\n      ^"
    )


def test_the_caret_stands_under_tabs() -> None:
    shown = problem_text(Problem("x", "y", file="f", line=1, column=3, source="\tab"))
    assert shown.splitlines()[1:] == ["            ab", "             ^"]


def test_what_a_file_brings_along_cannot_steer_the_terminal() -> None:
    problem = Problem("x", "no \x1b[31m", "a\nb", "f", 1, 6, source="\x1b[2Jkey: 1")
    shown = problem_text(problem)
    assert "\x1b" not in shown
    assert shown.splitlines() == [r"f:1:6: error: a\nb: no \x1b[31m", r"    \x1b[2Jkey: 1", "            ^"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5000"), (1e-7, "1.000e-07"), (0.0, "0.0000"), (123456.0, "1.235e+05"), (3, "3"), (None, "-")],
)
def test_figures(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_a_reason_that_warnings_share_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = [
        ("a", "no better: all units are dead; use x: 1"),
        ("b", "unmoved: all units are dead; use x: 1"),
        ("c", "y: z"),
    ]
    Screen("fit").warn_all(Warned(*one) for one in said)
    assert capsys.readouterr().err.splitlines() == [
        "warning: no better: all units are dead; use x: 1 [a]",
        "warning: unmoved, for the same reason [b]",
        "warning: y: z [c]",
    ]


def test_json_is_the_only_thing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen("fit", json=True)
    screen.result("not this")
    screen.table("nor this", ["a"], [["b"]])
    screen.record({"loss": float("nan")})
    captured = capsys.readouterr()
    assert captured.out == '{"schema_version": 1, "command": "fit", "ok": true, "loss": null}\n'


def test_errors_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    Screen("fit", json=True).error(DataError(Problem("missing", "empty cell", file="d.csv", line=6)))
    captured = capsys.readouterr()
    assert captured.err == "d.csv:6: error: empty cell\n"
    assert captured.out == (
        '{"schema_version": 1, "command": "fit", "ok": false, "errors": [{"code": "missing", "message": '
        '"empty cell", "path": null, "file": "d.csv", "line": 6, "column": null, "suggestion": null}]}\n'
    )


def test_names_in_json_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "b\u202eevil \x9b31m \x7f \u2028 \U000e0001 \udc80 Ж é \u200d"
    Screen("eval", json=True).record({name: name})
    written = capsys.readouterr().out
    assert json.loads(written)[name] == name
    assert written.count("Ж é \u200d") == 2
    assert all(sign.isprintable() or sign == "\u200d" for sign in written.removesuffix("\n"))

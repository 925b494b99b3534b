"""Each wrong config of the table is reported in one sentence: where, what, and what was probably meant."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bptrain.console.terminal.screen import Screen, problem_text
from bptrain.errors import UsageError, printable
from config.bad_configs import HEAD, TABLE, Bad
from config.helpers import load, problems


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.rule)
def test_a_wrong_config_is_told_exactly(bad: Bad, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, bad.text)
    told = (f"{problem.line}:{problem.column}", problem.path, problem.code, problem.suggestion)
    assert told == (bad.at, bad.path, bad.code, bad.suggestion)
    place = f"{tmp_path / 'config.yaml'}:{bad.at}: error: "
    text = problem_text(problem)
    assert text.startswith(place + f"{bad.path}: " * bool(bad.path))
    assert "Input should" not in text
    assert len(problem.message) < 400
    assert problem.column is not None
    if problem.source:
        _, source, caret = text.split("\n")
        assert caret.strip() == "^"
        at = problem.source.expandtabs(8)[len(problem.source[: problem.column - 1].expandtabs(8)) :]
        assert source[len(caret) - 1 :].startswith(printable(at[:8]))


def test_no_two_rows_are_the_same() -> None:
    assert len(TABLE) >= 100
    assert {name: n for name, n in Counter(bad.rule for bad in TABLE).items() if n > 1} == {}
    assert {text: n for text, n in Counter(bad.text for bad in TABLE).items() if n > 1} == {}


def test_the_configs_are_right_but_for_one_thing(tmp_path: Path) -> None:
    assert problems(tmp_path, HEAD) == []


def test_json_has_the_same_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, HEAD + "lr: 0.1\nseed: -1\n", ["training.epochs=1e999"])
    Screen("fit", json=True).error(caught.value)
    records = json.loads(capsys.readouterr().out)["errors"]
    assert [(r["line"], r["column"], r["path"], r["code"], r["suggestion"]) for r in records] == [
        (4, 1, "lr", "unknown_key", "optimizer.learning_rate"),
        (5, 7, "seed", "out_of_range", None),
        (None, None, "training.epochs", "wrong_type", None),
    ]
    assert records[2]["file"] == "--set"
    assert records[2]["message"] == "must be a whole number, but is 1e999"


def test_of_a_long_line_is_shown_what_is_around(tmp_path: Path) -> None:
    sizes = ", ".join(["7"] * 200)
    text = HEAD.replace("sizes: [auto, 16, auto]", f"sizes: [{sizes}, x, {sizes}]")
    (problem,) = problems(tmp_path, text)
    _, source, caret = problem_text(problem).split("\n")
    assert len(source) < 120
    assert source[len(caret) - 1] == "x"


def test_no_more_is_told_than_is_read(tmp_path: Path) -> None:
    found = problems(tmp_path, HEAD + "".join(f"key{i}: 1\n" for i in range(200)))
    assert len(found) == 51
    assert [problem.line for problem in found[:-1]] == list(range(4, 54))
    assert found[-1].code == "more"
    twice = problems(tmp_path, "a: 1\n" * 60)
    assert [problem.code for problem in twice] == [*["duplicate_key"] * 50, "more"]

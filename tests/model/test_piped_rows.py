"""`eval --data` reads a table from the standard input or a pipe of a shell, once and to its end."""

import gzip
import io
import os
from pathlib import Path

import pytest

from command import Outcome, bptrain


@pytest.fixture
def rows(iris: Path) -> bytes:
    """The rows of a file, on which a run was trained."""
    assert bptrain("fit", iris, "--out", "run").code == 0
    return (Path(__file__).parents[2] / "data" / "iris.csv").read_bytes()


def with_stdin(content: bytes, monkeypatch: pytest.MonkeyPatch, *words: str) -> Outcome:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    return bptrain("eval", "run", "--data", "-", *words)


def test_a_pipe_is_a_file(rows: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("new.csv").write_bytes(rows)
    by = ("--by", "species", "--json")
    expected = bptrain("eval", "run", "--data", "new.csv", *by).json
    assert with_stdin(rows, monkeypatch, *by).json == expected
    assert with_stdin(gzip.compress(rows), monkeypatch, *by).json == expected
    reading, writing = os.pipe()
    os.write(writing, rows)
    os.close(writing)
    try:
        assert bptrain("eval", "run", "--data", f"/dev/fd/{reading}", *by).json == expected
    finally:
        os.close(reading)


def test_what_is_wrong_has_its_line(rows: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = with_stdin(rows + b"1,2,3,much,setosa\n", monkeypatch)
    assert outcome.code == 3
    assert "standard input:152: error: column petal_width_cm is numeric" in outcome.err
    assert with_stdin(b"", monkeypatch).code == 3


def test_pipes_that_are_refused(rows: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, said in (
        (["run", "run", "--data", "-"], "--data with a pipe can be read once"),
        (["run", "--data", "-", "--data", "new.csv"], "--data with a pipe takes no other file"),
    ):
        outcome = bptrain("eval", *words)
        assert outcome.code == 2
        assert said in outcome.err

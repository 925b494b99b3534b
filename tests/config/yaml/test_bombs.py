"""Nothing that is written takes long to be refused: the caps hold, and what is below them is cheap.

`benchmarks/refusals.py` measures how long each takes, and how much memory.
"""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from bptrain.config import load_config, validate
from bptrain.config.document import load_text
from bptrain.config.part import MAX_ENTRIES
from bptrain.config.yaml import reader
from bptrain.config.yaml.places import MAX_PROBLEMS
from bptrain.config.yaml.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse
from bptrain.config.yaml.scalars import MAX_DIGITS
from bptrain.errors import UsageError
from config.yaml.bombs import BOMBS


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(BOMBS[name], encoding="utf-8")
    assert len(BOMBS[name].encode()) <= MAX_BYTES  # or it tests the cap on bytes alone
    clock = time.process_time()
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path / "c.yaml")
    assert time.process_time() - clock < 1  # some 0.05 s, on a machine that does nothing else
    assert len(caught.value.problems) <= MAX_PROBLEMS + 1
    assert len(str(caught.value)) < 60_000


@pytest.mark.parametrize(
    "name", ["deep flow mappings", "deep keys", "many nodes", "billion laughs", "deep block lists"]
)
def test_the_parser_in_python_refuses_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as of_c:
        load_text(BOMBS[name], "f")
    monkeypatch.setattr(reader, "_LOADER", yaml.SafeLoader)
    with pytest.raises(UsageError) as of_python:
        load_text(BOMBS[name], "f")
    assert [p.code for p in of_python.value.problems] == [p.code for p in of_c.value.problems]


def code_of(text: str) -> str | None:
    try:
        parse(text, "f")
    except UsageError as error:
        return error.problems[0].code
    return None


def test_bytes_are_counted() -> None:
    fits = "a: " + "é" * ((MAX_BYTES - 4) // 2) + "\n"
    assert len(fits.encode()) == MAX_BYTES
    assert code_of(fits) is None
    assert code_of(fits + "\n") == "too_large"


def test_nodes_are_counted() -> None:
    assert code_of("a: [" + "1," * (MAX_NODES - 3) + "]") is None  # the mapping, its key, the list
    assert code_of("a: [" + "1," * (MAX_NODES - 2) + "]") == "too_large"


def test_levels_are_counted() -> None:
    assert code_of("[" * MAX_DEPTH + "]" * MAX_DEPTH) is None
    assert code_of("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == "too_deep"


def test_digits_are_counted() -> None:
    assert code_of("a: " + "9" * MAX_DIGITS) is None
    assert code_of("a: " + "9" * (MAX_DIGITS + 1)) == "out_of_range"


@pytest.mark.parametrize("text", ["a: [" + "1," * MAX_NODES + "]", "[" * 99 + "]" * 99])
def test_nothing_is_built_of_what_is_too_much(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any) -> None:
        raise AssertionError("a value was built")

    monkeypatch.setattr(reader._Composer, "node", build)
    assert code_of(text) in ("too_large", "too_deep")
    with pytest.raises(AssertionError, match="a value was built"):
        code_of("a: 1")


def test_no_more_of_a_file_is_read_than_a_config_may_have(tmp_path: Path) -> None:
    with open(tmp_path / "c.yaml", "wb") as stream:
        stream.truncate(2**40)  # a hole on the disk
    with pytest.raises(UsageError, match="64 KiB"):
        load_config(tmp_path / "c.yaml")


def test_entries_are_counted() -> None:
    def config(layers: int) -> str:
        sizes = "2," * (layers + 1)
        return f"data: {{train: a.csv, target: y}}\nloss: half_squared_error\nnetwork: {{sizes: [{sizes}]}}\n"

    assert validate(load_text(config(MAX_ENTRIES), "f")).network.layers == MAX_ENTRIES
    with pytest.raises(UsageError) as caught:
        validate(load_text(config(MAX_ENTRIES + 1), "f"))
    assert [problem.code for problem in caught.value.problems] == ["wrong_length"]

"""Columns of numbers, read piece by piece: the bits that float() gives, however a column goes on."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bptrain.formats import Sheet, delimited_pieces, number_columns, plain_rows, text_bytes
from bptrain.formats.base import formats
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.number_columns import shared_matrix
from bptrain.formats.streams import pieces
from bptrain.formats.text_bytes import own_memory
from bptrain.formats.text_columns import ColumnTexts

STYLES: dict[str, Callable[[random.Random], str]] = {  # how the cells of a column may be written
    "whole": lambda chance: str(chance.randrange(1000)),
    "short": lambda chance: f"{chance.gauss(0, 10):.3f}",
    "near zero": lambda chance: f"{chance.uniform(-0.1, 0.1):.8f}",
    "long": lambda chance: f"{chance.gauss(0, 1e5):.6f}",
    "longest": lambda chance: repr(chance.gauss(0, 1)),
    "exponents": lambda chance: f"{chance.gauss(0, 1):.3e}",
    "some exponents": lambda chance: f"{chance.gauss(0, 1) * 10 ** chance.choice([0, 0, 0, -6]):.6g}",
    "empty": lambda chance: chance.choice(["", "", "-7", "0.5"]),
    "zeros": lambda chance: chance.choice(["0", "-0", "00", "01", "-0.0", "+0.25", "-01.5"]),
    "others": lambda chance: chance.choice(["1", "2.5", "-3", "NA"]),
}  # fmt: skip


def table(seed: int, rows: int, columns: int) -> list[list[str]]:
    """Rows of cells, of which those of a column change their style on the way."""
    chance = random.Random(seed)
    styles = [[chance.choice([*STYLES]) for _ in range(3)] for _ in range(columns)]
    return [[STYLES[of[3 * row // rows]](chance) for of in styles] for row in range(rows)]


def expected(cells: list[str]) -> list[bytes] | None:
    """The bits of a column of numbers; None of another."""
    try:
        return [struct.pack("d", float(cell or "nan")) for cell in cells]
    except ValueError:
        return None


def check(column: ColumnTexts, cells: list[str]) -> None:
    assert column.tolist() == cells
    found, bits = column.numbers, None if "NA" in cells else expected(cells)
    assert (found is None) == (bits is None)
    if found is None or bits is None:
        return
    values = np.array([float(cell or "nan") for cell in cells])
    there = values[~np.isnan(values)]
    assert [struct.pack("d", value) for value in found.values.tolist()] == bits
    assert found.is_whole == bool((there == np.floor(there)).all())
    assert found.is_empty == (len(there) == 0)
    if found.is_whole:
        assert found.has_leading_zero == any(cell.lstrip("+-")[:2] in ("00", "01") for cell in cells)
        assert found.bound >= np.abs(there).max(initial=0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("at_a_time", [1, 150, 1 << 16])
def test_columns_that_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, at_a_time: int
) -> None:
    rows = table(seed, 400, 6)
    lines = ["a,b,c,d,e,f", *map(",".join, rows)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(number_columns, "AT_A_TIME", at_a_time)
    monkeypatch.setattr(plain_rows, "PIECE", 1500)
    monkeypatch.setattr(plain_rows, "LEAST_ROWS", 1)
    monkeypatch.setattr(delimited_pieces, "BLOCK", 4000)
    monkeypatch.setattr(delimited_pieces, "LEAST_ROWS", 1)
    sheet = formats.get("csv")().read(path, "", RECOGNIZED)
    assert isinstance(sheet, Sheet)
    for k, name in enumerate(sheet.names):
        column = sheet.cells[name]
        assert isinstance(column, ColumnTexts)
        check(column, [row[k] for row in rows])
    begin, n_pieces = 0, 0
    for piece in pieces(path):
        assert isinstance(piece, Sheet)
        columns = [piece.cells[name] for name in piece.names]
        n, n_pieces = len(columns[0]), n_pieces + 1
        for k, column in enumerate(columns):
            assert isinstance(column, ColumnTexts)
            check(column, [row[k] for row in rows[begin : begin + n]])
        begin += n
    assert (begin, n_pieces > 2) == (len(rows), True)


def test_a_large_matrix_lies_in_memory_of_its_own_and_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_bytes, "LARGE", 1)
    matrix = own_memory((5, 3), np.float64)
    matrix[:] = np.arange(15).reshape(5, 3)
    found = shared_matrix([matrix[:4, k] for k in range(3)])
    assert found is not None
    assert np.shares_memory(found, matrix)
    assert found.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert own_memory((0, 3), np.uint32).shape == (0, 3)
    with pytest.raises(MemoryError):
        own_memory((1 << 59,), np.float64)

"""Decimals that array operations read: the bits that float() gives, or left to it."""

import random
import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.formats.cell_words import WORD
from bptrain.formats.decimals import EXACT, LONGEST, DecimalReader
from bptrain.formats.number_columns import shared_matrix
from bptrain.formats.text_columns import in_words

DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
HARD = [
    "", "0", "-0", "+0", "-0.0", "00", "01", "-01", "+007", "00.5", "0.5", ".5", "-.5", "+.5", "5.",
    "-5.", "0.", ".0", ".", "-", "+", "-.", "+.", "--1", "+-1", "-+1", "1-", "1-2", "1+2", "1.2.3",
    "..1", "1..", "1.2-3", "1/2", "0/5", "1,2", "1e5", "1E5", "1e-05", "e5", "nan", "inf", "-inf",
    "NaN", " 5", "5 ", "1 2", "\t5", "1_0", "1:2", "1;2", "0x10", "a", "abc", "½", "٣", "1é", "é1",
    "\x01", "1\x10", "0.1", "0.2", "0.3", "0.7", "1.1", "2.675", "12345678", "123456789", "1234567.8",
    "12345678.9", "1234.5678", "12345.678", "99999999", "999999999", "0.12345678", "0.123456789",
    "0.00285196", "-0.000445121", "1234567890123456", "9007199254740991", "9007199254740992",
    "9007199254740993", "9007199254740995", "900719925474099.1", "900719925474099.3",
    "0.90071992547409", "0.900719925474099", "99999999999999.9", "999999999999999.", "9999999999999999",
    "12345678901234567", "0.12345678901234567", "1e22", "1e23", "5e-324", "2.2250738585072014e-308",
    "1" * 400, "1.0", "100", "1000000", "4503599627370497.5", "................", "----------------",
    "1...............", "0000000000000000", "/", "//////", "0.0000000000001", "123456.7/", "12/34.56",
    "0.1234567", "012345678", "0123456789", "00.1234567", "00.12345678", "0.123456.8", "0.1234567.", "-0.12345678",
    "+0.12345678", "0.00000000", "0/12345678", "0x12345678", "01.2345678", "0.1234567a", "0.-1234567",
    "1.!", "1.*5", "(5)", "5%", "$5", "5'", "1\x1f2", "1\xad5",
]  # fmt: skip


def check(cells: list[str], long: bool, offset: int = 8) -> int:
    """Compares with float(); how many were read."""
    text = b"\xff" * offset + "".join(f"{cell}," for cell in cells).encode()
    lengths = np.array([len(cell.encode()) for cell in cells])
    ends = offset + np.cumsum(lengths + 1) - 1
    reader = DecimalReader()
    for _ in range(2):  # the second time in arrays that are not empty
        values, left, zeros = reader.read(in_words(np.frombuffer(text, np.uint8)), ends - lengths, ends, long)
    is_left = np.zeros(len(cells), bool) if left is None else left
    has_zero = np.zeros(len(cells), bool) if zeros is None else zeros
    found = zip(cells, values.tolist(), is_left.tolist(), has_zero.tolist(), strict=True)
    for cell, value, was_left, begins_with_zero in found:
        bare = cell.lstrip("+-")
        digits = int(bare.replace(".", "0") or "0") if DECIMAL.fullmatch(cell) else 0
        longest = (
            LONGEST if long else WORD + (2 if bare.startswith("0.") else 1 if bare.startswith("0") else 0)
        )
        reads = not cell or (DECIMAL.fullmatch(cell) is not None and len(bare) <= longest and digits < EXACT)
        assert was_left != reads, cell
        assert begins_with_zero == (reads and LEADING_ZERO.match(cell) is not None), cell
        if reads:
            assert struct.pack("d", value) == struct.pack("d", float(cell or "nan")), cell
    return len(cells) - int(is_left.sum())


@pytest.mark.parametrize("long", [True, False])
def test_hard_cells(long: bool) -> None:
    assert check(HARD, long) > 40 - 20 * (not long)
    for cell in HARD:
        check([cell], long)
    for offset in range(8, 17):
        check(["1", "", *HARD], long, offset)


def some_decimal(chance: random.Random) -> str:
    whole = "".join(chance.choices("0123456789", k=chance.randrange(10)))
    fraction = "".join(chance.choices("0123456789", k=chance.randrange(10)))
    return chance.choice(["", "", "-", "+"]) + whole + chance.choice([".", ".", ""]) + fraction


@pytest.mark.parametrize("long", [True, False])
def test_many_decimals(long: bool) -> None:
    chance = random.Random(0)
    assert check([some_decimal(chance) for _ in range(60_000)], long) > 20_000
    assert check([repr(round(chance.gauss(0, 100), 8)) for _ in range(20_000)], long) >= 0


def test_decimals_beside_halves_between_two_numbers() -> None:
    """The digits of numbers that lie closest to the middle between two float64 of the same size."""
    chance = random.Random(1)
    cells = []
    for _ in range(20_000):
        places = chance.randrange(1, 15)
        middle = chance.getrandbits(53) * 2 + 1  # halves of a last place
        digits = str(middle * 10**places >> chance.randrange(40, 60))[:15]
        cells.append(f"{digits[:-places] or '0'}.{digits[-places:]}")
    assert check(cells, True) > 15_000


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.text("0123456789.-+", max_size=18)
        | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
        | st.floats(allow_nan=False, allow_infinity=False).map(repr)
        | st.from_regex(DECIMAL, fullmatch=True),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_any_cells(cells: list[str], long: bool) -> None:
    check(cells, long)


def test_columns_of_one_matrix_are_that_matrix() -> None:
    matrix = np.array([[0.0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])
    columns = [matrix[:3, k] for k in range(3)]
    found = shared_matrix(columns)
    assert found is not None
    assert np.shares_memory(found, matrix)
    assert found.tolist() == matrix[:3].tolist()
    assert shared_matrix(columns[::-1]) is None
    assert shared_matrix(columns[:2]) is None
    assert shared_matrix([matrix[1:, k] for k in range(3)]) is None
    assert shared_matrix([np.arange(4.0)]) is None
    assert shared_matrix([*columns[:2], columns[2].copy()]) is None

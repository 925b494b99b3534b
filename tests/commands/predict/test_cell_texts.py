"""Numbers as texts: they read back as the same number, with no digit more than that takes."""

import csv
import io
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.commands.predict.cell_texts import cell_texts, lines_of_numbers, number_texts
from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.commands.predict.prediction_files import csv_text

EDGES = [0.0, -0.0, 0.1, 1 / 3, 1.0, -2.5, 16777216.0, 1e-5, 1e10, 1e22, 1e23, 3.4e38, 1e-45, 1.2e-38, 2**-24]
ODD = [np.inf, -np.inf, np.nan]


def digits(text: str) -> int:
    """The digits that say something, without the zeros in front and behind."""
    return 0 if text in ("inf", "-inf", "nan") else len(Decimal(text).normalize().as_tuple().digits)


def check(values: np.ndarray) -> None:
    texts = number_texts(values)
    back = np.array([values.dtype.type(text) for text in texts], values.dtype)
    assert np.array_equal(back, values, equal_nan=True)
    assert np.signbit(back[back == 0]).tolist() == np.signbit(values[values == 0]).tolist()
    shortest = [np.format_float_scientific(value, unique=True, trim="-") for value in values]
    assert [*map(digits, texts)] == [*map(digits, shortest)]


@given(st.lists(st.floats(width=32), min_size=1, max_size=50))
def test_float32(values: list[float]) -> None:
    check(np.array(values, np.float32))


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_float64(values: list[float]) -> None:
    check(np.array(values))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges_and_many(dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(0)
    with np.errstate(over="ignore"):
        check(np.array([*EDGES, *ODD]).astype(dtype))
        powers = (2.0 ** np.arange(-149, 128)).astype(dtype)
        check(np.concatenate([powers, np.nextafter(powers, dtype(0)), np.nextafter(powers, dtype(np.inf))]))
    check(rng.random(3000).astype(dtype))
    check((rng.normal(size=3000) * 10.0 ** rng.integers(-20, 20, 3000)).astype(dtype))


def test_what_else_a_cell_is() -> None:
    assert number_texts(np.array([True, False])) == ["true", "false"]
    assert number_texts(np.array([3, -1])) == ["3", "-1"]
    assert number_texts(np.array([2.0, 0.1 + 0.2])) == ["2.0", "0.30000000000000004"]


TEXTS = st.text("ab,\"'\n\r ;é", max_size=4)


@given(
    st.integers(1, 3).flatmap(
        lambda k: st.lists(st.lists(TEXTS, min_size=k, max_size=k), min_size=1, max_size=6)
    )
)
def test_csv_reads_back(rows: list[list[str]]) -> None:
    text = csv_text([*zip(*rows, strict=True)])
    assert [*csv.reader(io.StringIO(text, newline=""))] == rows


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_column_of_numbers_alone_has_the_same_lines(values: list[float]) -> None:
    column = OutColumn("prediction", np.array(values))
    assert lines_of_numbers(column) == csv_text([cell_texts(column)])


def test_which_columns_are_no_numbers_alone() -> None:
    values = np.array([1.5, -0.0])
    assert lines_of_numbers(OutColumn("p", values)) == "1.5\n-0.0\n"
    assert lines_of_numbers(OutColumn("p", values, missing=np.array([True, False]))) is None
    assert lines_of_numbers(OutColumn("p", values.astype(np.float32))) is None
    assert lines_of_numbers(OutColumn("p", np.array([1.0, np.inf]))) is None
    assert lines_of_numbers(OutColumn("p", values[:0])) is None
    assert lines_of_numbers(OutColumn("p", values, copied=True)) is None

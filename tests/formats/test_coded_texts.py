"""A column as its different texts: the same texts at the same rows, however they are hashed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.formats import coded_texts
from bptrain.formats.coded_texts import RowNumbers, coded
from bptrain.formats.quoting import QuotedText

WORDS = st.lists(st.tuples(*[st.integers(0, 2**64 - 1) | st.integers(0, 3)] * 2), min_size=1, max_size=60)


def by_dict(rows: Sequence[tuple[int, ...]]) -> tuple[list[int], list[int]]:
    """The number of each row, and where each number was first."""
    numbers: dict[tuple[int, ...], int] = {}
    found = [numbers.setdefault(row, len(numbers)) for row in rows]
    return found, [found.index(number) for number in range(len(numbers))]


def by_words(rows: Sequence[tuple[int, ...]], size: int) -> tuple[list[int], list[int]]:
    """The same by RowNumbers, so many at a time, each time without the last words that are all zero."""
    numbers = RowNumbers()
    found: list[int] = []
    for begin in range(0, len(rows), size):
        words = np.array(rows[begin : begin + size], np.uint64).T
        n_words = max(1, *(k + 1 for k in range(len(words)) if words[k].any())) if words.any() else 1
        found += numbers.add(words[:n_words], begin).tolist()
    return found, numbers.first.tolist()


@given(WORDS, st.integers(1, 60))
def test_equal_rows_have_one_number(rows: list[tuple[int, int]], size: int) -> None:
    assert by_words(rows, size) == by_dict(rows)


@pytest.mark.parametrize("bits", [1, 3, 12])
def test_so_they_have_where_many_share_a_place_in_the_table(
    monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    rows = [(k % 7, k % 3, k * k % 5) for k in range(300)]
    monkeypatch.setattr(coded_texts, "FIRST_BITS", bits)
    monkeypatch.setattr(coded_texts, "MOST_BITS", bits)
    for size in (1, 7, 300):
        assert by_words(rows, size) == by_dict(rows)
        monkeypatch.setattr(coded_texts, "STEP", 0)  # which gives every row one place
        assert by_words(rows, size) == by_dict(rows)
        monkeypatch.undo()


def test_many_rows_that_are_all_different() -> None:
    words = np.arange(100_000, dtype=np.uint64)[None, :] << np.uint64(40)
    numbers = RowNumbers()
    assert np.array_equal(numbers.add(words, 0), np.arange(100_000))
    assert np.array_equal(numbers.first, np.arange(100_000))
    assert numbers.add(words[:, ::-1] % np.uint64(1 << 41), 100_000).tolist() == [1, 0] * 50_000


def test_texts_in_the_order_in_which_they_come() -> None:
    found = coded(["b", "a", "b", "", "a"])
    assert found.texts == ["b", "a", ""]
    assert found.codes.tolist() == [0, 1, 0, 2, 1]
    assert found.counts() == {"b": 2, "a": 2, "": 1}
    assert found.rows_of(["a", "no such text"]).tolist() == [1, 4]
    assert (found.row_of(["", "a"]), found.row_of(["c"])) == (1, None)


def test_a_text_in_quotes_is_another_one() -> None:
    found = coded(["NA", QuotedText("NA"), "NA"])
    assert found.codes.tolist() == [0, 1, 0]
    assert [type(text) for text in found.texts] == [str, QuotedText]

"""A column as its different texts: the same texts at the same rows, however they are hashed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.formats import coded_texts
from bptrain.formats.coded_texts import coded, coded_words, first_equals
from bptrain.formats.quoting import QuotedText

WORDS = st.lists(st.tuples(*[st.integers(0, 2**64 - 1) | st.integers(0, 3)] * 2), min_size=1, max_size=60)


def by_dict(rows: Sequence[tuple[int, ...]]) -> list[int]:
    first: dict[tuple[int, ...], int] = {}
    return [first.setdefault(row, k) for k, row in enumerate(rows)]


@given(WORDS)
def test_each_row_finds_its_first_equal(rows: list[tuple[int, int]]) -> None:
    assert first_equals([*np.array(rows, np.uint64).T]).tolist() == by_dict(rows)


def test_so_it_does_where_all_rows_share_a_place_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(k % 7, k % 3) for k in range(100)]
    words = [*np.array(rows, np.uint64).T]
    for rounds in [(), (0,), (0, 0, 0)]:  # a multiplier of 0 gives every row one place
        monkeypatch.setattr(coded_texts, "ROUNDS", rounds)
        assert first_equals(words).tolist() == by_dict(rows)


def test_many_rows_that_are_all_different() -> None:
    words = [np.arange(100_000, dtype=np.uint64) << np.uint64(40)]
    assert np.array_equal(first_equals(words), np.arange(100_000))
    rows, codes = coded_words([words[0] % np.uint64(1 << 41)])
    assert rows.tolist() == [0, 1]
    assert codes.tolist() == [0, 1] * 50_000


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

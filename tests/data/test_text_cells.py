"""Texts by their codes are what texts one by one are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.table import as_texts, text_of
from bptrain.data.text_cells import TextCells

CELLS = st.lists(st.sampled_from(["a", "b", "", "é", None]), max_size=12)


@given(CELLS, st.data())
def test_rows_counts_and_meanings(cells: list[str | None], data: st.DataObject) -> None:
    column = TextCells.of(cells)
    rows = data.draw(st.lists(st.integers(0, len(cells) - 1), max_size=9)) if cells else []
    some = column[np.array(rows, np.int64)]
    chosen = [cells[row] for row in rows]
    assert column.tolist() == cells == column.objects().tolist() == [column[k] for k in range(len(cells))]
    assert some.tolist() == chosen
    assert some.counts() == {text: chosen.count(text) for text in set(chosen)}
    assert ("a" in some, None in some) == ("a" in chosen, None in chosen)
    assert some.missing().tolist() == [text is None for text in chosen]
    assert some.are(["a", "x"]).tolist() == [text == "a" for text in chosen]
    assert column[1:3].tolist() == cells[1:3]
    assert column.looked_up(lambda text: len(text or ""), np.int64).tolist() == [len(c or "") for c in cells]


@given(CELLS)
def test_several_texts_may_mean_one(cells: list[str | None]) -> None:
    meaning = {"a": "A", "b": "A", "": None, "é": "É", None: None}
    column = TextCells.of(cells)
    found = TextCells.meaning((meaning[text] for text in column.texts), column.codes)
    assert found.tolist() == [meaning[cell] for cell in cells]
    assert len({*found.texts}) == len(found.texts)
    gone = np.array([cell == "a" for cell in cells], bool)
    assert column.without(gone).tolist() == [None if cell == "a" else cell for cell in cells]


@given(st.lists(st.sampled_from([0.0, -0.0, 1.5, float("nan"), 3.0, 1e15, -7.0])))
def test_numbers_as_texts(numbers: list[float]) -> None:
    expected = [None if number != number else text_of(number) for number in numbers]
    assert as_texts(np.array(numbers)).tolist() == expected

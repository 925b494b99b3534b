"""What the schema keeps of the training rows."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.column_statistics import MOST_LEVELS, Statistics, bins_of, counts_in_bins, level_statistics
from bptrain.data.schema import Schema
from bptrain.data.text_cells import TextCells
from data.helpers import CROSS, prepared, whole, write

ROWS = "".join(f"{k if k % 10 else ''},{'ab'[k % 2]},{'no' if k % 3 else 'yes'}\n" for k in range(1, 101))


def test_they_are_those_of_the_training_rows(tmp_path: Path) -> None:
    settings = whole(
        write(tmp_path, "x,c,y\n" + ROWS), missing="median", validation_share=0.3, test_share=0.3
    )
    p = prepared(settings, CROSS)
    kept, train = p.schema.statistics, p.splits["train"].row_index
    there = [row + 1 for row in train.tolist() if (row + 1) % 10]
    x = kept.numbers["x"]
    assert (kept.rows, x.low, x.high) == (len(train), min(there), max(there))
    assert x.missing == len(train) - len(there) > 0
    assert sum(x.counts) == len(there)
    assert dict(kept.levels["c"].levels) == {c: sum("ab"[(row + 1) % 2] == c for row in train) for c in "ab"}
    assert set(kept.levels["y"].levels) == {"no", "yes"}


def test_json_brings_them_back(tmp_path: Path) -> None:
    schema = prepared(whole(write(tmp_path, "x,c,y\n" + ROWS), missing="median"), CROSS).schema
    text = json.dumps(schema.to_json())
    assert Schema.from_json(json.loads(text)) == schema
    older = {key: value for key, value in json.loads(text).items() if key != "statistics"}
    assert Schema.from_json(older).statistics == Statistics()  # of a version that kept none


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_bins_hold_every_number_once(values: list[float]) -> None:
    edges, counts = bins_of(np.array(values))
    assert sum(counts) == len(values)
    assert len(counts) == len(edges) + 1 <= 10
    assert counts_in_bins(np.array(values), edges).tolist() == list(counts)


def test_bins_are_tenths() -> None:
    edges, counts = bins_of(np.arange(1000.0))
    assert counts == (100,) * 10
    assert edges == tuple(100.0 * k - 1 for k in range(1, 10))
    assert bins_of(np.array([7.0] * 5)) == ((7.0,), (5, 0))
    assert bins_of(np.array([])) == ((), (0,))


def test_many_levels_are_bounded() -> None:
    cells = TextCells.of([*(f"level {k}" for k in range(MOST_LEVELS + 7)), None])
    found = level_statistics(cells)
    assert (len(found.levels), found.others, found.missing) == (MOST_LEVELS, 7, 1)


def test_a_column_without_numbers_in_training(tmp_path: Path) -> None:
    made = Statistics(3, {}, {})
    assert Statistics.from_json(made.to_json()) == made
    kept = prepared(whole(write(tmp_path, "x,y\n1,2\n2,4\n"))).schema.statistics
    assert not any(math.isnan(value) for value in (kept.numbers["x"].low, kept.numbers["y"].high))


@pytest.mark.parametrize("missing", ["statistics", "numbers", "levels"])
def test_what_is_damaged_is_refused(missing: str, tmp_path: Path) -> None:
    json_ = prepared(whole(write(tmp_path, "x,y\n1,2\n2,4\n"))).schema.to_json()
    if missing == "statistics":
        json_["statistics"] = 3
    else:
        del json_["statistics"][missing]
    with pytest.raises((KeyError, TypeError, ValueError)):
        Schema.from_json(json_)

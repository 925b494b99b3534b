"""Rows split by groups, by time, by hash and by the words of a column: what each promises, whatever the rows are."""

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.memory import in_memory
from bptrain.data.prepare import encode_file
from bptrain.data.prepared import Prepared
from bptrain.data.settings import RowSplit
from bptrain.data.splitting import Split, split_by_group, split_by_hash, split_by_time
from bptrain.errors import DataError
from bptrain.parts.random import stream
from bptrain.parts.types import Array
from data.helpers import CROSS, prepared, problems, whole, write

shares = st.sampled_from([0.0, 0.05, 0.15, 0.3, 0.45])
numbers = st.lists(st.integers(0, 8), min_size=1, max_size=60).map(np.array)


def check_partition(parts: Split, n: int) -> None:
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert all((np.diff(part) > 0).all() for part in parts)


@given(numbers, shares, shares, st.integers(0, 9))
def test_groups_stay_whole_and_near_the_shares(
    groups: Array, validation: float, test: float, seed: int
) -> None:
    parts = split_by_group(groups, validation, test, stream(seed, "split"))
    n = len(groups)
    check_partition(parts, n)
    of = [set(groups[part].tolist()) for part in parts]
    assert len(of[0] | of[1] | of[2]) == sum(map(len, of))  # no group is in two
    assert of[0]
    wanted = [round(validation * n), round(test * n)]
    if len(set(groups.tolist())) > sum(rows > 0 for rows in wanted):
        assert [bool(part) for part in of[1:]] == [rows > 0 for rows in wanted]
    for part, names, rows in zip(parts[1:], of[1:], wanted, strict=True):
        assert len(part) < max(2 * rows, 1) or len(names) == 1


def test_groups_by_hand() -> None:
    """40 groups of 5 rows: 15 % of 200 rows are 6 groups, exactly."""
    groups = np.arange(200) % 40
    parts = split_by_group(groups, 0.15, 0.15, stream(3, "split"))
    assert [len(part) for part in parts] == [140, 30, 30]
    other = split_by_group(groups, 0.15, 0.15, stream(4, "split"))
    assert parts.test.tolist() != other.test.tolist()
    two = split_by_group(np.array([7, 7, 9]), 0.4, 0.4, stream(0, "split"))
    assert [len(part) for part in two] in ([1, 0, 2], [2, 0, 1])  # test comes first
    large = split_by_group(np.array([0] * 90 + [1] * 5 + [2] * 5), 0.1, 0.1, stream(0, "split"))
    assert [len(part) for part in large] == [90, 5, 5]  # both keep a group, although test could take two


@given(numbers, shares, shares)
def test_time_order_is_kept(times: Array, validation: float, test: float) -> None:
    n, moments = len(times), len(set(times.tolist()))
    wanted = [round(validation * n), round(test * n)]
    if moments == 1:
        with pytest.raises(DataError, match="all rows are of one moment"):
            split_by_time(times, validation, test)
        return
    parts = split_by_time(times, validation, test)
    check_partition(parts, n)
    spans = [(times[part].min(), times[part].max()) for part in parts if len(part)]
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert len(parts.train)
    assert bool(len(parts.test)) == (wanted[1] > 0)
    assert bool(len(parts.validation)) == (wanted[0] > 0) or moments == 2
    if moments == n and sum(wanted) < n:
        assert [len(part) for part in parts[1:]] == wanted


def test_moments_by_hand() -> None:
    """The moment 5 has rows 6 to 8; a part that would cut it begins where it begins or ends, whichever is nearer."""
    times = np.array([0, 1, 2, 3, 4, 4.5, 5, 5, 5, 6])
    assert split_by_time(times, 0, 0.3).test.tolist() == [6, 7, 8, 9]
    assert split_by_time(times, 0, 0.2).test.tolist() == [9]
    backwards = split_by_time(times[::-1], 0.3, 0.1)
    assert [part.tolist() for part in backwards] == [[4, 5, 6, 7, 8, 9], [1, 2, 3], [0]]
    few = split_by_time(np.array([1] * 90 + [2] * 5 + [3] * 5), 0.1, 0.1)
    assert [len(part) for part in few] == [90, 5, 5]  # test leaves a moment to validation


texts = st.lists(st.text(max_size=4), min_size=1, max_size=40)


@given(texts, st.text(max_size=4), st.permutations(range(41)), shares, shares)
def test_a_hash_knows_its_own_text_alone(
    given_texts: list[str], more: str, order: list[int], validation: float, test: float
) -> None:
    """Rows that are added, or stand in another order, move no row."""
    parts = split_by_hash(given_texts, validation, test)
    check_partition(parts, len(given_texts))
    before = {given_texts[row]: name for name, rows in parts._asdict().items() for row in rows}
    longer = [*given_texts, more]
    longer = [longer[k] for k in order if k < len(longer)]
    after = {
        longer[row]: name
        for name, rows in split_by_hash(longer, validation, test)._asdict().items()
        for row in rows
    }
    assert {text: after[text] for text in before} == before


def test_the_formula_of_the_hash() -> None:
    """SHA-256 as FIPS 180-4 has it: "abc" is ba7816bf 8f01cfea …, u = 0.728."""
    u = 0xBA7816BF8F01CFEA / 2**64
    assert split_by_hash(["abc"], 0.0, u + 1e-9).test.tolist() == [0]
    assert split_by_hash(["abc"], 0.0, u - 1e-9).train.tolist() == [0]
    assert split_by_hash(["abc"], 0.2, u - 0.1).validation.tolist() == [0]
    salted = int.from_bytes(hashlib.sha256(b"5:abc").digest()[:8], "big") / 2**64
    assert split_by_hash(["abc"], 0.0, salted + 1e-9, 5).test.tolist() == [0]
    assert split_by_hash(["abc"], 0.0, salted - 1e-9, 5).train.tolist() == [0]
    sizes = [len(part) for part in split_by_hash(map(str, range(20000)), 0.15, 0.25)]
    np.testing.assert_allclose(np.array(sizes) / 20000, [0.6, 0.15, 0.25], atol=0.012)  # 4 standard errors


ROWS, OTHERS = 60, ("validation", "test")
HEAD = "id,who,day,part,x,y\n"
DAYS = [f"{2000 + k // 12}-{1 + k % 12:02}-01" for k in range(ROWS)]
PARTS = ["train"] * 40 + ["Val"] * 10 + ["TEST"] * 10
LINES = [f"r{k},s{k // 6},{DAYS[k]},{PARTS[k]},{k},{'ab'[k % 2]}\n" for k in range(ROWS)]


def split_of(p: Prepared) -> dict[str, list[int]]:
    return {name: rows.row_index.tolist() for name, rows in p.splits.items()}


def of_table(folder: Path, *lines: str, **options: Any) -> Prepared:
    source = write(folder, HEAD + "".join(lines or LINES))
    return prepared(whole(source, **{"validation_share": 0.2, "test_share": 0.2} | options), CROSS)


def test_the_column_that_splits_is_no_input_unless_it_is_named(tmp_path: Path) -> None:
    p = of_table(tmp_path, split=RowSplit("group", "who"))
    assert [feature.name for feature in p.schema.features] == ["id", "day", "part", "x"]
    (note,) = (note for note in p.notes if note.startswith("split"))
    assert note == (
        "split: by groups, who: 36 train of 6 groups, 12 validation of 2 groups, 12 test of 2 groups; who is no input "
        "(data.features can name it)"
    )
    named = of_table(tmp_path, split=RowSplit("group", "who"), features=("x", "who"))
    assert [feature.name for feature in named.schema.features] == ["x", "who"]
    assert "no input" not in "".join(named.notes)
    assert split_of(named) == split_of(p)


def test_groups_of_rows_are_known(tmp_path: Path) -> None:
    p = of_table(tmp_path, split=RowSplit("group", "who"))
    for rows in p.splits.values():
        assert rows.groups is not None
        same = rows.groups[:, None] == rows.groups
        np.testing.assert_array_equal(same, rows.row_index[:, None] // 6 == rows.row_index // 6)
    assert of_table(tmp_path).splits["train"].groups is None
    other = write(
        tmp_path, HEAD + LINES[0] + "n,,2000-01-01,val,1,a\n" + LINES[1] + "m,,2000-01-01,val,1,b\n", "o.csv"
    )
    rows, _ = encode_file(other, p.schema, np.float64, group="who")
    assert rows.groups is not None
    assert rows.groups.tolist() == [0, 1, 0, 2]  # without a value each is by itself
    without = write(tmp_path, "id,day,part,x,y\nr0,2000-01-01,train,1,a\n", "w.csv")
    assert encode_file(without, p.schema, np.float64, group="who")[0].groups is None


def test_one_group_in_several_spellings(tmp_path: Path) -> None:
    """1 and 1.0, e with an accent as one character or two, blanks around: one group each."""
    lines = [
        f"r{k},{who},2000-01-01,,{k},a\n" for k, who in enumerate(["1", "1.0", "é", "e\u0301 ", "2", "z"] * 5)
    ]
    p = of_table(tmp_path, *lines, split=RowSplit("group", "who"), columns={"part": "text"}, target="x")
    together = [np.array([0, 0, 1, 1, 2, 3])[np.array(rows) % 6] for rows in split_of(p).values()]
    assert sum(len(set(part.tolist())) for part in together) == 4


def test_by_time_takes_dates_and_numbers(tmp_path: Path) -> None:
    p = of_table(tmp_path, *LINES[::-1], split=RowSplit("time", "day"))
    assert split_of(p) == {"train": [*range(24, 60)], "validation": [*range(12, 24)], "test": [*range(12)]}
    assert "day" not in [feature.name for feature in p.schema.features]
    (note,) = (note for note in p.notes if note.startswith("split"))
    assert "36 train until 2002-12-01, 12 validation until 2003-12-01, 12 test until 2004-12-01;" in note
    assert split_of(of_table(tmp_path, split=RowSplit("time", "x"))) == {
        "train": [*range(36)], "validation": [*range(36, 48)], "test": [*range(48, 60)]
    }  # fmt: skip
    clock = [line.replace(f"r{k},", f"{k:04},") for k, line in enumerate(LINES)]  # numbers that begin with 0
    assert split_of(of_table(tmp_path, *clock, split=RowSplit("time", "id")))["test"] == [*range(48, 60)]
    dmy = [f"r{k},,{1 + k % 12:02}/{1 + k // 12:02}/2000,,{k},a\n" for k in range(60)]
    options: Any = {
        "columns": {"who": "text", "part": "text"},
        "target": "x",
        "split": RowSplit("time", "day"),
    }
    [problem] = problems(whole(write(tmp_path, HEAD + "".join(dmy)), **options))
    assert (problem.code, problem.path) == ("ambiguous_dates", "data.columns.day")


def test_by_words(tmp_path: Path) -> None:
    p = of_table(tmp_path, split=RowSplit("column", "part"))
    assert split_of(p) == {
        "train": [*range(40)], "validation": [*range(40, 50)], "test": [*range(50, 60)]
    }  # fmt: skip
    assert p.how_split == "by column part"
    none = of_table(tmp_path, *LINES[:40], *LINES[50:], split=RowSplit("column", "part"))
    assert list(none.splits) == ["train", "test"]
    assert any("40 train, no validation, 10 test" in note for note in none.notes)


@pytest.mark.parametrize(
    ("split", "lines", "code", "line", "words"),
    [
        (RowSplit("column", "part"), ["r,s,2000-01-01,trian,1,a\n"], "unknown_split", 62, "'trian', which is no split"),
        (RowSplit("column", "part"), ["r,s,2000-01-01,,1,a\n"], "missing_cell", 62, "split column part has no value"),
        (RowSplit("group", "who"), ["r,,2000-01-01,,1,a\n"], "missing_cell", 62, "split column who has no value"),
        (RowSplit("hash", "id"), ["NA,s,2000-01-01,,1,a\n"], "missing_cell", 62, "split column id has no value"),
        (RowSplit("time", "day"), ["r,s,?,train,1,a\n"], "missing_cell", 62, "split column day has no value"),
        (RowSplit("time", "day"), ["r,s,soon,train,1,a\n"], "not_a_date", 62, "but here it is 'soon'"),
        (RowSplit("time", "who"), [], "not_a_time", 2, "'s0' is neither a date nor a number"),
    ],
)  # fmt: skip
def test_cells_that_do_not_fit(
    tmp_path: Path, split: RowSplit, lines: list[str], code: str, line: int, words: str
) -> None:
    source = write(tmp_path, HEAD + "".join([*LINES, *lines]))
    options = {"columns": {"part": "text"}} if split.by != "column" else {}
    found = problems(whole(source, split=split, validation_share=0.2, test_share=0.2, **options), CROSS)
    assert (found[0].code, found[0].line) == (code, line)
    assert words in found[0].message


@pytest.mark.parametrize(
    ("split", "path", "words"),
    [
        (RowSplit("group", "part"), "data.split.group", "column part is the same in all 40 rows"),
        (RowSplit("group", "whose"), "data.split.group", "there is no column 'whose'"),
        (RowSplit("time", "part"), "", "neither a date nor a number"),
    ],
)
def test_columns_that_cannot_split(tmp_path: Path, split: RowSplit, path: str, words: str) -> None:
    source = write(tmp_path, HEAD + "".join(LINES[:40]))
    [problem, *_] = problems(whole(source, split=split, test_share=0.2), CROSS)
    assert problem.path == path
    assert words in problem.message


def test_rows_without_a_group_may_be_dropped(tmp_path: Path) -> None:
    lines = [*LINES, "r,,2000-01-01,train,1,a\n"]
    p = of_table(tmp_path, *lines, split=RowSplit("group", "who"), missing={"who": "drop"})
    assert sum(map(len, split_of(p).values())) == 60
    assert any("1 of 61 rows dropped" in note and "no value in who 1" in note for note in p.notes)


def test_a_file_beside_a_column_of_splits(tmp_path: Path) -> None:
    source, other = (write(tmp_path, HEAD + "".join(LINES), name) for name in ("a.csv", "b.csv"))
    [problem] = problems(whole(source, split=RowSplit("column", "part"), test=other), CROSS)
    assert problem.path == "data.split.column"
    assert "part calls 10 rows test, and data.test is a file of them" in problem.message


def test_the_seed_of_the_split(tmp_path: Path) -> None:
    """Given, it is that of the split alone; a split by hash has no seed but a salt."""
    source = write(tmp_path, HEAD + "".join(LINES))
    for way in (RowSplit(), RowSplit("group", "who")):
        free, fixed = (whole(source, test_share=0.2, split=way._replace(seed=given)) for given in (None, 5))
        one, other = (split_of(prepared(free, CROSS, seed)) for seed in (0, 5))
        assert one != other
        assert {str(split_of(prepared(fixed, CROSS, seed))) for seed in (0, 1, 5)} == {str(other)}
    hashed = [whole(source, test_share=0.2, split=RowSplit("hash", "id", seed=s)) for s in (None, 5)]
    assert split_of(prepared(hashed[0], CROSS, 0)) == split_of(prepared(hashed[0], CROSS, 5))
    assert split_of(prepared(hashed[0], CROSS)) != split_of(prepared(hashed[1], CROSS))


@pytest.mark.parametrize(
    ("split", "lines", "words"),
    [
        (RowSplit("group", "who"), LINES[:12],
         ["there is no validation set, instead of about 2 rows asked for, since groups of who stay whole"]),
        (RowSplit("time", "who"), ["r,1,2000-01-01,,1,a\n"] * 30 + ["r,2,2000-01-01,,1,b\n"] * 2,
         ["there is no validation set, instead of about 6 rows asked for, since rows of one who stay",
          "the test set has 2 of about 6 rows asked for, since rows of one who stay together"]),
        (RowSplit("hash", "who"), LINES[:10],
         [f"there is no {name} set, instead of about 2 rows asked for, since the hash of who" for name in OTHERS]),
        (RowSplit("hash", "who"), ["r,c,2000-01-01,,1,a\n", "r,a,2000-01-01,,1,b\n"],  # u = 0.18 and 0.79
         ["there is no validation set: 0.2 of 2 rows makes none"]),
        (RowSplit("column", "part"), LINES[:40], ["part calls all rows train"]),
        (RowSplit(), LINES[:2], [f"there is no {name} set: 0.2 of 2 rows makes none" for name in OTHERS]),
    ],
)  # fmt: skip
def test_no_set_is_small_or_empty_without_a_word(
    tmp_path: Path, split: RowSplit, lines: list[str], words: list[str]
) -> None:
    columns = {} if split.by == "column" else {"part": "text"}
    p = of_table(tmp_path, *lines, split=split, columns=columns)
    said = [message for name, message in p.warnings if name == "small_split"]
    assert len(said) == len(words), said
    assert all(word in message for word, message in zip(words, said, strict=True))


def test_sources_in_python(tmp_path: Path) -> None:
    """A frame has its names, arrays x1 … xn."""
    columns = {"who": [f"s{k // 6}" for k in range(ROWS)], "x": list(range(ROWS)), "y": ["a", "b"] * 30}
    options: Any = {"validation_share": 0.2, "test_share": 0.2}
    frame = prepared(whole(in_memory(columns, "data"), split=RowSplit("group", "who"), **options), CROSS)
    assert split_of(frame) == split_of(of_table(tmp_path, split=RowSplit("group", "who")))
    X = np.column_stack([np.arange(ROWS) % 7, np.arange(ROWS) // 6, np.arange(ROWS)])
    pair = in_memory((X, np.array(columns["y"])), "data")
    arrays = prepared(whole(pair, split=RowSplit("group", "x2"), **options), CROSS)
    assert [feature.name for feature in arrays.schema.features] == ["x1", "x3"]
    assert {name: len(rows) for name, rows in split_of(arrays).items()} == {
        "train": 36, "validation": 12, "test": 12
    }  # fmt: skip
    newest = prepared(whole(pair, split=RowSplit("time", "x3"), **options), CROSS)
    assert split_of(newest)["test"] == [*range(48, 60)]
    hashed = prepared(whole(pair, split=RowSplit("hash", "x3"), **options), CROSS)
    by_text = split_by_hash(map(str, range(ROWS)), 0.2, 0.2)
    assert split_of(hashed)["test"] == by_text.test.tolist()


def test_a_value_is_hashed_in_one_spelling(tmp_path: Path) -> None:
    """A table is split alike from a file and from a frame, in which a column of whole numbers may be one of floats."""
    options: Any = {"validation_share": 0.2, "test_share": 0.2, "split": RowSplit("hash", "id")}
    text = "id,x,y\n" + "".join(f"{k},{k % 7},{'ab'[k % 2]}\n" for k in range(ROWS))
    plain = prepared(whole(write(tmp_path, text), **options), CROSS)
    points = "id,x,y\n" + "".join(f" {k}.0,{k % 7},{'ab'[k % 2]}\n" for k in range(ROWS))
    columns = {"id": np.arange(ROWS) * 1.0, "x": np.arange(ROWS) % 7, "y": ["a", "b"] * 30}
    for source in (write(tmp_path, points, "points.csv"), in_memory(columns, "data")):
        assert split_of(prepared(whole(source, **options), CROSS)) == split_of(plain)
    assert split_of(plain)["test"] == split_by_hash(map(str, range(ROWS)), 0.2, 0.2).test.tolist()


def test_a_mark_of_nothing_among_dates_of_digits(tmp_path: Path) -> None:
    """Among 20000101 and the like a - is a missing cell, as it is among numbers."""
    lines = [f"r{k},s,{day.replace('-', '')},train,{k},a\n" for k, day in enumerate(DAYS)]
    lines[3] = "r3,s,-,train,3,a\n"
    options: Any = {"target": "x", "test_share": 0.2, "split": RowSplit("time", "day")}
    [problem] = problems(whole(write(tmp_path, HEAD + "".join(lines)), **options))
    assert (problem.code, problem.line) == ("missing_cell", 5)
    p = prepared(whole(write(tmp_path, HEAD + "".join(lines)), **options, missing={"day": "drop"}))
    assert split_of(p)["test"] == [*range(48, 60)]
    assert any("12 test until 20041201" in note for note in p.notes)

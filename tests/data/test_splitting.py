"""The split: sizes, proportions, disjointness, and the seed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.splitting import apportion, split
from bptrain.errors import DataError
from bptrain.parts.random import stream
from data.helpers import CROSS, SQUARED, prepared, problems, whole, write

shares = st.floats(0, 0.45)


@given(st.integers(1, 300), shares, shares, st.integers(0, 9), st.one_of(st.none(), st.integers(1, 5)))
def test_every_row_is_in_one_part(n: int, validation: float, test: float, seed: int, K: int | None) -> None:
    classes = None if K is None else np.arange(n) % K
    n_test, n_validation = round(n * test), round(n * validation)
    try:
        parts = split(n, validation, test, stream(seed, "split"), classes)
    except DataError:
        assert n_validation + n_test >= n
        return
    if K is None or n_test + n_validation <= n - K:  # else some classes cannot give as many
        assert len(parts.validation) == n_validation
        assert len(parts.test) == n_test
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert all((np.diff(part) > 0).all() for part in parts)


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), shares, shares, st.integers(0, 9))
def test_classes_keep_their_proportions(counts: list[int], validation: float, test: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    n = len(classes)
    try:
        parts = split(n, validation, test, stream(seed, "split"), classes)
    except DataError:
        return
    assert set(classes[parts.train]) == set(classes)  # every class is there to be learned
    if min(counts) < 10:
        return  # a small class that must keep a row moves its share to others
    in_test = np.bincount(classes[parts.test], minlength=len(counts))
    assert (np.abs(in_test - np.array(counts) * len(parts.test) / n) < 1).all()
    left = np.array(counts) - in_test
    in_validation = np.bincount(classes[parts.validation], minlength=len(counts))
    assert (np.abs(in_validation - left * len(parts.validation) / left.sum()) < 1).all()


@pytest.mark.parametrize(
    ("k", "sizes", "expected"),
    [
        (10, [50, 30, 20], [5, 3, 2]),
        (3, [1, 1, 50], [0, 0, 3]),  # the last row of a class stays
        (5, [2, 2, 2], [1, 1, 1]),  # and there is no more to give
        (0, [4, 4], [0, 0]),
    ],
)
def test_apportioned_by_hand(k: int, sizes: list[int], expected: list[int]) -> None:
    for seed in range(9):
        assert apportion(k, np.array(sizes), stream(seed, "split")).tolist() == expected


def test_over_many_seeds_every_class_gets_its_share() -> None:
    """500 rows of one class and 5 of another: half a row of the rare one is half the splits, not none."""
    sizes = np.array([500, 5, 120])
    counts = np.array([apportion(62, sizes, stream(seed, "split")) for seed in range(2000)])
    assert (counts.sum(axis=1) == 62).all()
    ideal = 62 * sizes / sizes.sum()
    assert (np.abs(counts - ideal) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=0), ideal, atol=0.05)  # 4.5 standard errors of a half


def test_which_rows_are_drawn_depends_on_the_seed() -> None:
    one, same, other = (split(100, 0.2, 0.2, stream(seed, "split")) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.test, same.test)
    assert one.test.tolist() != other.test.tolist()
    rows = np.concatenate(
        [split(100, 0, 0.2, stream(seed, "split"), np.arange(100) % 2).test for seed in range(60)]
    )
    assert len(np.unique(rows)) == 100  # each row has its chance


def test_file_order() -> None:
    parts = split(10, 0.2, 0.3, None)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]


CLASSES = "x,y\n" + "".join(f"{k},{'ab'[k % 10 == 0]}\n" for k in range(40))  # 36 a, 4 b


def test_stratified_unless_told(tmp_path: Path) -> None:
    source = write(tmp_path, CLASSES)
    for seed in range(5):
        p = prepared(whole(source, validation_share=0.25, test_share=0.25), CROSS, seed)
        assert [np.bincount(rows.y_true).tolist() for rows in p.splits.values()] == [[18, 2], [9, 1], [9, 1]]
        assert list(p.splits) == ["train", "validation", "test"]
    loose = [
        np.bincount(
            prepared(whole(source, test_share=0.25, stratify=False), CROSS, seed).splits["test"].y_true
        ).tolist()
        for seed in range(9)
    ]
    assert any(counts != [9, 1] for counts in loose)


def test_a_class_of_one_row_is_trained_on(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,a\n2,a\n3,a\n4,b\n")
    for seed in range(9):
        p = prepared(whole(source, test_share=0.5), CROSS, seed)
        assert p.splits["train"].y_true.tolist() == [0, 1]
        assert p.splits["test"].y_true.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("facts", "shuffle", "word"), [(SQUARED, True, "one column"), (CROSS, False, "shuffle")]
)
def test_stratify_where_it_cannot_be(tmp_path: Path, facts: object, shuffle: bool, word: str) -> None:
    source = write(tmp_path, "x,y\n1,1\n2,2\n3,1\n4,2\n")
    [problem] = problems(whole(source, stratify=True, shuffle=shuffle), facts)  # type: ignore[arg-type]
    assert problem.path == "data.split.stratify"
    assert word in problem.message


def test_no_row_to_train(tmp_path: Path) -> None:
    [problem] = problems(whole(write(tmp_path, "x,y\n1,1\n2,2\n"), validation_share=0.5, test_share=0.5))
    assert (problem.code, problem.path) == ("no_training_rows", "data.split")


def test_a_file_replaces_its_share(tmp_path: Path) -> None:
    source = write(tmp_path, CLASSES)
    other = write(tmp_path, "y,more,x\nb,?,1\na,?,2\n", "test.csv")
    p = prepared(whole(source, validation_share=0.25, test_share=0.25, test=other), CROSS)
    assert {name: len(rows.X) for name, rows in p.splits.items()} == {
        "train": 30,
        "validation": 10,
        "test": 2,
    }
    np.testing.assert_array_equal(p.splits["test"].X, [[1], [2]])
    assert p.splits["test"].y_true.tolist() == [1, 0]
    assert list(p.digest) == ["train", "test"]


def test_a_split_that_falls_short_is_told(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n" + "".join(f"{k},c{k % 9}\n" for k in range(12)))
    p = prepared(whole(source, test_share=0.5, validation_share=0.25), CROSS)
    assert len(p.splits["train"].X) == 9
    names = [name for name, _ in p.warnings]
    assert names == ["small_split", "small_split"]
    assert "3 of the 6" in p.warnings[1][1]
    assert not prepared(whole(source, test_share=0.5, stratify=False), CROSS).warnings


def test_a_split_that_is_one_row_short_is_told(tmp_path: Path) -> None:
    """Three classes of two rows give three rows, and no more."""
    source = write(tmp_path, "x,y\n" + "".join(f"{k},c{k % 3}\n" for k in range(6)))
    for name in ("test", "validation"):
        [(kind, message)] = prepared(whole(source, **{f"{name}_share": 4 / 6}), CROSS).warnings
        assert kind == "small_split"
        assert message.startswith(f"the {name} set has 3 of the 4 rows asked for")
        assert not prepared(whole(source, **{f"{name}_share": 3 / 6}), CROSS).warnings

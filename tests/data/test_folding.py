"""Folds: a partition of the rows, even in size and classes, whole groups, and the seed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.build.data import prepare_data
from bptrain.config import load_config
from bptrain.data.folding import fold_of_each_row
from bptrain.data.settings import RowSplit
from bptrain.errors import DataError
from bptrain.parts.random import stream
from data.helpers import CROSS, prepared, problems, whole, write


@given(st.integers(2, 120), st.integers(2, 12), st.integers(0, 9), st.one_of(st.none(), st.integers(1, 7)))
def test_folds_are_even_in_size_and_in_classes(n: int, k: int, seed: int, C: int | None) -> None:
    classes = None if C is None else np.random.default_rng(seed).integers(0, C, n)
    if n < k:
        with pytest.raises(DataError, match=f"{k} folds need {k} rows at least, but there are {n}"):
            fold_of_each_row(n, k, stream(seed, "folds"), classes)
        return
    folds = fold_of_each_row(n, k, stream(seed, "folds"), classes)
    assert set(folds) == set(range(k))  # with a fold for each row, this is a partition without an empty part
    assert len(folds) == n
    sizes = np.bincount(folds, minlength=k)
    assert sizes.max() - sizes.min() <= 1
    for c in np.unique(classes) if classes is not None else ():
        of_class = np.bincount(folds[classes == c], minlength=k)
        assert of_class.max() - of_class.min() <= 1


@given(st.lists(st.integers(1, 30), min_size=2, max_size=40), st.integers(2, 6), st.integers(0, 9))
def test_a_group_is_in_one_fold(sizes: list[int], k: int, seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    if len(sizes) < k:
        with pytest.raises(
            DataError, match=f"{k} folds need {k} groups at least, but there are {len(sizes)}"
        ):
            fold_of_each_row(len(groups), k, stream(seed, "folds"), None, groups)
        return
    folds = fold_of_each_row(len(groups), k, stream(seed, "folds"), None, groups)
    assert set(folds) == set(range(k))
    assert all(len(set(folds[groups == group])) == 1 for group in range(len(sizes)))
    filled = np.bincount(folds, minlength=k)
    # The last group that a fold took went there because that was the smallest one.
    assert filled.max() - filled.min() <= max(sizes)


def test_groups_keep_the_classes_in_proportion() -> None:
    # 60 subjects of 5 rows, a third of them ill: chance alone would leave some fold without a third of it
    ill = np.repeat(np.arange(60) % 3 == 0, 5)
    groups = np.repeat(np.arange(60), 5)
    for seed in range(20):
        folds = fold_of_each_row(300, 5, stream(seed, "folds"), ill.astype(int), groups)
        np.testing.assert_array_equal(np.bincount(folds), [60] * 5)
        np.testing.assert_array_equal(np.bincount(folds[ill]), [20] * 5)


def test_another_seed_makes_other_folds() -> None:
    sizes = np.arange(10, 40)  # no two groups are equally large
    groups = np.repeat(np.arange(len(sizes)), sizes)
    classes = np.arange(len(groups)) % 3

    def folds(seed: int) -> list[bytes]:
        return [
            fold_of_each_row(len(groups), 4, stream(seed, "folds"), *how).tobytes()
            for how in ((), (classes,), (None, groups), (classes, groups))
        ]

    assert folds(1) == folds(1)
    assert all(a != b for a, b in zip(folds(1), folds(2), strict=True))


def test_without_shuffling_neighbours_stay_together() -> None:
    np.testing.assert_array_equal(fold_of_each_row(7, 3, None), [0, 0, 0, 1, 1, 2, 2])


def test_the_folds_of_a_file_partition_its_rows_and_leave_out_dropped_ones(tmp_path: Path) -> None:
    rows = [f"{'' if k == 7 else k},{'ab'[k % 10 == 0]}\n" for k in range(50)]
    source = write(tmp_path, "x,y\n" + "".join(rows))
    tests = []
    for number in range(1, 6):
        settings = whole(source, validation_share=0.25, split=RowSplit(fold=(number, 5)), missing="drop")
        splits = prepared(settings, CROSS, seed=3).splits
        parts = [splits[name].row_index for name in ("train", "validation", "test")]
        assert sorted(np.concatenate(parts)) == [k for k in range(50) if k != 7]
        n_test = len(parts[2])
        assert len(parts[1]) == round(0.25 * (49 - n_test))  # a share of the rows that are not tested
        assert np.bincount(splits["test"].y_true).tolist() == [n_test - 1, 1]  # five b, one per fold
        assert len(set(splits["validation"].y_true)) == 2
        tests.append(parts[2])
    assert sorted(np.concatenate(tests)) == [k for k in range(50) if k != 7]


def test_a_class_with_all_rows_in_the_fold_is_warned_of(tmp_path: Path) -> None:
    rows = [f"{k},{'ab'[k % 2]}\n" for k in range(10)] + ["3,c\n"]
    source = write(tmp_path, "x,y\n" + "".join(rows))
    by_fold = [prepared(whole(source, split=RowSplit(fold=(k, 5))), CROSS).warnings for k in range(1, 6)]
    said = [warning for warnings in by_fold for warning in warnings if warning.name == "small_split"]
    assert [warning.message for warning in said] == ["no training row is of c: too few rows for 5 folds"]


def test_more_folds_than_rows(tmp_path: Path) -> None:
    [problem] = problems(whole(write(tmp_path, "x,y\n1,1\n2,2\n"), split=RowSplit(fold=(1, 3))))
    assert (problem.code, problem.path) == ("too_many_folds", "data.split.folds")
    assert "3 folds need 3 rows at least, but there are 2" in problem.message


@pytest.mark.parametrize("group", ["", "group: who, "])
@pytest.mark.parametrize("test", ["test: 0", "test: 0.2", "fold: 2, folds: 4"])
def test_validation_folds_part_the_rows_that_no_test_has(workplace: Path, group: str, test: str) -> None:
    rows = [f"s{k // 4},{k % 7},{'aab'[k // 4 % 3]}" for k in range(60)]
    Path("d.csv").write_text("\n".join(["who,x,y", *rows]) + "\n")
    base = "data: {train: d.csv, target: y, exclude: [who], split: {%s%s}}\n%s"
    network = "network: {sizes: [auto, auto]}\nloss: cross_entropy\nseed: 3\n"
    found = []
    for k in (1, 2, 3):
        split = f"{test}, validation_fold: {k}, validation_folds: 3"
        Path("c.yaml").write_text(base % (group, split, network))
        found.append(prepare_data(load_config("c.yaml")).splits)
    tested = [splits["test"].row_index.tolist() if "test" in splits else [] for splits in found]
    assert tested[0] == tested[1] == tested[2]
    validated = [splits["validation"].row_index.tolist() for splits in found]
    assert sorted([*tested[0], *(row for rows in validated for row in rows)]) == list(range(60))
    for splits, own in zip(found, validated, strict=True):
        assert sorted([*splits["train"].row_index.tolist(), *own, *tested[0]]) == list(range(60))
    if group:
        of_group = {row // 4: k for k, rows in enumerate(validated) for row in rows}
        assert all(of_group[row // 4] == k for k, rows in enumerate(validated) for row in rows)
    if test == "test: 0":  # the same folds as those of a cross-validation
        for k in (1, 2, 3):
            Path("c.yaml").write_text(base % (group, f"fold: {k}, folds: 3, validation: 0", network))
            splits = prepare_data(load_config("c.yaml")).splits
            assert splits["test"].row_index.tolist() == validated[k - 1]

"""Index files: the test rows of published splits, from 0, one split per line."""

from pathlib import Path
from typing import Any

import pytest

from bptrain.data.prepared import ChangedDataError, KeptSchema
from bptrain.data.settings import DataSettings, IndexFile, RowSplit
from data.helpers import CROSS, prepared, problems, whole, write

ROWS = 20
TABLE = "who,x,y\n" + "".join(f"s{k // 4},{k},{'ab'[k % 2]}\n" for k in range(ROWS))


def settings(folder: Path, index: str, line: int | None = None, by: Any = "", **options: Any) -> DataSettings:
    path = folder / "test_indices.txt"
    path.write_text(index)
    split = RowSplit(by, "who" if by else "", IndexFile(path, line))
    return whole(write(folder, TABLE), split=split, **{"validation_share": 0.25} | options)


@pytest.mark.parametrize(
    ("index", "line", "rows"),
    [
        ("3 1 4\n15 9\n", 1, [1, 3, 4]),
        ("3 1 4\n15, 9,2\n", 2, [2, 9, 15]),
        ("3\t1;4\n", None, [1, 3, 4]),
        ("\n3 1 4\n\n", None, [1, 3, 4]),
        ("7.000000000000000000e+00\n1.200000000000000000e+01\n", None, [7, 12]),  # numpy.savetxt: one split
        ("7\n12\n", 2, [12]),
        ("\ufeff0 19\r\n", 1, [0, 19]),
    ],
)
def test_the_test_rows_of_a_line(tmp_path: Path, index: str, line: int | None, rows: list[int]) -> None:
    p = prepared(settings(tmp_path, index, line), CROSS)
    assert p.splits["test"].row_index.tolist() == rows
    rest = [*p.splits["train"].row_index.tolist(), *p.splits["validation"].row_index.tolist()]
    assert sorted([*rest, *rows]) == [*range(ROWS)]
    assert len(p.splits["validation"].X) == round(0.25 * (ROWS - len(rows)))
    of = f", line {line}" if line else ""
    assert (
        p.how_split
        == f"test rows from test_indices.txt{of}; validation at random, in proportion to the classes"
    )


@pytest.mark.parametrize(
    ("index", "line", "where", "words"),
    [
        ("0 1\n2 20 3\n", 2, (2, 3), "there is no row 20: the table has 20 rows, from 0 to 19"),
        ("0 1 7 1\n", 1, (1, 7), "row 1 is here a second time, after line 1, column 3"),
        ("5\n6\n5.0\n", None, (3, 1), "row 5 is here a second time, after line 1, column 1"),
        ("0 -1\n", 1, (1, 3), "'-1' is no number of a row"),
        ("0 1.5\n", 1, (1, 3), "'1.5' is no number of a row"),
        ("row 1\n", 1, (1, 1), "'row' is no number of a row"),
        ("1 nan\n", 1, (1, 3), "'nan' is no number of a row"),
        ("1 1e300\n", 1, (1, 3), "'1e300' is no number of a row"),
        ("0 1\n2 3\n", None, (None, None), "has 2 lines, each the test rows of one split: say which one, from 1 to 2"),
        ("0 1\n2 3\n", 3, (None, None), "has 2 lines, so there is no line 3"),
        ("0 1\n\n", 2, (None, None), "line 2 of"),
        (" \n", None, (None, None), "is empty: it must have the numbers of the test rows"),
    ],
)  # fmt: skip
def test_what_is_no_index(
    tmp_path: Path, index: str, line: int | None, where: tuple[int | None, int | None], words: str
) -> None:
    [problem] = problems(settings(tmp_path, index, line), CROSS)
    assert (problem.line, problem.column) == where
    assert words in problem.message
    assert problem.path.startswith("data.split.")


def test_without_the_file(tmp_path: Path) -> None:
    missing = whole(write(tmp_path, TABLE), split=RowSplit(test_rows=IndexFile(tmp_path / "none.txt")))
    [problem] = problems(missing, CROSS)
    assert (problem.code, problem.path) == ("file_not_found", "data.split.index")


def test_dropped_rows_keep_their_numbers(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "1 5\n", 1, missing="drop")
    write(tmp_path, TABLE.replace("s0,1,b", "s0,,b").replace("s0,3,b", "s0,,b"))
    p = prepared(chosen, CROSS)
    assert p.splits["test"].row_index.tolist() == [5]
    write(tmp_path, TABLE.replace("s0,1,b", "s0,,b").replace("s1,5,b", "s1,,b"))
    p = prepared(chosen, CROSS)
    assert "test" not in p.splits
    assert (
        "small_split",
        "there is no test set: every row that test_indices.txt names is left out",
    ) in p.warnings


def test_validation_by_groups(tmp_path: Path) -> None:
    p = prepared(settings(tmp_path, "0 1 2 3\n", 1, "group"), CROSS)
    groups = {name: {row // 4 for row in rows.row_index.tolist()} for name, rows in p.splits.items()}
    assert groups["test"] == {0}
    assert len(groups["validation"]) == 1
    assert not groups["train"] & groups["validation"]
    [problem] = problems(settings(tmp_path, "0 1 2 4\n", 1, "group"), CROSS)
    assert problem.code == "torn_group"
    assert "some rows of 2 groups and leaves others to train, such as who 's0'" in problem.message


def test_it_is_as_if_the_rows_were_in_files(tmp_path: Path) -> None:
    """The same validation rows are drawn, and so the same matrices come out, as for files made of the two sets."""
    head, *lines = TABLE.splitlines()
    test = [3, 4, 11, 16]
    p = prepared(settings(tmp_path, " ".join(map(str, test)), 1), CROSS, seed=5)
    parts = [[line for k, line in enumerate(lines) if (k in test) == wanted] for wanted in (False, True)]
    train, of_test = (write(tmp_path, "\n".join([head, *part]) + "\n", f"{len(part)}.csv") for part in parts)
    files = prepared(whole(train, test=of_test, validation_share=0.25), CROSS, seed=5)
    for name, rows in files.splits.items():
        assert rows.X.tobytes() == p.splits[name].X.tobytes()
        assert rows.T.tobytes() == p.splits[name].T.tobytes()


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "0 1\n", 1)
    p = prepared(chosen, CROSS)
    assert list(p.digest) == ["train", "split_index"]
    kept = KeptSchema(p.schema, p.digest)
    again = prepared(chosen, CROSS, kept_schema=kept)
    assert {name: rows.row_index.tolist() for name, rows in again.splits.items()} == {
        name: rows.row_index.tolist() for name, rows in p.splits.items()
    }
    settings(tmp_path, "0 2\n", 1)
    with pytest.raises(ChangedDataError):
        prepared(chosen, CROSS, kept_schema=kept)


def test_all_rows_are_test_rows(tmp_path: Path) -> None:
    for group in (None, "who"):
        [problem] = problems(settings(tmp_path, " ".join(map(str, range(ROWS))), 1, group), CROSS)
        assert problem.code == "no_training_rows"
        assert problem.message.endswith(f"of {ROWS} rows, 0 are for validation and {ROWS} for testing")

"""Doubtful data is named, and ordinary data is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.cell_counts import LINES, bounded
from bptrain.data.schema import Schema
from bptrain.data.settings import NetworkFacts, RowSplit
from bptrain.data.sources import FileSource
from bptrain.errors import Warned
from data.helpers import BINARY, CROSS, SQUARED, prepared, whole, write

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=(400, 6)).round(3)


def lines(n: int, of: Callable[[int], object]) -> str:
    """n lines of a file."""
    return "".join(f"{of(k)}\n" for k in range(n))


def yes(k: int) -> str:
    return "no" if k % 2 else "yes"


def told(
    folder: Path, text: str, facts: NetworkFacts = CROSS, target: Any = "y", **options: Any
) -> dict[str, str]:
    """The warnings about a file by name, with validation and test rows."""
    chosen = {"validation_share": 0.2, "test_share": 0.2} | options
    found = prepared(whole(write(folder, text), target, **chosen), facts).warnings
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


# --- identical rows ---------------------------------------------------------------------------------------------------

COPIES = {  # C32 and siblings: 3 rows 100 times over; one half of the rows once more; 20 rows 10 times, all categories
    "three rows": "a,b,y\n" + lines(300, lambda k: ("5.1,3.5,no", "4.9,3.0,yes", "4.7,3.2,no")[k % 3]),
    "twice": "a,b,c,y\n" + lines(300, lambda k: f"{','.join(map(str, NOISE[k % 150, :3]))},{yes(k % 150)}"),
    "texts": "a,b,y\n" + lines(300, lambda k: f"p{k % 30},q{k % 30},{yes(k % 30)}"),
}


@pytest.mark.parametrize("name", COPIES)
def test_rows_that_are_copied_over_the_splits(name: str, tmp_path: Path) -> None:
    said = told(tmp_path, COPIES[name])["identical_rows"]
    assert "of 60 validation rows" in said
    assert "of 60 test rows are training rows as well" in said
    if name == "three rows":
        assert said.startswith("60 of 60 validation rows and 60 of 60 test rows")


@pytest.mark.parametrize(
    "text",
    [
        "a,b,c,y\n" + lines(300, lambda k: f"{','.join(map(str, NOISE[k, :3]))},{yes(k)}"),
        # answers of yes and no: many alike are to be expected
        "a,b,c,y\n" + lines(300, lambda k: f"{k % 2},{k // 2 % 2},{k // 4 % 3},{yes(k // 8)}"),
        # the same inputs with another target are no copies
        "a,b,c,y\n" + lines(300, lambda k: f"{','.join(map(str, NOISE[k % 150, :3]))},{yes(k // 150)}"),
    ],
)
def test_rows_that_are_no_copies(text: str, tmp_path: Path) -> None:
    assert "identical_rows" not in told(tmp_path, text)


def test_copies_and_groups(tmp_path: Path) -> None:
    """By a column that copies share they stay together; another one leaves them apart, which is said."""
    text = "of,room,a,b,c,y\n"
    text += lines(
        300, lambda k: f"{k % 150},{k // 10},{','.join(map(str, NOISE[k % 150, :3]))},{yes(k % 150)}"
    )
    assert "data.split: {group: COLUMN}" in told(tmp_path, text, exclude=("of", "room"))["identical_rows"]
    assert "identical_rows" not in told(tmp_path, text, exclude=("room",), split=RowSplit("group", "of"))
    said = told(tmp_path, text, exclude=("of",), split=RowSplit("group", "room"))["identical_rows"]
    assert said.endswith("remove the copies, or split by a column that they share, which room is not")


def test_wide_rows_are_compared_in_all_columns(tmp_path: Path) -> None:
    """The first columns agree, and then some; only in the first 150 rows are the last ones copies too."""
    same = ",".join(["1.5"] * 12)
    text = f"{','.join(f'c{k}' for k in range(15))},y\n"
    text += lines(300, lambda k: f"{same},{','.join(map(str, NOISE[k % 150, :3]))},{yes(k % 150)}")
    assert "identical_rows" in told(tmp_path, text)
    text = f"{','.join(f'c{k}' for k in range(15))},y\n"
    text += lines(300, lambda k: f"{same},{','.join(map(str, NOISE[k, :3]))},{yes(k)}")
    assert "identical_rows" not in told(tmp_path, text)


def test_a_test_file_that_is_the_training_file(tmp_path: Path) -> None:
    text = "a,b,y\n" + lines(100, lambda k: f"{NOISE[k, 0]},{NOISE[k, 1]},{yes(k)}")
    source, copy = write(tmp_path, text), write(tmp_path, text, "copy.csv")
    for test in (source, copy):
        found = dict(prepared(whole(source, test=test), CROSS).warnings)
        assert found["same_file"].startswith("test is the training file")
        assert "identical_rows" not in found
    other = write(tmp_path, text + "9,9,no\n", "other.csv")
    found = dict(prepared(whole(source, test=other, validation=source), CROSS).warnings)
    assert found["same_file"].startswith("validation is the training file")
    assert found["identical_rows"].startswith("100 of 101 test rows are training rows")


def test_one_npz_to_train_and_to_test(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    X, y = NOISE[:, :3], np.arange(400) % 2
    np.savez(path, X=X, y=y, X_test=X[:9], y_test=y[:9])
    found = dict(prepared(whole(FileSource(path), None, test=FileSource(path)), CROSS).warnings)
    assert "save other arrays to a file of their own" in found["same_file"]


# --- the target among the inputs --------------------------------------------------------------------------------------

WAGE = np.exp(RNG.normal(2, 0.5, 300)).round(2)


def A(k: int) -> int:
    return k % 17


def B(k: int) -> int:
    return k * 7 % 23


def C(k: int) -> int:
    return k % 5


LEAKS: dict[str, tuple[str, Callable[[int], str], str]] = {  # C33 and siblings
    "equal": ("x,z,y", lambda k: f"{NOISE[k, 0]},{NOISE[k, 1]},{NOISE[k, 0]}", "x is equal to y"),
    "cents": ("x,z,y", lambda k: f"{100 * WAGE[k]:.0f},{k % 7},{WAGE[k]}", "x gives y by a straight"),
    "logwage": ("x,z,y", lambda k: f"{np.log(WAGE[k]):.4f},{k % 7},{WAGE[k]}", "x is the logarithm of y"),
    "exponent": ("x,z,y", lambda k: f"{WAGE[k]},{k % 7},{np.log(WAGE[k]):.4f}", "x has y as its log"),
    "sum": ("a,b,c,y", lambda k: f"{A(k)},{B(k)},{C(k)},{A(k) + B(k)}", "a + b = y"),
    "difference": ("a,b,c,y", lambda k: f"{A(k)},{B(k)},{C(k)},{B(k) - C(k)}", "b − c = y"),
    "three": ("a,b,c,y", lambda k: f"{A(k)},{B(k)},{C(k)},{A(k) + B(k) - C(k)}", "a + b − c = y"),
    "gaps": ("x,z,y", lambda k: f"{NOISE[k, 0] if k % 9 else ''},{k % 7},{NOISE[k, 0]}", "x is equal to y"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_inputs_that_are_the_target(name: str, tmp_path: Path) -> None:
    header, row, sentence = LEAKS[name]
    text = f"{header}\n" + lines(300, row)
    assert sentence in told(tmp_path, text, SQUARED, missing="median")["target_in_inputs"]


@pytest.mark.parametrize(
    "text",
    [
        # a curve has one input, which may be a straight line
        "x,y\n" + lines(100, lambda k: f"{k},{3 * k + 1}"),
        # noise of a hundredth is enough
        "x,z,y\n" + lines(300, lambda k: f"{NOISE[k, 0] + NOISE[k, 1] / 100},{NOISE[k, 2]},{NOISE[k, 0]}"),
        # two values are often equal
        "x,z,y\n" + lines(300, lambda k: f"{k % 2},{NOISE[k, 2]},{k % 2}"),
        "a,b,c,y\n" + lines(300, lambda k: f"{k % 17},{k * 7 % 23},{k % 5},{2 * (k % 17) + k * 7 % 23}"),
    ],
)
def test_inputs_that_are_not_the_target(text: str, tmp_path: Path) -> None:
    assert "target_in_inputs" not in told(tmp_path, text, SQUARED)


def test_a_column_with_a_value_for_each_class(tmp_path: Path) -> None:
    """`alive` beside `survived`; and whole numbers beside three names."""
    text = "a,alive,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{'AB'[k % 2]},{yes(k)}")
    assert "column alive has a value for each class of y" in told(tmp_path, text, BINARY)["target_in_inputs"]
    text = "a,code,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{k % 3 + 5},{'uvw'[k % 3]}")
    assert "column code has a value" in told(tmp_path, text)["target_in_inputs"]
    text = "a,code,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{k % 3 if k else 1},{'uvw'[k % 3]}")
    assert "target_in_inputs" not in told(tmp_path, text)  # but for one row


# --- identifiers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["customer_id", "ID", "RowNumber", "patientId", "row"])
def test_an_input_that_identifies_the_rows(name: str, tmp_path: Path) -> None:
    name = {"RowNumber": "row_number"}.get(name, name)
    text = f"{name},a,y\n" + lines(200, lambda k: f"{k * 37 % 1009},{NOISE[k, 0]},{yes(k)}")
    assert f"column {name} has another whole number in every row" in told(tmp_path, text)["identifier_input"]


@pytest.mark.parametrize("name", ["acid", "width", "paid"])
def test_inputs_that_do_not(name: str, tmp_path: Path) -> None:
    text = f"{name},a,y\n" + lines(200, lambda k: f"{k * 37 % 1009},{NOISE[k, 0]},{yes(k)}")
    assert "identifier_input" not in told(tmp_path, text)


def test_groups_that_are_spread_over_the_splits(tmp_path: Path) -> None:
    for name in ("patient", "subject_id", "user"):
        text = f"{name},a,y\n" + lines(300, lambda k: f"{k // 6},{NOISE[k, 0]},{yes(k)}")
        said = told(tmp_path, text)["group_in_splits"]
        assert f"rows with the same {name} (" in said
        assert f"data.split: {{group: {name}}}" in said
        by_group = RowSplit("group", name)
        assert "group_in_splits" not in told(tmp_path, text, split=by_group, features=(name, "a"))
        assert "group_in_splits" not in told(tmp_path, text, shuffle=False)  # whole groups, as they stand
    text = "households,citric_acid,y\n" + lines(300, lambda k: f"{k // 6},{k // 5},{yes(k)}")
    assert "group_in_splits" not in told(tmp_path, text)


# --- sentinels --------------------------------------------------------------------------------------------------------

SENTINELS: dict[str, Callable[[int], object]] = {  # C34 and siblings
    "-9999": lambda k: -9999 if k % 9 == 0 else 20 + k % 11,
    "999": lambda k: 999 if k % 4 else k % 28,
    "1e39": lambda k: "1e39" if k == 17 else round(20 + NOISE[k, 0], 2),
    "1e20": lambda k: "1e20" if k % 50 == 0 else round(20 + NOISE[k, 0], 2),
    "99": lambda k: 99 if k % 30 == 0 else 18 + k % 13,
    "-32768": lambda k: -32768 if k % 20 == 0 else k,
}  # fmt: skip
SHOWN = {"1e39": "1e+39", "1e20": "1e+20"}


@pytest.mark.parametrize("value", SENTINELS)
def test_sentinels(value: str, tmp_path: Path) -> None:
    text = "t,z,y\n" + lines(300, lambda k: f"{SENTINELS[value](k)},{NOISE[k, 1]},{yes(k)}")
    said = told(tmp_path, text)["sentinel"]
    assert said.startswith(f"t is {SHOWN.get(value, value)} in ")
    assert f"missing_markers: [default, '{SHOWN.get(value, value)}']" in said


def test_a_sentinel_in_the_target_and_at_both_ends(tmp_path: Path) -> None:
    text = "x,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{-999 if k % 20 == 0 else k % 37}")
    assert told(tmp_path, text, SQUARED)["sentinel"].startswith("y is -999 in ")
    text = "t,z,y\n" + lines(300, lambda k: f"{(-9999, 9999)[k % 2] if k % 9 == 0 else k % 11},1,{yes(k)}")
    said = told(tmp_path, text)["sentinel"]
    assert "t is 9999 in" in said
    assert "t is -9999 in" in said


@pytest.mark.parametrize(
    "of",
    [
        lambda k: k % 100,  # up to 99
        lambda k: round(float(np.exp(2 * NOISE[k, 0])), 3),  # a long tail
        lambda k: k % 2,
        lambda k: 0 if k else 5,
        lambda k: 900 + k % 100,  # up to 999
        lambda k: 1.5e20 + k * 1e18,
    ],
)
def test_numbers_that_are_none(of: Callable[[int], object], tmp_path: Path) -> None:
    assert "sentinel" not in told(
        tmp_path, "t,z,y\n" + lines(300, lambda k: f"{of(k)},{NOISE[k, 1]},{yes(k)}")
    )


# --- levels, labels, totals -------------------------------------------------------------------------------------------


def categories(levels: tuple[str, ...]) -> str:
    return lines(300, lambda k: f"{levels[k % 3]},{NOISE[k, 0]},{yes(k)}")


def test_spellings_that_are_nearly_alike(tmp_path: Path) -> None:
    """F7, in inputs and labels."""
    for levels, said in (
        (("Red", "red", "blue"), "c: Red = red"),
        (("New York", "new-york", "NEW_YORK"), "c: NEW_YORK = New York = new-york"),
        (("Straße", "STRASSE", "Weg"), "c: STRASSE = Straße"),
    ):
        text = "c,a,y\n" + categories(levels)
        assert said in told(tmp_path, text)["similar_levels"]
    text = "a,b,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{NOISE[k, 1]},{('Yes', 'yes', 'no')[k % 3]}")
    assert "y: Yes = yes" in told(tmp_path, text)["similar_levels"]
    for other in (("<=50K", ">50K", "A+"), ("A", "A-", "B"), ("a1", "a2", "a 1b")):
        text = "c,a,y\n" + categories(other)
        assert "similar_levels" not in told(tmp_path, text)


def test_classes_with_decimals(tmp_path: Path) -> None:
    text = "a,b,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{NOISE[k, 1]},{k % 4 + 0.5}")
    assert "numbers with decimals (0.5, 1.5, 2.5, 3.5)" in told(tmp_path, text)["decimal_labels"]
    text = "a,b,y\n" + lines(300, lambda k: f"{NOISE[k, 0]},{NOISE[k, 1]},{k % 4}.0")
    assert "decimal_labels" not in told(tmp_path, text)


def totals(n: int, last: str) -> str:
    a, b = [k * 7 % 19 + 1 for k in range(n)], [k * 5 % 23 + 1 for k in range(n)]
    return (
        "c,a,b,y\n"
        + lines(n, lambda k: f"p{k % 3},{a[k]},{b[k]},{yes(k)}")
        + f"{last},{sum(a)},{sum(b)},no\n"
    )


def test_a_row_of_totals(tmp_path: Path) -> None:
    keep: dict[str, Any] = {"validation_share": 0.0, "test_share": 0.0}
    for last in ("Total", "sum", "p1"):
        said = told(tmp_path, totals(50, last), **keep)["total_row"]
        assert "line 52 of" in said
        assert "delete that line" in said
    rows = totals(50, "p1").splitlines()
    plain = "\n".join([*rows[:-1], "p1,400,300,no", ""])
    assert "total_row" not in told(tmp_path, plain, **keep)
    words = "\n".join([*rows[:-1], "Total,3,4,no", "p1,5,5,yes", ""])
    assert "total_row" not in told(tmp_path, words, **keep)  # a word in the middle is a category


def test_constant_columns_are_one_line(tmp_path: Path) -> None:
    """F4: of a wide file."""
    names = ",".join(f"x{k}" for k in range(430))
    row = ",".join(["0"] * 428)
    text = f"{names},y\n" + lines(60, lambda k: f"{row},{NOISE[k, 0]},{NOISE[k, 1]},{yes(k)}")
    said = told(tmp_path, text)["constant_columns"]
    assert said.startswith("428 columns are constant in the training rows: x0, x1, x2")
    assert len(said) < 250
    text = "c,a,y\n" + lines(60, lambda k: f"here,{NOISE[k, 0]},{yes(k)}")
    assert told(tmp_path, text)["constant_columns"].startswith(
        "1 column is constant in the training rows: c;"
    )


def test_too_few_rows_for_the_other_sets(tmp_path: Path) -> None:
    """F6: 2 or 3 rows."""
    for n in (2, 3):
        found = prepared(
            whole(
                write(tmp_path, "x,y\n" + lines(n, lambda k: f"{k},{k * k}")),
                validation_share=0.15,
                test_share=0.15,
            )
        ).warnings
        assert [name for name, _ in found] == ["small_split"] * 2
        assert f"there is no test set: 0.15 of {n} rows makes none" in found[1].message
    assert prepared(whole(write(tmp_path, "x,y\n1,1\n2,4\n"))).warnings == ()  # nobody asked for more sets


# --- what happens to cells --------------------------------------------------------------------------------------------


def test_cells_that_are_filled_in_and_rows_that_go(tmp_path: Path) -> None:
    text = "a,c,y\n" + lines(
        40, lambda k: f"{'' if k % 10 == 0 else k},{'' if k % 20 == 0 else 'pq'[k % 2]},{yes(k)}"
    )
    filled = prepared(whole(write(tmp_path, text), missing="median"), CROSS)
    (note,) = [note for note in filled.notes if note.startswith("missing: ")]
    assert note.endswith("data.csv filled in: a 4 (20), c 2 (q)")
    assert note.startswith("missing: 6 cells of ")
    dropped = prepared(whole(write(tmp_path, text), missing="drop"), CROSS)
    (note,) = [note for note in dropped.notes if note.startswith("missing: ")]
    assert note.startswith("missing: 4 of 40 rows dropped from")
    assert note.endswith("no value in a 4, c 2")


def test_a_wide_file_has_few_lines(tmp_path: Path) -> None:
    names = [f"c{k}" for k in range(60)]
    text = f"{','.join(names)},y\n" + lines(
        30, lambda k: ",".join(["" if k == 3 else "1", *([str(k)] * 59)]) + f",{yes(k)}"
    )
    text = text.replace("3,3,3", ",,", 1)
    p = prepared(whole(write(tmp_path, text), missing="median"), CROSS)
    assert max(len(note) for note in p.notes) < 400
    many = [Warned("unseen_category", f"column c{k}") for k in range(60)]
    few = bounded([*many, Warned("small_split", "x")])
    assert len(few) == LINES + 1
    assert few[LINES - 1].message == "column c4; and 55 more warnings like this"
    assert bounded(many[:LINES]) == tuple(many[:LINES])


def test_the_work_grows_with_the_columns_and_not_with_their_square(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which features are amounts is worked out a few times per file, and not once per column."""
    asked = []
    numeric = vars(Schema)["numeric"].fget

    def counted(schema: Schema) -> frozenset[str]:
        asked.append(1)
        found: frozenset[str] = numeric(schema)
        return found

    monkeypatch.setattr(Schema, "numeric", property(counted))
    row = RNG.normal(size=(60, 40)).round(3)
    head = ",".join(f"c{k}" for k in range(40))
    told(tmp_path, f"{head},y\n" + lines(60, lambda k: f"{','.join(map(str, row[k]))},{k}"), SQUARED)
    assert 0 < len(asked) < 10

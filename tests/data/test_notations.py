"""Numbers that are not written plainly: recognized where it cannot be wrong, told, or else asked with both keys."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.prepare import encode_columns, encode_file
from bptrain.errors import DataError
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import UndeclaredConvention
from data.helpers import SQUARED, prepared, problems, whole, write

C3 = "a,y\n" + "".join(f'{i % 11},"{i % 13},5"\n' for i in range(26))
C4 = "a,y\n" + "".join(f'{i % 11},"${1005.5 + i:,.2f}"\n' for i in range(26))


def table(*cells: str, other: str = "{k}") -> str:
    """A column x of these cells, and a column b."""
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    return "x,b,y\n" + "".join(f"{cell},{other.format(k=k)},{k}\n" for k, cell in enumerate(quoted))


# cells of x, what they are, what is told of them
RECOGNIZED = [
    (("5,5", "3,25"), [5.5, 3.25], '"5,5" is 5.5 in x (the decimal mark ","; data.decimal: ",")'),
    (("1.234,5", "1.234"), [1234.5, 1234], '"1.234,5" is 1234.5 in x (the decimal mark ","'),
    (("1,234,567", "12,000", "999"), [1234567, 12000, 999], 'data.thousands: ",")'),
    (("1,234.5", "2,000"), [1234.5, 2000], 'data.thousands: ",")'),
    (("1 234", "12 345", "7"), [1234, 12345, 7], 'data.thousands: " ")'),
    (("1'234", "7"), [1234, 7], 'data.thousands: "\'")'),
    (("$1,005.50", "$3.00"), [1005.5, 3], '"$1,005.50" is 1005.5 in x (the sign $'),
    (("5 €", "1.234,50 €"), [5, 1234.5], 'the decimal mark "," and the sign €'),
    (("5%", "7 %"), [5, 7], '"5%" is 5 in x (the sign %; data.columns: {x: numeric})'),
]


@pytest.mark.parametrize(("cells", "numbers", "told"), RECOGNIZED)
def test_what_cannot_be_wrong_is_read_and_told(
    cells: tuple[str, ...], numbers: list[float], told: str, tmp_path: Path
) -> None:
    p = prepared(whole(write(tmp_path, table(*cells)), features=("x",)))
    assert p.splits["train"].X[:, 0].tolist() == numbers
    [note] = [note for note in p.notes if note.startswith("numbers: ")]
    assert told in note
    later = write(tmp_path, table(cells[0]), "later.csv")
    rows, _ = encode_file(later, p.schema, np.float64)
    assert rows.X.tolist() == [numbers[:1]]
    for door in ({"x": list(cells)}, [[cell] for cell in cells], {"x": numbers}, np.array(numbers)[:, None]):
        assert encode_columns(door, p.schema, np.float64)[:, 0].tolist() == numbers


@pytest.mark.parametrize("cells", [("−5", "3"), ("0.5D+02", "3"), ("1_000", "3")])
def test_what_nobody_can_mistake_is_not_even_told(cells: tuple[str, ...], tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table(*cells)), features=("x",)))
    assert p.schema.features[0].kind == "numeric"
    assert not [note for note in p.notes if note.startswith("numbers")]


@pytest.mark.parametrize("cells", [("1,234", "5,678"), ("999", "5,678", "12,000"), ("$1,005", "$3")])
def test_two_readings_stop_with_both_keys(cells: tuple[str, ...], tmp_path: Path) -> None:
    source = write(tmp_path, table(*cells))
    with pytest.raises(UndeclaredConvention) as caught:
        prepared(whole(source))
    [problem] = caught.value.problems
    assert caught.value.exit_code == 3
    assert (caught.value.field, caught.value.value) == ("thousands", ",")
    assert 'data.thousands: ","' in problem.message
    assert 'data.decimal: ","' in problem.message
    assert problem.line in (2, 3)  # of the first such cell
    first = prepared(whole(source, conventions=Conventions(thousands=","))).splits["train"].X[:, 0]
    second = prepared(whole(source, conventions=Conventions(decimal=","))).splits["train"].X[:, 0]
    assert first.max() >= 1000 > second.max()
    declared = prepared(whole(source, columns={"x": "categorical"}))
    assert declared.schema.features[0].categories == tuple(sorted(cells))


def test_what_is_not_used_is_not_asked_about(tmp_path: Path) -> None:
    source = write(tmp_path, table("1,234", "5,678"))
    assert len(prepared(whole(source, exclude=("x",))).schema.features) == 1


@pytest.mark.parametrize(
    ("cells", "other", "numbers"),
    [
        (("1,234", "5,678"), "0.{k}5", [1234, 5678]),
        (("1,234", "5,678"), '"0,{k}5"', [1.234, 5.678]),
        (("1.234", "5.678"), '"0,{k}5"', [1234, 5678]),
        (("1.234", "5.678"), "0.{k}5", [1.234, 5.678]),
        (("1.234", "0.5"), '"0,{k}5"', [1.234, 0.5]),
    ],
)
def test_other_columns_decide(
    cells: tuple[str, ...], other: str, numbers: list[float], tmp_path: Path
) -> None:
    p = prepared(whole(write(tmp_path, table(*cells, other=other))))
    assert p.splits["train"].X[:, 0].tolist() == numbers


MIXED = [
    (("$5", "3", "7"), "'3' is without the $ of other cells", {"numeric", "categorical"}),
    (("5%", "0.05", "7%"), "'0.05' is without the % of other cells", {"categorical"}),
    (("€5", "$3", "€7"), "'$3' and '€5' stand for different things", {"categorical"}),
]


@pytest.mark.parametrize(("cells", "words", "ways"), MIXED)
def test_signs_beside_some_numbers(
    cells: tuple[str, ...], words: str, ways: set[str], tmp_path: Path
) -> None:
    source = write(tmp_path, table(*cells))
    [problem] = problems(whole(source))
    assert (problem.code, words in problem.message) == ("doubtful_numbers", True)
    for kind in ("numeric", "categorical"):
        settings = whole(source, columns={"x": kind})
        if kind in ways:
            assert prepared(settings).schema.features[0].kind == kind
        else:
            assert problems(settings)


def test_a_declared_mark_holds_for_all_columns(tmp_path: Path) -> None:
    source = write(tmp_path, table("0.5", "1.5", other='"1,{k}"'))
    [problem] = problems(whole(source, conventions=Conventions(decimal=",")))
    assert problem.line == 2
    assert "'0.5' is no number with the decimal mark" in problem.message
    whole_numbers = write(tmp_path, table("1.234", "5"))
    p = prepared(whole(whole_numbers, conventions=Conventions(decimal=",")))
    assert p.splits["train"].X[:, 0].tolist() == [1234, 5]
    assert not [note for note in p.notes if note.startswith("numbers")]  # since the config says it
    rows, _ = encode_file(write(tmp_path, 'x,b,y\n5,"0,5",1\n', "later.csv"), p.schema, np.float64)
    assert rows.X.tolist() == [[5, 0.5]]  # b was whole numbers in the training file


def test_a_later_file_is_read_as_the_training_file_was(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table("5,5", "3,25"))))
    rows, _ = encode_file(write(tmp_path, table("1,234", "7"), "later.csv"), p.schema, np.float64)
    assert rows.X[:, 0].tolist() == [1.234, 7]
    with pytest.raises(DataError, match=r"later.csv:2: error: column x is numeric, but here it is '5.5'"):
        encode_file(write(tmp_path, table("5.5", "7"), "later.csv"), p.schema, np.float64)
    plain = prepared(whole(write(tmp_path, table("5.5", "3"))))
    with pytest.raises(DataError, match=r"later.csv:2: error: column x is numeric, but here it is '5,5'"):
        encode_file(write(tmp_path, table("5,5", "7"), "later.csv"), plain.schema, np.float64)


@pytest.mark.parametrize(("text", "low", "high"), [(C3, 0.5, 12.5), (C4, 1005.5, 1030.5)])
def test_a_target_of_such_numbers_is_one_of_values(
    text: str, low: float, high: float, tmp_path: Path
) -> None:
    p = prepared(whole(write(tmp_path, text)), SQUARED)
    assert (p.schema.task, p.splits["train"].y_true.min(), p.splits["train"].y_true.max()) == (
        "regression",
        low,
        high,
    )
    rows, _ = encode_file(
        write(tmp_path, text[:40].rpartition("\n")[0] + "\n", "l.csv"), p.schema, np.float64
    )
    np.testing.assert_array_equal(rows.y_true, p.splits["train"].y_true[: len(rows.y_true)])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("1.234,5", "1,234.5", "7"), "without , . $ € £ ¥ % and blanks its cells are numbers"),
        (("1,23,4", "5 5", "7"), "without , . $ € £ ¥ % and blanks its cells are numbers"),
        (("low", "high", "7"), "take a loss for classes such as cross_entropy, or set task: classification"),
    ],
)
def test_a_target_of_texts_is_none_for_values(cells: tuple[str, ...], words: str, tmp_path: Path) -> None:
    options: dict[str, Any]
    source = write(tmp_path, table(*cells))
    for options, path in (({}, "loss"), ({"task": "regression"}, "task")):
        [problem] = problems(whole(source, "x", **options))
        assert (problem.code, problem.path) == ("text_target", path)
        assert words in problem.message
    assert prepared(whole(source, "x", task="classification")).schema.task == "classification"

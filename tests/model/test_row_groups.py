"""Rows grouped by a column: which groups there are, and what is said of each."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.commands.eval import evaluate_model
from bptrain.data.schema import Schema
from bptrain.data.targets import Target
from bptrain.errors import DataError
from bptrain.model.row_groups import groups_of, selection_rates
from bptrain.parts.types import Array
from command import bptrain


def texts(*cells: str | None) -> Array:
    column = np.empty(len(cells), object)
    column[:] = cells
    return column


def found(column: Array) -> dict[Any, list[int]]:
    return {group.value: group.rows.tolist() for group in groups_of(column, "c")}


def test_texts_in_their_order_and_missing_cells_last() -> None:
    assert found(texts("b", None, "a", "b")) == {"a": [2], "b": [0, 3], None: [1]}


def test_few_numbers_are_groups_and_many_are_quarters() -> None:
    assert found(np.array([2.0, np.nan, 1.0, 2.0])) == {1.0: [2], 2.0: [0, 3], None: [1]}
    quarters = found(np.arange(40.0)[::-1])
    assert [*quarters] == ["0 to 9", "10 to 19", "20 to 29", "30 to 39"]
    assert [len(rows) for rows in quarters.values()] == [10, 10, 10, 10]
    assert quarters["0 to 9"] == [*range(30, 40)]


def test_a_quarter_without_rows_is_none() -> None:
    """Most rows are 0, so that three quartiles are equal."""
    column = np.append(np.zeros(100), np.arange(1.0, 30.0))
    parts = found(column)
    assert sum(map(len, parts.values())) == len(column)
    assert [*parts] == ["0", "1 to 29"]


def test_too_many_texts() -> None:
    with pytest.raises(DataError, match="c has 101 different values, and there can be at most 100 groups"):
        groups_of(texts(*map(str, range(101))), "c")


def test_selection_rates() -> None:
    """Shares of the rows by what they weigh; of separate answers, of a yes."""
    known = Schema("classification", (), Target(("y",), "classes", ("a", "b", "c")))
    predicted = np.array([0, 1, 1, 1])
    assert selection_rates(known, predicted, None) == {"a": 0.25, "b": 0.75, "c": 0.0}
    assert selection_rates(known, predicted, np.array([3.0, 1.0, 1.0, 1.0])) == {"a": 0.5, "b": 0.5, "c": 0.0}
    answers = Schema("classification", (), Target(("p", "q"), "multilabel", ("p", "q")))
    assert selection_rates(answers, np.array([[1, 0], [1, 1]]), None) == {"p": 1.0, "q": 0.5}
    assert selection_rates(Schema("regression", (), Target(("y",), "values")), predicted, None) is None


@pytest.fixture
def people(workplace: Path) -> Path:
    """A run on rows with a town and an age that it does not read."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60).round(3)
    town = rng.choice(["Rome", "Oslo", ""], 60)
    lines = [
        f"{a},{t},{20 + k % 30},{'yes' if a + 0.3 * b > 0 else 'no'}"
        for k, (a, t, b) in enumerate(zip(x, town, rng.normal(size=60), strict=True))
    ]
    (workplace / "people.csv").write_text("x,town,age,answer\n" + "\n".join(lines) + "\n")
    (workplace / "people.yaml").write_text(
        "data: {train: people.csv, target: answer, exclude: [town, age], split: {test: 0.4}}\n"
        "network: {sizes: [1, 4, 2]}\nloss: cross_entropy\ntraining: {epochs: 20}\n"
    )
    assert bptrain("fit", "people.yaml", "--out", "run").code == 0
    return workplace


@pytest.mark.parametrize("of", [["run"], ["run", "--data", "people.csv"]])
def test_by_a_column_that_the_model_does_not_read(people: Path, of: list[str]) -> None:
    """The groups are the rows of the evaluated set; each has the figures of a file of its rows alone."""
    record = bptrain("eval", *of, "--by", "town", "--json").json
    assert record["by"]["column"] == "town"
    groups = record["by"]["groups"]
    assert [group["value"] for group in groups] == ["Oslo", "Rome", None]
    assert sum(group["rows"] for group in groups) == record["rows"]
    right = sum(group["rows"] * group["metrics"]["accuracy"] for group in groups)
    assert right / record["rows"] == pytest.approx(record["metrics"]["accuracy"])
    loss = sum(group["rows"] * group["loss"] for group in groups) / record["rows"]
    assert loss == pytest.approx(record["loss"])
    for group in groups:
        assert sum(group["selection_rate"].values()) == pytest.approx(1.0)
        assert group["intervals"]["accuracy"][0] < group["metrics"]["accuracy"]
    if "--data" in of:
        header, *lines = (people / "people.csv").read_text().splitlines()
        oslo = [line for line in lines if ",Oslo," in line]
        (people / "oslo.csv").write_text("\n".join([header, *oslo]) + "\n")
        alone = bptrain("eval", "run", "--data", "oslo.csv", "--json").json
        assert groups[0]["rows"] == alone["rows"] == len(oslo)
        assert groups[0]["metrics"] == alone["metrics"]
        assert groups[0]["intervals"] == alone["intervals"]
        predicted = np.sum(alone["confusion_matrix"], axis=0) / alone["rows"]
        assert [*groups[0]["selection_rate"].values()] == pytest.approx(predicted.tolist())


def test_the_table_of_groups(people: Path) -> None:
    shown = bptrain("eval", "run", "--by", "town").out.splitlines()
    title = "by town: 95 % intervals in brackets, and the share predicted as each class"
    assert shown[shown.index(title) + 1].split() == [
        "town", "rows", "loss", "accuracy", "predicted", "no", "predicted", "yes"
    ]  # fmt: skip
    assert [line.split()[0] for line in shown[shown.index(title) + 2 :]] == ["Oslo", "Rome", "(missing)"]


def test_numbers_inputs_and_the_target(people: Path) -> None:
    by_age = evaluate_model(Path("run"), data=[Path("people.csv")], by="age").by
    assert by_age is not None
    assert [group.value for group in by_age.groups] == ["20 to 27", "28 to 34", "35 to 42", "43 to 49"]
    by_target = evaluate_model(Path("run"), by="answer").by
    assert by_target is not None
    assert [group.value for group in by_target.groups] == ["no", "yes"]
    by_input = evaluate_model(Path("run"), by="x").by
    assert by_input is not None
    assert len(by_input.groups) == 4


def test_a_column_that_is_not_there(people: Path) -> None:
    outcome = bptrain("eval", "run", "--by", "twon")
    assert outcome.code == 3
    assert (
        "the column 'twon' is missing; the data has x, town, age, answer (did you mean town?)" in outcome.err
    )


def test_by_a_column_of_an_array(workplace: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(workplace / "rows.npz", X=rng.integers(0, 3, (30, 2)), y=rng.integers(0, 2, 30))
    (workplace / "rows.yaml").write_text(
        "data: {train: rows.npz}\nnetwork: {sizes: [2, 2]}\nloss: cross_entropy\ntraining: {epochs: 1}\n"
    )
    assert bptrain("fit", "rows.yaml", "--out", "run").code == 0
    for column, values in (("x2", {0.0, 1.0, 2.0}), ("y", {0.0, 1.0})):
        by = evaluate_model(Path("run"), data=[Path("rows.npz")], by=column).by
        assert by is not None
        assert {group.value for group in by.groups} == values
    assert bptrain("eval", "run", "--by", "x3").code == 3

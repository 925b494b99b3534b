"""`bptrain.fit` on rows in memory: the same validation, the same run, the same weights as from a file."""

import csv
import gc
import io
import json
import warnings
import weakref
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from bptrain.commands.fit.fit import fit_events
from bptrain.config.json_schema import schema_text
from bptrain.data.memory import sources_in_memory
from bptrain.errors import BptrainError, CheckpointError, DataError, UsageError
from bptrain.model.load import load_checkpoint
from command import bptrain as command

CONFIG: dict[str, Any] = {
    "data": {"target": "kind", "missing": {"size": "median", "color": "most_frequent"}},
    "network": {"sizes": ["auto", 5, "auto"]},
    "loss": "cross_entropy",
    "training": {"epochs": 3, "batch_size": 8, "threads": 1},
}
PLAIN: dict[str, Any] = {**CONFIG, "data": {}, "loss": "half_squared_error"}


def table(n: int = 60) -> dict[str, list[Any]]:
    """Numbers, whole numbers, texts, true and false, and cells that are missing."""
    rng = np.random.default_rng(0)
    size: list[Any] = rng.normal(size=n).tolist()
    size[3] = None
    color: list[Any] = [("red", "blue", " green")[k % 3] for k in range(n)]
    color[7] = None
    return {
        "size": size,
        "count": rng.integers(0, 1000, n).tolist(),
        "color": color,
        "flag": [bool(k % 2) for k in range(n)],
        "kind": [("a", "b", "c")[k % 3] for k in range(n)],
    }


def as_csv(columns: dict[str, list[Any]], file: Path) -> Path:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(
        ["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True)
    )
    file.write_text(text.getvalue())
    return file


class Pandas:
    """As much of a pandas frame as is asked for."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name: str) -> Any:
        cells = self._columns[name]
        numbers = all(isinstance(cell, int | float | None) and not isinstance(cell, bool) for cell in cells)
        values = np.array(cells, np.float64 if numbers and None in cells else None if numbers else object)
        return Series(values)


class Series:
    """A column that NumPy can read."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._values


class Chunked:
    """A column of Arrow, which as an array has another cell in place of one that is missing."""

    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells
        self.null_count = sum(cell is None for cell in cells)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        last = next(cell for cell in reversed(self._cells) if cell is not None)
        return np.array([last if cell is None else cell for cell in self._cells])

    def to_pylist(self) -> list[Any]:
        return self._cells


class Arrow:
    """As much of an Arrow table as is asked for: its `columns` are no names."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.column_names = list(columns)
        self.columns = [Chunked(cells) for cells in columns.values()]

    def column(self, place: int) -> Any:
        return self.columns[place]


FORMS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "dict of lists": dict,
    "dict of arrays": lambda columns: {name: np.array(cells, object) for name, cells in columns.items()},
    "pandas": Pandas,
    "Arrow": Arrow,
    "texts, as a CSV reader has them": lambda columns: {
        name: ["" if cell is None else str(cell) for cell in cells] for name, cells in columns.items()
    },
}


def weights(run: bptrain.Run) -> Any:
    return load_checkpoint(sorted((run.path / "checkpoints").iterdir())[-1]).w


@pytest.mark.parametrize("form", FORMS)
def test_the_same_table_trains_to_the_same_weights(form: str, workplace: Path) -> None:
    from_file = bptrain.fit(
        {**CONFIG, "data": {**CONFIG["data"], "train": str(as_csv(table(), Path("t.csv")))}}
    )
    run = bptrain.fit(CONFIG, data=FORMS[form](table()))
    ours, theirs = bptrain.load(run.path), bptrain.load(from_file.path)
    assert ours.schema == theirs.schema
    np.testing.assert_array_equal(weights(run), weights(from_file))
    assert ours.schema.features[3].categories == ("False", "True")
    frame = {name: cells for name, cells in FORMS["dict of lists"](table()).items() if name != "kind"}
    np.testing.assert_array_equal(ours.outputs(FORMS[form](table())), ours.outputs(frame))
    assert run.result["final"] == {**from_file.result["final"]}


@pytest.mark.parametrize("target", [[True, False], [3, 7], [3.0, 7.0], ["no", "yes"], [0.5, 1.5]])
def test_labels_are_those_of_a_file(target: list[Any], workplace: Path) -> None:
    columns = {"x": np.linspace(0, 1, 40).tolist(), "y": target * 20}
    config = {**PLAIN, "data": {"target": "y"}, "task": "classification", "loss": "binary_cross_entropy"}
    run = bptrain.fit(config, data=columns)
    from_file = bptrain.fit({**config, "data": {"target": "y", "train": str(as_csv(columns, Path("t.csv")))}})
    ours, theirs = bptrain.load(run.path), bptrain.load(from_file.path)
    assert repr(ours.schema.labels) == repr(theirs.schema.labels)
    np.testing.assert_array_equal(weights(run), weights(from_file))


def arrays(n: int = 50) -> tuple[Any, Any]:
    X = np.random.default_rng(1).normal(size=(n, 3)).astype(np.float32)
    return X, X @ np.array([1, 2, 3], np.float32)


def test_two_arrays_are_as_in_an_npz_file(workplace: Path) -> None:
    X, y = arrays()
    np.savez("d.npz", X=X, y=y)
    run = bptrain.fit(PLAIN, data=(X, y))
    from_file = bptrain.fit({**PLAIN, "data": {"train": "d.npz"}})
    model = bptrain.load(run.path)
    assert model.schema == bptrain.load(from_file.path).schema
    assert [feature.name for feature in model.schema.features] == ["x1", "x2", "x3"]
    np.testing.assert_array_equal(weights(run), weights(from_file))
    again = bptrain.fit(PLAIN, data=(X.tolist(), y.tolist()))  # lists of the same numbers
    np.testing.assert_array_equal(weights(again), weights(run))
    named = bptrain.fit(PLAIN, {"data.target": "force"}, data=(X, y))
    assert bptrain.load(named.path).schema.target.names == ("force",)


def test_targets_of_many_kinds(workplace: Path) -> None:
    X, _ = arrays(60)
    classes = {**PLAIN, "loss": "cross_entropy"}
    for y, labels in (
        (["a", "b", "c"] * 20, ("a", "b", "c")),
        (np.array(["a", "b", "c"] * 20, object), ("a", "b", "c")),
        ([True, False] * 30, (False, True)),
        ([3, 5] * 30, (3, 5)),
    ):
        model = bptrain.load(bptrain.fit(classes, data=(X, y)).path)
        assert repr(model.schema.labels) == repr(labels)
        assert set(model.predict(X).tolist()) <= set(labels)
    two = bptrain.load(bptrain.fit(PLAIN, data=(X, X[:, :2])).path)
    assert two.schema.target.names == ("y1", "y2")


def test_validation_and_test_rows(workplace: Path) -> None:
    rows = {name: cells[:40] for name, cells in table().items()}
    held = {name: cells[40:] for name, cells in table().items()}
    run = bptrain.fit(CONFIG, data=rows, validation=held, test=FORMS["pandas"](held))
    plain = bptrain.load(run.path).stored.facts
    assert plain.config["data"]["validation"] == {"arrays": "20 x 5"}
    assert sorted(plain.data) == ["test", "train", "validation"]
    assert plain.data["test"] == plain.data["validation"] != plain.data["train"]
    loss = run.result["final"]["loss"]
    assert loss["validation"] == loss["test"]
    as_csv(held, Path("held.csv"))
    beside = bptrain.fit(CONFIG, {"data.validation": "held.csv", "data.split.test": 0}, data=rows)
    assert beside.result["final"]["loss"]["validation"] == loss["validation"]


def test_a_run_says_what_it_was_trained_on(workplace: Path) -> None:
    run = bptrain.fit(CONFIG, data=table())
    assert run.path == Path("runs/model/001")
    text = (run.path / "config.yaml").read_text()
    assert "  train:\n    arrays: 60 x 5\n" in text
    record = json.loads((run.path / "run.json").read_text())
    assert record["data"] == bptrain.load(run.path).stored.facts.data
    assert len(record["data"]["train"]) == 64
    for form in (Pandas, Arrow):  # whatever held the cells
        same = bptrain.fit(CONFIG, data=form(table()))
        assert bptrain.load(same.path).stored.facts.data == record["data"]


def test_a_config_file_and_arrays(iris: Path) -> None:
    """The rows that are given stand in place of the file's; the run has the config's name."""
    X, _ = arrays(60)
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "d": X[:, 0], "species": ["u", "v", "w"] * 20}
    run = bptrain.fit(iris, data=columns)
    assert run.path == Path("runs/iris/001")
    assert bptrain.load(run.path).schema.labels == ("u", "v", "w")
    assert bptrain.fit(str(run.path / "config.yaml"), data=columns).result["final"] == run.result["final"]


def test_the_commands_that_need_no_training_rows(workplace: Path) -> None:
    run = bptrain.fit(CONFIG, data=table())
    file = as_csv(table(), Path("t.csv"))
    there = command("eval", run.path, "--data", file, "--json")
    assert (there.code, there.json["rows"]) == (0, 60)
    looked_at = command("inspect", run.path, "--json")
    assert looked_at.code == 0
    assert looked_at.json["units"]["left_out"].startswith("trained on arrays")
    assert command("runs").code == 0
    assert "arrays: 60 x 5" in command("config", "show", run.path / "config.yaml").out


def test_the_commands_that_need_them(workplace: Path) -> None:
    run = bptrain.fit(CONFIG, data=table())
    config = run.path / "config.yaml"
    as_csv(table(), Path("t.csv"))
    other = Path("other.yaml")
    other.write_text(config.read_text().replace("train:\n    arrays: 60 x 5", "train: t.csv"))
    for words in (
        ("eval", run.path),
        ("eval", run.path, "--split", "train"),
        ("gradcheck", run.path),
        ("fit", config),
        ("validate", config),
        ("fit", config, "--resume", run.path),
        ("fit", config, "--resume", "auto"),
        ("fit", other, "--resume", run.path),
    ):
        done = command(*words)
        assert done.code == 3, words
        assert "trained on arrays: give --data FILE, or continue from Python with the same arrays" in done.err


def test_resuming(workplace: Path) -> None:
    whole = bptrain.fit(CONFIG, {"training.epochs": 6}, data=table())
    begun = bptrain.fit(CONFIG, data=table())
    for resume in ("auto", str(begun.path)):  # the second time it has ended
        again = bptrain.fit(CONFIG, {"training.epochs": 6}, resume=resume, data=Pandas(table()))
        assert again.path == begun.path
    np.testing.assert_array_equal(weights(bptrain.Run(begun.path, {})), weights(whole))
    others = table()
    others["count"][5] += 1
    for rows in (others, table(40)):
        with pytest.raises(DataError, match="the train data has changed since"):
            bptrain.fit(CONFIG, {"training.epochs": 9}, resume=str(begun.path), data=rows)
    with pytest.raises(DataError, match="trained on arrays"):
        bptrain.fit(CONFIG, resume=str(begun.path))
    as_csv(table(), Path("t.csv"))
    of_file = bptrain.fit(CONFIG, {"data.train": "t.csv"})
    with pytest.raises(CheckpointError, match=r"other settings: data\.train"):
        bptrain.fit(CONFIG, resume=str(of_file.path), data=table())


def test_a_users_config_names_no_arrays(workplace: Path) -> None:
    text = (
        "data:\n  train: {arrays: 3 x 4}\n  target: y\nnetwork: {sizes: [1, 1]}\nloss: half_squared_error\n"
    )
    Path("c.yaml").write_text(text)
    for words in (("config", "show", "c.yaml"), ("validate", "c.yaml"), ("fit", "c.yaml")):
        done = command(*words)
        assert done.code == 2
        assert "c.yaml:2:11: error: data.train.arrays: arrays is what a run writes" in done.err
    with pytest.raises(UsageError, match="arrays is what a run writes"):
        bptrain.fit({**PLAIN, "data": {"train": {"arrays": "3 x 4"}}})
    assert "arrays:" not in schema_text().replace("NumPy arrays", "")
    assert '"arrays"' not in schema_text()


class Lazy:
    """As much of a lazy frame of polars as is asked for: it has names, but no cells yet."""

    @property
    def columns(self) -> list[str]:
        warnings.warn("resolving a schema is expensive", stacklevel=1)
        return ["x", "kind"]

    def collect(self) -> None: ...


class Grouped:
    """Groups of a pandas frame, whose `keys` are no method."""

    keys = "kind"


X, Y = arrays(20)
SHORT: dict[str, Any] = {"x": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "data is of type int: give (X, y), a dict of columns, or a frame"),
        ([[1, 2]], "data is of type list"),
        ((X,), "data is a tuple of 1: give (X, y)"),
        ((X, Y[:5]), "5 targets, but 20 rows"),
        ((3, Y), "X must be an array with rows"),
        (([[1, 2], [3]], [1, 2]), "X must be an array with rows"),
        (([[1, "red"], [2, "blue"]], [1, 2]), "row 1: column x2 is numeric, but here it is 'red'"),
        ((np.array([[1.0, 2.0], [np.inf, 1.0]]), [1, 2]), "row 2: column x1 is inf"),
        (([[10**400, 2], [3, 4]], [1, 2]), "row 1: column x1 is inf"),
        ((np.ones((2, 2)) * 1j, [1, 2]), "row 1: column x1 is numeric, but here it is 1j"),
        (([[1, [2]], [3, [4]]], [1, 2]), "X must be an array with rows"),
        ((np.zeros((0, 2)), []), "X must be an array with rows"),
        ({}, "the columns must be of one length"),
        ({"x": [1, 2], "kind": ["a"]}, "the columns must be of one length"),
        ({"x": 3, "kind": "ab"}, "the columns must be of one length"),
        ({"x": [], "kind": []}, "the columns have no rows"),
        ({"x": "12", "kind": ["a", "b"]}, "one axis (lists or arrays), but there are x: (), kind: (2,)"),
        ({"x": {0: 1.5, 1: 2.5}, "kind": ["a", "b"]}, "(lists or arrays), but there are x: (), kind: (2,)"),
        ({"x": {1.5, 2.5}, "kind": ["a", "b"]}, "(lists or arrays), but there are x: (), kind: (2,)"),
        (
            Lazy(),
            "data is of type Lazy: give (X, y), a dict of columns, or a frame of pandas, polars or Arrow; "
            "collect() a lazy one first",
        ),
        (Grouped(), "data is of type Grouped: give (X, y)"),
        (dict, "data is of type type: give (X, y)"),
        ({"x": [[1], [2]], "kind": ["a", "b"]}, "row 1: column x holds a list, which is neither"),
        ({"x": [1, object()], "kind": ["a", "b"]}, "row 2: column x holds a object"),
        ({"x": np.array([1, 2], "m8[s]"), "kind": ["a", "b"]}, "row 1: column x holds a timedelta64"),
        ({"x": ["a", "\ud800"], "kind": ["a", "b"]}, "row 2: column x holds a str"),
        ({"": [1, 2], "kind": ["a", "b"]}, "a column is named ''"),
        ({1: [1, 2], "1": [3, 4], "kind": ["a", "b"]}, "two columns are named 1"),
        ({"x": [1, 2, 3]}, "there is no column 'kind'; the data has x"),
        ({**SHORT, "x": [1.0, np.inf, 3.0]}, "row 2: column x has 'inf'; numbers must be finite"),
        ({**SHORT, "x": [None, None, float("nan")]}, "column x has no value at all"),
        ({**SHORT, "x": [1.0, None, 3.0]}, "row 2: column x has no value here"),
        ({**SHORT, "kind": ["a", None, "a"]}, "row 2: target kind has no value here"),
        (
            {"x": [*[1.0] * 19, "many"], "kind": ["a", "b"] * 10},
            "row 20: column x is numeric, but here it is 'many'",
        ),
    ],
)
def test_what_is_no_table_is_refused(given: Any, words: str, workplace: Path) -> None:
    config = {**CONFIG, "data": {"target": "kind", "split": {"validation": 0, "test": 0}}}
    if isinstance(given, tuple):
        config = {**PLAIN, "data": {"split": {"validation": 0, "test": 0}}}
    with pytest.raises(BptrainError) as caught:
        bptrain.fit(config, data=given)
    assert words in str(caught.value)
    assert not Path("runs").exists()


def test_what_a_mask_hides_is_missing(workplace: Path) -> None:
    """Not a number like others: NumPy would hand on what lies under the mask."""
    whole = {"data": {"split": {"validation": 0, "test": 0}}}
    hidden = np.ma.masked_array(X, mask=X[3, 1] == X)
    with pytest.raises(DataError, match="row 4: column x2 has no value here"):
        bptrain.fit({**PLAIN, **whole}, data=(hidden, Y))
    with pytest.raises(DataError, match="row 3: target y has no value here"):
        bptrain.fit({**PLAIN, **whole}, data=(X, np.ma.masked_array(Y, mask=np.arange(20) == 2)))
    columns = {"x": np.ma.masked_array(np.arange(20), mask=np.arange(20) == 5), "y": Y}
    with pytest.raises(DataError, match="row 6: column x has no value here"):
        bptrain.fit({**PLAIN, "data": {"target": "y"}}, data=columns)
    nan = np.where(hidden.mask, np.nan, X)
    run, same = (bptrain.fit(PLAIN, {"data.missing": "mean"}, data=(rows, Y)) for rows in (hidden, nan))
    np.testing.assert_array_equal(weights(run), weights(same))
    nothing = np.ma.masked_array(X, mask=False)
    run, same = (bptrain.fit(PLAIN, data=(rows, Y)) for rows in (nothing, X))
    np.testing.assert_array_equal(weights(run), weights(same))


def test_messages_blame_no_overrides_where_there_are_none(workplace: Path) -> None:
    """A section that the config lacks, and rows that Python gave, are no overrides."""
    bare = {key: value for key, value in PLAIN.items() if key != "data"}
    for config in (bare, PLAIN, {**bare, "data": None}):
        with pytest.raises(DataError, match=r"^config: error: data.target: which column is the target"):
            bptrain.fit(config, data=table())
        with pytest.raises(DataError, match=r"^data: error: data.train: the numbers of .* are too large"):
            bptrain.fit(config, data=(X.astype(np.float64) * 1e300, Y))
    with pytest.raises(UsageError, match=r"^config: error: data.train: must be given"):
        bptrain.fit(bare, validation=(X, Y))
    with pytest.raises(
        UsageError, match=r"^config: error: network.sizes: a config cannot hold a value of type"
    ):
        bptrain.fit({**PLAIN, "network": {"sizes": np.array([2, 3, 1])}}, data=(X, Y))
    with pytest.raises(
        UsageError, match=r"^overrides: error: seed: a config cannot hold a value of type object"
    ):
        bptrain.fit(PLAIN, {"seed": object()}, data=(X, Y))


def test_messages_name_which_rows(workplace: Path) -> None:
    with pytest.raises(DataError, match=r"^validation: error: row 20: column size is numeric"):
        bptrain.fit(CONFIG, data=table(), validation={**table(20), "size": [*range(19), "big"]})
    with pytest.raises(
        DataError, match=r"^test: error: the column 'count' is missing; the data has size, kind"
    ):
        bptrain.fit(CONFIG, data=table(), test={"size": [1], "kind": ["a"]})
    with pytest.raises(DataError, match=r"data.weight: X and y come without w"):
        bptrain.fit(PLAIN, {"data.weight": "w"}, data=arrays())
    with pytest.raises(
        UsageError, match=r"config: error: data.targets: data has no such key.*did you mean target"
    ):
        bptrain.fit({**CONFIG, "data": {"targets": "kind"}}, data=table())
    with pytest.raises(UsageError, match=r"config: error: data.train: must be given"):
        bptrain.fit(CONFIG)
    with pytest.raises(UsageError, match="a config cannot hold a value of type object"):
        bptrain.fit({**CONFIG, "seed": object()}, data=table())


def test_dates_and_odd_numbers(workplace: Path) -> None:
    """Dates are texts, and NaT is missing as None is; a number of another kind is a number."""
    days = np.array(["2024-01-01", "NaT", "2024-01-02"] * 20, "M8[D]")
    columns: dict[str, Any] = {**table(), "color": days, "count": [Decimal(k) / 4 for k in range(60)]}
    run = bptrain.fit(CONFIG, data=columns)
    as_csv(
        {name: [*cells] for name, cells in columns.items()} | {"color": [str(day) for day in days]},
        Path("t.csv"),
    )
    Path("t.csv").write_text(Path("t.csv").read_text().replace("NaT", ""))
    from_file = bptrain.fit({**CONFIG, "data": {**CONFIG["data"], "train": "t.csv"}})
    assert bptrain.load(run.path).schema == bptrain.load(from_file.path).schema
    np.testing.assert_array_equal(weights(run), weights(from_file))


def test_the_rows_that_were_given_are_let_go(workplace: Path) -> None:
    """Once encoded, they need not stay in memory as they were."""
    cells = np.linspace(0, 1, 40)
    gone = weakref.ref(cells)
    given = sources_in_memory(data={"x": cells, "y": np.linspace(1, 2, 40)}, validation=None, test=None)
    del cells
    events = fit_events({**PLAIN, "data": {"target": "y"}}, given=given)
    del given
    next(events)
    gc.collect()
    assert gone() is None
    events.close()


def test_row_weights_are_a_column(workplace: Path) -> None:
    weighted: dict[str, Any] = {**table(), "w": np.linspace(0.5, 2, 60)}
    run = bptrain.fit(CONFIG, {"data.weight": "w"}, data=weighted)
    as_csv({name: list(cells) for name, cells in weighted.items()}, Path("t.csv"))
    from_file = bptrain.fit(CONFIG, {"data.weight": "w", "data.train": "t.csv"})
    np.testing.assert_array_equal(weights(run), weights(from_file))

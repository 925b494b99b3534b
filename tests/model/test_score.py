"""`Model.score` and `Model.evaluate`: the figures of the command, from Python."""

from pathlib import Path

import numpy as np
import pytest

import bptrain as package
from bptrain.errors import DataError, DataWarning
from bptrain.model.model import Model
from command import bptrain

CONFIG = """
data: {train: rows.csv, target: kind, missing: {size: mean}}
network: {sizes: [auto, 4, auto]}
loss: cross_entropy
training: {epochs: 30}
"""


@pytest.fixture
def model(workplace: Path) -> Model:
    """Of three classes, by a number with gaps and a text."""
    rng = np.random.default_rng(1)
    kinds = rng.choice(["ant", "bee", "fly"], 90)
    sizes = [f"{len(k) + 'abf'.index(k[0]) + rng.normal():.3f}" if rng.random() > 0.1 else "" for k in kinds]
    lines = [f"{size},{rng.choice(['red', 'blue'])},{kind}" for size, kind in zip(sizes, kinds, strict=True)]
    for name, part in (("rows.csv", lines), ("a.csv", lines[:40]), ("b.csv", lines[40:])):
        (workplace / name).write_text("size,color,kind\n" + "\n".join(part) + "\n")
    (workplace / "rows.yaml").write_text(CONFIG)
    assert bptrain("fit", "rows.yaml", "--out", "run").code == 0
    return package.load("run")


def test_evaluate_is_the_command(model: Model) -> None:
    expected = bptrain("eval", "run", "--data", "rows.csv", "--json", "--by", "color").json
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pd.read_csv("rows.csv")
    columns = {name: frame[name].tolist() for name in frame}
    for data in (
        "rows.csv",
        Path("rows.csv"),
        ["a.csv", "b.csv"],
        "[ab].csv",
        frame,
        columns,
        pl.read_csv("rows.csv"),
    ):
        found = model.evaluate(data, by="color")
        assert found["run"] is None
        assert {k: found[k] for k in found if k != "run"} == {k: expected[k] for k in found if k != "run"}
    X, y = frame[["size", "color"]], frame["kind"]
    for pair in ((X, y), (X.to_numpy(object), y.to_numpy()), (X.to_numpy(object).tolist(), y.tolist())):
        assert model.evaluate(pair)["metrics"] == expected["metrics"]


def test_several_files_on_the_command_line(model: Model) -> None:
    one = bptrain("eval", "run", "--data", "rows.csv", "--json").json
    for files in (["--data", "a.csv", "--data", "b.csv"], ["--data", "[ab].csv"]):
        assert bptrain("eval", "run", *files, "--json").json == one
    assert bptrain("eval", "run", "--data", "a.csv", "--data", "a.csv").code == 3
    nothing = bptrain("eval", "run", "--data", "c*.csv")
    assert nothing.code == 3
    assert "no file matches c*.csv" in nothing.err


def test_score_is_accuracy(model: Model) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv("rows.csv")
    X, y = frame[["size", "color"]], frame["kind"]
    right = (model.predict(X) == y.to_numpy()).mean()
    assert model.score(X, y) == right
    assert model.score(X.to_numpy(object), y.tolist()) == right
    assert model.score({name: X[name].tolist() for name in X}, y.to_numpy()) == right


@pytest.mark.parametrize("m", [1, 2])
def test_score_is_r2(line: Path, m: int) -> None:
    x = np.arange(40.0)
    y = np.stack([1000 + 500 * x + 300 * np.sin(x), 3 * np.cos(x) - x], axis=1)[:, :m]
    settings = {
        "data": {"target": ["p", "q"][:m]},
        "network": {"sizes": [1, m]},
        "loss": "half_squared_error",
        "training": {"epochs": 30},
    }
    data = {"x": x, **dict(zip("pq", y.T, strict=False))}
    model = package.load(package.fit(settings, data=data, out="of_arrays").path)
    X = x[:, None]
    left, total = ((y - model.predict(X).reshape(-1, m)) ** 2).sum(0), ((y - y.mean(0)) ** 2).sum(0)
    assert model.score(X, y if m > 1 else y[:, 0]) == pytest.approx((1 - left / total).mean(), rel=1e-12)
    assert model.score(X, y) == model.score({"x": x}, y)


def test_what_is_odd_about_the_rows_is_a_warning_of_python(model: Model) -> None:
    X, y = {"size": [3.0, 4.0], "color": ["green", "red"]}, ["ant", "bee"]
    with pytest.warns(DataWarning, match=r"green.*\[unseen_category\]") as caught:
        model.score(X, y)
    assert caught[0].filename == __file__
    with pytest.warns(DataWarning, match=r"green.*\[unseen_category\]") as caught:
        model.evaluate({**X, "kind": y})
    assert caught[0].filename == __file__


def test_what_cannot_be_scored(model: Model) -> None:
    X = {"size": [3.0, 4.0], "color": ["blue", "red"]}
    with pytest.raises(DataError, match="wasp"):
        model.score(X, ["ant", "wasp"])
    with pytest.raises(DataError, match="3 targets, but 2 rows"):
        model.score(X, ["ant", "bee", "fly"])
    with pytest.raises(DataError, match="kind"):
        model.evaluate(X)
    with pytest.raises(DataError, match=r"data is of type int"):
        model.evaluate(3)

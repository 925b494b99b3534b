"""The Python API: the same validation, the same events."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.commands.gradcheck import selftest
from bptrain.commands.gradcheck.run import GradcheckResult
from bptrain.errors import CheckpointError, DataError, DataWarning, UsageError
from engines.installed import ENGINES


def test_fit_load_predict(iris: Path) -> None:
    run = bptrain.fit(iris, {"training.epochs": 40})
    model = bptrain.load(run.path)
    X = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
    assert model.predict(X).tolist() == ["setosa", "virginica"]
    columns = {
        f"{part}_{side}_cm": X[:, k]
        for k, (part, side) in enumerate(
            (part, side) for part in ("sepal", "petal") for side in ("length", "width")
        )
    }
    assert model.predict(columns).tolist() == ["setosa", "virginica"]
    outputs = model.outputs(X)
    assert outputs.shape == (2, 3)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-6)
    last = bptrain.load(sorted((run.path / "checkpoints").iterdir())[-1])
    assert last.predict(X).tolist() == ["setosa", "virginica"]


@pytest.mark.parametrize("engine", ["numpy", *(["numba"] if "numba" in ENGINES else [])])
def test_many_rows_are_predicted_in_parts(iris: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By several threads, some rows at a time, each of which has a matrix of its own to work in."""
    model = bptrain.load(bptrain.fit(iris, {"training.epochs": 5, "training.engine": engine}).path)
    with pytest.warns(DataWarning, match="of 5,003 rows of X .* have numbers outside the range"):
        model.predict(np.full((5003, 4), 100.0))
    model = replace(model, config=model.config.model_copy(update={"silence": ("outside_training_range",)}))
    X = np.random.default_rng(0).uniform(0.1, 7.0, (5003, 4))
    expected = model.predict(X)
    assert len(set(expected)) == 3
    monkeypatch.setattr("bptrain.model.model.ROWS_AT_ONCE", 100)
    for _ in range(5):
        assert (model.predict(X) == expected).all()
    X[4321, 2] = np.nan
    with pytest.raises(DataError, match="row 4322"):
        model.predict(X)


def test_predict_in_units(line: Path) -> None:
    model = bptrain.load(bptrain.fit(line).path)
    np.testing.assert_allclose(model.predict([[10.0], [20.0]]).ravel(), [6000, 11000], rtol=0.01)


def test_gradcheck(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = list(itertools.islice(selftest.combinations(), 12))  # the command's own test runs all of them
    monkeypatch.setattr(selftest, "combinations", lambda: some)
    report = bptrain.gradcheck(iris)
    assert isinstance(report, GradcheckResult)
    assert report.passed
    assert len(report.layers) == 4
    everything = bptrain.gradcheck()
    assert isinstance(everything, list)
    assert all(checked.report.passed for checked in everything)


def test_errors_are_exceptions(iris: Path) -> None:
    with pytest.raises(UsageError, match="did you mean"):
        bptrain.fit(iris, {"training.epoch": 3})
    with pytest.raises(DataError, match="no such file"):
        bptrain.fit(iris, {"data.train": "nowhere.csv"})
    with pytest.raises(CheckpointError, match="no checkpoint"):
        bptrain.load("nowhere.safetensors")
    run = bptrain.fit(iris)
    with pytest.raises(DataError):
        bptrain.load(run.path).predict([[1.0, 2.0]])


def test_a_checkpoint_opens_elsewhere(iris: Path) -> None:
    """Weights under plain names, of shape n_i × n_{i−1}, and one metadata key."""
    from safetensors import safe_open

    run = bptrain.fit(iris, {"optimizer": "adam"})
    with safe_open(sorted((run.path / "checkpoints").iterdir())[-1], framework="numpy") as file:
        assert set(file.metadata()) == {"bptrain"}
        assert file.get_tensor("layers.1.weight").shape == (6, 4)
        assert file.get_tensor("layers.2.bias").shape == (3,)
        names = set(file.keys())
        text = file.metadata()["bptrain"]
    assert {"optimizer.mean", "optimizer.square", "best.layers.1.weight"} <= names
    assert str(iris.parent) not in text
    assert str(Path(bptrain.__file__).parent.parent.parent) not in text


def test_a_corrupt_checkpoint(iris: Path) -> None:
    run = bptrain.fit(iris)
    best = run.path / "best.safetensors"
    content = bytearray(best.read_bytes())
    content[-3] ^= 1  # one bit of one weight
    best.write_bytes(content)
    with pytest.raises(CheckpointError, match="digest"):
        bptrain.load(run.path)
    best.write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="corrupt"):
        bptrain.load(best)

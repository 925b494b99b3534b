"""`data.clip_predictions`: no prediction of a number lies outside the range of the training rows' targets."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from command import bptrain as command

CONFIG = """
data: {{train: t.csv, target: [{targets}], scale_target: {scale}, split: {{validation: 0.25, test: 0}}{clip}}}
network: {{sizes: [auto, 4, auto], activations: identity}}
loss: half_squared_error
optimizer: {{name: adam, learning_rate: 0.1}}
training: {{epochs: 30, engine: numpy}}
metrics: [rmse, max_error]
silence: [outside_training_range]
"""
FAR = "x,y,z\n-1000,0,0\n0.5,1,1\n1000,2,2\n"


def fitted(
    workplace: Path, clip: str = ", clip_predictions: true", scale: str = "standard", targets: str = "y, z"
) -> Any:
    """A run on two targets that rise with x, 1 to 9 and 10 to 90, and its JSON."""
    x = np.arange(40) / 39
    rows = [f"{value!r},{1 + 8 * value!r},{10 + 80 * value!r}" for value in x.tolist()]
    (workplace / "t.csv").write_text("\n".join(["x,y,z", *rows]) + "\n")
    (workplace / "far.csv").write_text(FAR)
    (workplace / "c.yaml").write_text(CONFIG.format(clip=clip, scale=scale, targets=targets))
    found = command("fit", "c.yaml", "--json")
    assert found.code == 0, found.err
    return found.json


def bounds(run: str) -> tuple[list[float], list[float]]:
    """The least and the largest training targets, as the data of the run has them."""
    model = bptrain.load(run)
    low, high = zip(*model.schema.target.bounds, strict=True)
    return list(low), list(high)


@pytest.mark.parametrize("scale", ["standard", "log1p", "none"])
def test_it_is_in_every_door(scale: str, workplace: Path) -> None:
    run = fitted(workplace, scale=scale)["run"]
    low, high = bounds(run)
    assert (1 <= low[0] < 2, 8 < high[0] <= 9, 10 <= low[1] < 20, 80 < high[1] <= 90) == (True,) * 4
    model = bptrain.load(run)
    far = np.array([[-1000.0], [0.5], [1000.0]])
    predicted = model.predict(far)
    np.testing.assert_array_equal(predicted[0], low)
    np.testing.assert_array_equal(predicted[2], high)
    assert (low < predicted[1]).all()
    assert (predicted[1] < high).all()
    assert model.predict_one((1000.0,)) == tuple(high)
    np.testing.assert_array_equal(model.predict({"x": [1000.0]}), [high])
    assert np.abs(model.outputs(far)).max() > 100  # what the network says itself
    given = command("predict", run, "far.csv").out.splitlines()
    assert given[0] == "prediction_y,prediction_z"
    cells = [[float(cell) for cell in line.split(",")] for line in given[1:]]
    np.testing.assert_array_equal(cells, predicted)
    report = command("eval", run, "--data", "far.csv", "--json").json
    errors = np.abs(predicted - [[0, 0], [1, 1], [2, 2]])
    assert report["metrics"]["max_error"] == pytest.approx(errors.max(), rel=1e-12)
    lower, upper = model.predict_interval(far, 0.5)
    np.testing.assert_allclose((lower + upper) / 2, predicted, rtol=1e-12)


def test_without_it_nothing_is_clipped(workplace: Path) -> None:
    run = fitted(workplace, clip="")["run"]
    assert bptrain.load(run).schema.target.bounds == ()
    assert "bounds" not in json.dumps(bptrain.load(run).schema.to_json())
    assert bptrain.load(run).predict([[1000.0]]).max() > 1000


def test_the_figures_of_a_fit_are_those_of_clipped_predictions(workplace: Path) -> None:
    """A validation row far outside: fit, history and `eval` say the same, and the loss is that of the outputs."""
    fitted(workplace)
    (workplace / "v.csv").write_text("x,y,z\n1000,9,90\n0.5,5,50\n")
    options = ("--set", "data.validation=v.csv", "--set", "data.split={validation: 0, test: 0}")
    found = command("fit", "c.yaml", *options, "--json").json
    best = found["best"]
    assert best["metrics"]["validation"]["max_error"] < 40
    assert best["loss"]["validation"] > 1000
    last = json.loads(Path(found["run"], "metrics.jsonl").read_text().splitlines()[best["epoch"] - 1])
    assert last["validation"]["rmse"] == pytest.approx(best["metrics"]["validation"]["rmse"], rel=1e-6)
    again = command("eval", found["run"], "--split", "validation", "--json").json
    assert again["metrics"]["max_error"] == best["metrics"]["validation"]["max_error"]
    assert found["final"]["metrics"]["validation"]["max_error"] < 40


def test_a_model_that_was_moved_does_it_too(workplace: Path) -> None:
    """The range is in the checkpoint: no data is looked at again, and a resumed run has it."""
    run = fitted(workplace)["run"]
    low, high = bounds(run)
    shutil.copy(Path(run, "best.safetensors"), workplace / "moved.safetensors")
    for name in ("t.csv", "c.yaml"):
        (workplace / name).unlink()
    shutil.rmtree(workplace / "runs")
    model = bptrain.load("moved.safetensors")
    np.testing.assert_array_equal(model.predict([[-1e6], [1e6]]), [low, high])
    given = command("predict", "moved.safetensors", "far.csv").out.splitlines()
    assert [float(cell) for cell in given[1].split(",")] == low


def test_it_is_shown(workplace: Path) -> None:
    run = fitted(workplace, targets="y")["run"]
    assert (
        "predictions are clipped to the range of the training rows' targets"
        in command("explain", "c.yaml").out
    )
    assert "predictions are clipped to" in command("inspect", run).out
    assert command("inspect", run, "--json").json["schema"]["target"]["bounds"] == [
        list(pair) for pair in bptrain.load(run).schema.target.bounds
    ]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("task=classification", "loss=cross_entropy"), 2, "classes"),
        (("loss=binary_cross_entropy", "network.activations=sigmoid"), 2, "probabilities"),
        (("data.columns={y: categorical}",), 3, "labels"),
    ],
)
def test_classes_have_no_range(change: tuple[str, ...], code: int, words: str, workplace: Path) -> None:
    fitted(workplace, targets="y")
    options = [word for one in (*change, "data.scale_target=auto", "metrics=auto") for word in ("--set", one)]
    refused = command("fit", "c.yaml", *options, "--json")
    assert refused.code == code, refused.err
    found = [one for one in refused.json["errors"] if one["path"] == "data.clip_predictions"]
    assert [words in one["message"] for one in found] == [True], refused.json["errors"]

"""The modes, the best weights, and what is printed when training goes wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.build.network import initial_weights
from bptrain.build.setup import open_config
from bptrain.commands.fit.fit import Done, Started, fit_events
from bptrain.core import reference
from bptrain.core.network import views
from bptrain.data.prepared import Rows
from bptrain.engines.base import TrainingPlan
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.errors import NumericalError, Warned
from bptrain.model.load import load, load_checkpoint
from bptrain.parts.random import stream
from bptrain.store.run_directory import RunDirectory
from bptrain.training.evaluation import evaluate
from bptrain.training.events import EpochEnd, Progress
from conftest import ROOT


def run(config: Path, **overrides: object) -> tuple[Started, list[EpochEnd], Done]:
    values = {key.replace("__", "."): value for key, value in overrides.items()}
    started, *events, done = fit_events(config, values)
    assert isinstance(started, Started)
    assert isinstance(done, Done)
    return started, [event for event in events if isinstance(event, EpochEnd)], done


@pytest.mark.parametrize(
    ("mode", "batch", "steps"), [("sgd", 1, 106), ("minibatch", 32, 4), ("batch", 106, 1)]
)
def test_updates_of_each_mode(iris: Path, mode: str, batch: int, steps: int) -> None:
    """Two epochs against the literal gradient and the update line, batch after batch."""
    setup = open_config(iris, {"network.dtype": "float64"})
    network, rows = setup.network, setup.prepared.splits["train"]
    w = initial_weights(setup.loaded.config, network, np.float64)
    for epoch in (1, 2):
        order = np.arange(106) if mode == "batch" else stream(0, "shuffle", epoch=epoch).permutation(106)
        for a in range(0, 106, batch):
            take = order[a : a + batch]
            w = w - 0.1 * reference.gradient(network, views(network, w), rows.X[take], rows.T[take])
    _, ends, done = run(iris, training__mode=mode, training__epochs=2, network__dtype="float64")
    trained = load_checkpoint(RunDirectory(Path(done.result["run"])).checkpoints()[-1])
    np.testing.assert_allclose(trained.w, w, rtol=1e-10, atol=1e-12)
    assert done.result["steps"] == 2 * steps == 2 * ends[0].steps
    assert done.result["rows_seen"] == 2 * 106
    assert done.result["epochs"] == 2
    assert done.result["stopped"] == "epochs"


def test_training_loss_is_that_before_each_update(iris: Path) -> None:
    """In batch mode the loss of epoch 1 is that of the initial weights."""
    setup = open_config(iris, {})
    w = initial_weights(setup.loaded.config, setup.network, np.float32)
    rows = setup.prepared.splits["train"]
    start = evaluate(setup.network, numpy_outputs(setup.network, w, rows.X), setup.prepared.schema, rows, {})
    _, ends, _ = run(iris, training__mode="batch")
    assert ends[0].train_loss == pytest.approx(start.loss, rel=1e-6)
    assert ends[1].train_loss < ends[0].train_loss


def test_a_rate_for_each_layer(iris: Path) -> None:
    """With α_2 = 0 impossible, a tiny one: layer 2 stays where it was, layer 1 moves."""
    setup = open_config(iris, {})
    start = views(setup.network, initial_weights(setup.loaded.config, setup.network, np.float32))
    _, _, done = run(iris, optimizer__learning_rate=[0.1, 1e-30])
    after = views(setup.network, load(done.result["run"]).w)
    assert np.array_equal(after.W[2], start.W[2])
    assert np.abs(after.W[1] - start.W[1]).max() > 1e-3


def test_best_is_by_validation_loss(iris: Path) -> None:
    _, ends, done = run(iris, training__epochs=30, optimizer__learning_rate=2.0)
    losses = [end.validation_loss for end in ends]
    assert all(loss is not None for loss in losses)
    best = int(np.argmin(np.array(losses, float))) + 1
    assert best < 30  # else this test could not fail
    assert done.result["best"]["epoch"] == best
    assert done.result["best"]["loss"]["validation"] == pytest.approx(losses[best - 1])
    assert done.result["final"]["loss"]["validation"] == pytest.approx(losses[-1])


def test_best_without_validation_rows(iris: Path) -> None:
    _, ends, done = run(
        iris, data__split={"validation": 0.0}, training__epochs=30, optimizer__learning_rate=2.0
    )
    best = int(np.argmin([end.train_loss for end in ends])) + 1
    assert done.result["best"]["epoch"] == best
    assert "validation" not in done.result["best"]["loss"]


def test_best_in_batch_mode_is_before_the_update(iris: Path) -> None:
    """The loss of epoch 6 belongs to the weights after epoch 5, and those are kept."""
    _, ends, done = run(iris, data__split={"validation": 0.0}, training__mode="batch")
    assert done.result["best"]["epoch"] == 5
    assert done.result["best"]["loss"]["train"] == pytest.approx(ends[5].train_loss, rel=1e-5)
    assert done.result["final"]["loss"]["train"] < done.result["best"]["loss"]["train"]


def test_metrics_file_has_the_running_mean(iris: Path) -> None:
    _, ends, done = run(iris)
    lines = [json.loads(line) for line in Path(done.result["run"], "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["train"]["loss"] for line in lines] == [end.train_loss for end in ends]
    assert lines[-1]["validation"]["accuracy"] == ends[-1].validation_metrics["accuracy"]
    assert lines[-1]["step"] == done.result["steps"]


def test_divergence_is_named(iris: Path) -> None:
    """An absurd rate overflows; the message names epoch, step and quantity, and the state from before is kept."""
    overrides = {
        "loss": "half_squared_error",
        "network.activations": "identity",
        "optimizer.learning_rate": 1e30,
    }
    out = iris.parent / "run"
    with pytest.raises(NumericalError, match=r"epoch 1, step \d+ .*(layer|loss|gradient).* not finite"):
        list(fit_events(iris, overrides, out))
    directory = RunDirectory(out)
    assert directory.read_record()["status"] == "diverged"
    assert np.isfinite(load(directory.checkpoints()[-1]).w).all()


def test_a_validation_loss_that_is_not_finite_is_named(iris: Path) -> None:
    """Rows for validation that lie far outside the training rows: their loss overflows in float32."""
    far = iris.parent / "far.csv"
    header = (ROOT / "data" / "iris.csv").read_text().splitlines()[0]
    far.write_text(f"{header}\n1e30,1e30,1e30,1e30,setosa\n")
    overrides = {
        "data.validation": str(far),
        "loss": "half_squared_error",
        "network.activations": "identity",
        "optimizer.learning_rate": 0.01,
    }
    with pytest.raises(NumericalError, match="the validation loss of epoch 1 is not finite"):
        list(fit_events(iris, overrides))


def test_the_step_of_a_divergence(iris: Path) -> None:
    """NaN in one known row, without shuffling: the step is the one that row is in."""
    from bptrain.engines.base import TrainingPlan, initial_optimizer_state
    from bptrain.engines.divergence import diagnosis

    setup = open_config(iris, {})
    rows = setup.prepared.splits["train"]
    from bptrain.build.training import build_plan

    plan: TrainingPlan = build_plan(setup.loaded.config, setup.network, 106)
    X = rows.X.copy()
    X[70] = np.nan
    optimizer_state = initial_optimizer_state(
        initial_weights(setup.loaded.config, setup.network, np.float32), plan.optimizer
    )
    error = diagnosis(plan, "numpy", optimizer_state, X, rows.T)
    assert "epoch 1, step 3 (update 3): 6 of 192 values of the pre-activations z of layer 1" in str(error)


def test_a_growing_loss_is_warned_of_once(iris: Path) -> None:
    overrides = {
        "loss": "half_squared_error",
        "network.activations": "identity",
        "network.sizes": [
            4,
            3,
        ],  # least squares: descent diverges slowly just above 2 / the largest curvature
        "optimizer.learning_rate": 0.72,
        "training.mode": "batch",
        "training.epochs": 40,
    }
    warned = [event for event in fit_events(iris, overrides) if isinstance(event, Warned)]
    assert [event.name for event in warned] == ["growing_loss"]


def test_the_seed_decides_everything(iris: Path) -> None:
    _, _, one = run(iris)
    _, _, same = run(iris)
    _, _, other = run(iris, seed=1)
    assert one.result["final"] == same.result["final"] != other.result["final"]


def test_equal_runs_write_equal_bytes(iris: Path) -> None:
    _, _, one = run(iris)
    _, _, two = run(iris)
    for name in ("best.safetensors", f"checkpoints/step-{24:012d}.safetensors"):
        assert Path(one.result["run"], name).read_bytes() == Path(two.result["run"], name).read_bytes()


def test_the_loss_so_far_is_by_what_the_rows_weigh_that_were_seen(
    iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each slice of an epoch, in the order of the epoch: the sum of v E over that of v."""
    monkeypatch.setattr(TrainingPlan, "slice_steps", lambda plan, work: 1)
    table = (ROOT / "data" / "iris.csv").read_text().splitlines()
    weighed = [f"{table[0]},w", *(f"{row},{k % 7}" for k, row in enumerate(table[1:]))]
    (iris.parent / "weighed.csv").write_text("\n".join(weighed))
    overrides = {
        "data.train": str(iris.parent / "weighed.csv"),
        "data.weight": "w",
        "training.epochs": 1,
        "optimizer.learning_rate": 1e-12,  # the weights stay where they start
        "network.dtype": "float64",
    }
    setup = open_config(iris, overrides)
    rows = setup.prepared.splits["train"]
    w = initial_weights(setup.loaded.config, setup.network, np.float64)
    order = stream(0, "shuffle", epoch=1).permutation(len(rows.X))
    seen = [event for event in fit_events(iris, overrides) if isinstance(event, Progress | EpochEnd)]
    assert len(seen) == 4
    for k, event in enumerate(seen, start=1):
        part = order[: 32 * k]
        arrays: dict[str, Any] = {
            k: array for k, array in rows._asdict().items() if isinstance(array, np.ndarray)
        }
        taken = Rows(**{name: array[part] for name, array in arrays.items()})
        outputs = numpy_outputs(setup.network, w, taken.X)
        expected = evaluate(setup.network, outputs, setup.prepared.schema, taken, {}).loss
        loss = event.train_loss if isinstance(event, EpochEnd) else event.loss
        assert loss == pytest.approx(expected, rel=1e-9)

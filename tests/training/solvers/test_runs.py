"""Solvers through a config: what a run reports, resumes, refuses and survives."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bptrain.build.network import initial_weights
from bptrain.build.setup import open_config
from bptrain.build.training import build_plan
from bptrain.commands.fit.fit import Done, fit_events
from bptrain.core.backprop import gradient
from bptrain.core.network import views
from bptrain.core.objective import row_losses
from bptrain.engines.base import initial_optimizer_state
from bptrain.engines.choice import choose_engine
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.engines.registry import engine_entry
from bptrain.errors import NumericalError, UsageError
from bptrain.model.load import load
from bptrain.parts.optimizers import Slots
from bptrain.parts.solvers import Iteration, Objective, Solver, solvers
from bptrain.parts.types import Array
from bptrain.store.run_directory import RunDirectory
from bptrain.training.events import EpochEnd

BATCH: dict[str, object] = {"training.mode": "batch", "loss": "half_squared_error"}
ENGINES = ["numpy"] + (["numba"] if engine_entry("numba").missing() is None else [])


def run(config: Path, name: object, out: Path | None = None, **more: object) -> tuple[list[EpochEnd], Done]:
    overrides = {**BATCH, "optimizer": name, **{key.replace("__", "."): value for key, value in more.items()}}
    *events, done = fit_events(config, overrides, out)
    assert isinstance(done, Done)
    return [event for event in events if isinstance(event, EpochEnd)], done


def files(out: Path) -> dict[str, bytes]:
    directory = RunDirectory(out)
    return {path.name: path.read_bytes() for path in [directory.checkpoints()[-1], directory.best]}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", list(solvers))
def test_a_resumed_run_equals_the_uninterrupted_one(name: str, engine: str, iris: Path) -> None:
    overrides: Mapping[str, object] = {
        **BATCH, "optimizer": name, "training.epochs": 14, "training.engine": engine,
        "checkpoint.every": {"epochs": 1},
    }  # fmt: skip
    whole = iris.parent / "whole"
    *_, expected = fit_events(iris, overrides, whole)
    assert isinstance(expected, Done)
    for stop in (1, 5, 13):
        out = iris.parent / f"stopped-{stop}"
        events = fit_events(iris, overrides, out)
        for event in events:
            if isinstance(event, EpochEnd) and event.epoch == stop:
                break
        events.close()
        *_, done = fit_events(iris, overrides, out, resume=str(out))
        assert isinstance(done, Done)
        assert files(out) == files(whole)
        for key in ("best", "final", "steps", "rows_seen"):
            assert done.result[key] == expected.result[key]


@pytest.mark.parametrize("name", list(solvers))
def test_the_loss_falls_and_is_that_of_the_weights_kept(name: str, iris: Path) -> None:
    ends, done = run(
        iris, name, data__split={"validation": 0.0}, training__epochs=10, network__dtype="float64"
    )
    losses = [end.train_loss for end in ends]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.3 * losses[0]
    assert done.result["final"]["loss"]["train"] == pytest.approx(losses[-1], rel=1e-12)
    assert done.result["best"]["loss"]["train"] == pytest.approx(min(losses), rel=1e-12)
    assert (done.result["epochs"], done.result["steps"], done.result["stopped"]) == (10, 10, "epochs")


def test_rows_seen_counts_every_evaluation(iris: Path) -> None:
    """106 rows; lbfgs looks at the start and then at one point an iteration, or more where it searches."""
    task_rows = 106
    ends, done = run(iris, "lbfgs", training__epochs=8)
    evaluations = [end.rows // task_rows for end in ends]
    assert all(end.rows % task_rows == 0 for end in ends)
    assert evaluations[0] >= 2
    assert min(evaluations) == 1
    assert done.result["rows_seen"] == task_rows * sum(evaluations)
    ends, _ = run(iris, "levenberg_marquardt", training__epochs=12)
    assert ends[0].rows >= 3 * task_rows  # start, JᵀJ, trial
    assert min(end.rows for end in ends[1:]) == 2 * task_rows
    ends, _ = run(iris, "scaled_conjugate_gradient", training__epochs=8)
    assert ends[0].rows == 3 * task_rows  # start, curvature, trial
    assert {end.rows // task_rows for end in ends[1:]} <= {1, 2}


def test_it_stops_when_it_has_converged(line: Path) -> None:
    """A straight line by Gauss-Newton: a few iterations of 300, and the minimum of least squares."""
    ends, done = run(line, "levenberg_marquardt", network__dtype="float64", data__split={"validation": 0.0})
    assert done.result["stopped"] == "converged"
    assert len(ends) == done.result["epochs"] < 10
    assert done.summary.reason == "the solver has converged"
    overrides = {
        "optimizer": "levenberg_marquardt",
        "network.dtype": "float64",
        "data.split": {"validation": 0.0},
    }
    (again,) = fit_events(line, {**BATCH, **overrides}, Path(done.result["run"]), resume="auto")
    assert isinstance(again, Done)
    assert again.already
    assert again.result["stopped"] == "converged"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_levenberg_marquardt_is_least_squares(reduction: str, iris: Path) -> None:
    """A linear network of three outputs, against the normal equations' own solution."""
    more = {"network.sizes": [4, 3], "network.activations": "identity", "network.dtype": "float64"}
    loss = {"name": "half_squared_error", "reduction": reduction}
    overrides = {
        **BATCH,
        **more,
        "optimizer": {"name": "levenberg_marquardt", "tolerance": 1e-12, "mu": 1e-9},
    }
    *_, done = fit_events(iris, {**overrides, "loss": loss, "data.split": {"validation": 0.0}})
    assert isinstance(done, Done)
    assert done.result["epochs"] <= 3
    model = load(done.result["run"])
    rows = open_config(iris, {**overrides, "loss": loss, "data.split": {"validation": 0.0}}).prepared.splits[
        "train"
    ]
    X = np.hstack([rows.X, np.ones((len(rows.X), 1))])
    found = views(model.network, model.w)
    expected = np.linalg.lstsq(X, rows.T, rcond=None)[0].T
    np.testing.assert_allclose(found.W[1], expected[:, :4], atol=1e-10)
    assert found.b[1] is not None
    np.testing.assert_allclose(found.b[1], expected[:, 4], atol=1e-10)


def test_the_objective_is_the_network_s(iris: Path) -> None:
    """Value, gradient and rounding of what a solver is given, in float32."""
    setup = open_config(iris, {**BATCH, "optimizer": "lbfgs"})
    rows, network = setup.prepared.splits["train"], setup.network
    given: list[Objective] = []

    def step(objective: Objective, w: Array, slots: Slots, t: int) -> Iteration:
        given.append(objective)
        point = objective.at(w + 1e-9)
        np.testing.assert_array_equal(point.w, (w + 1e-9).astype(np.float32).astype(np.float64))
        w32 = point.w.astype(np.float32)
        losses = row_losses(network, *numpy_outputs(network, w32, rows.X), rows.T)
        assert point.value == losses.sum(dtype=np.float64) / 106
        assert point.g.dtype == np.float64
        np.testing.assert_array_equal(point.g, gradient(network, w32, rows.X, rows.T))
        return Iteration(point.w, slots, point.value, False)

    from bptrain.training.solving import iterate

    solver = Solver(step, {})
    plan = build_plan(setup.loaded.config, network, 106)._replace(method=solver)
    optimizer_state = initial_optimizer_state(
        initial_weights(setup.loaded.config, network, np.float32), solver
    )
    done = iterate(plan, NumpyEngine(plan), solver, optimizer_state, rows.X, rows.T)
    assert len(given) == 1
    assert (done.evaluations, optimizer_state.t, optimizer_state.w.dtype.name) == (1, 1, "float32")


@pytest.mark.parametrize("name", list(solvers))
def test_a_start_that_is_not_finite(name: str, iris: Path) -> None:
    overrides = {**BATCH, "optimizer": name, "network.initializer": {"name": "normal", "std": 1e30}}
    more = {"network.activations": "identity"}
    with pytest.raises(NumericalError, match=r"epoch 1: .* of layer 2 are not finite") as raised:
        list(fit_events(iris, {**overrides, **more}, iris.parent / "run"))
    assert raised.value.exit_code == 4
    assert RunDirectory(iris.parent / "run").read_record()["status"] == "diverged"


def test_engines_agree(iris: Path) -> None:
    if engine_entry("numba").missing() is not None:
        pytest.skip("the extra `fast` is not installed")
    for name in solvers:
        ends = [
            run(iris, name, network__dtype="float64", training__engine=engine, training__epochs=5)[0]
            for engine in ENGINES
        ]
        for one, other in zip(*ends, strict=True):
            assert one.train_loss == pytest.approx(other.train_loss, rel=1e-6)


def test_auto_reckons_with_the_passes_alone(iris: Path) -> None:
    setup = open_config(iris, {**BATCH, "optimizer": "lbfgs"})
    plan = build_plan(setup.loaded.config, setup.network, 106)
    assert choose_engine("auto", plan, np.float32).name == "numpy"
    if engine_entry("numba").missing() is None:
        assert choose_engine("auto", plan._replace(epochs=10**6), np.float32).name == "numba"


def test_early_stopping_restores_the_best(iris: Path) -> None:
    ends, done = run(iris, "lbfgs", training__early_stopping={"patience": 5}, training__epochs=200)
    assert done.result["stopped"] in ("early_stopping", "converged")
    losses = [end.validation_loss for end in ends]
    assert done.result["final"]["loss"]["validation"] == pytest.approx(
        min(x for x in losses if x is not None)
    )


def refused(config: Path, **overrides: object) -> str:
    values = {**BATCH, **{key.replace("__", "."): value for key, value in overrides.items()}}
    with pytest.raises(UsageError) as raised:
        list(fit_events(config, values))
    return str(raised.value)


def test_refusals(iris: Path) -> None:
    assert "training.mode: lbfgs works on all rows at once: set mode: batch (it is minibatch)" in refused(
        iris, optimizer="lbfgs", training__mode="minibatch"
    )
    message = refused(iris, optimizer="levenberg_marquardt", loss="cross_entropy")
    assert "loss: levenberg_marquardt minimizes sums of squares: it needs half_squared_error" in message
    assert "lbfgs chooses its step lengths itself" in refused(iris, optimizer="lbfgs", schedule="cosine")
    assert "training.average: lbfgs" in refused(iris, optimizer="lbfgs", training__average={"decay": 0.9})
    message = refused(iris, optimizer={"name": "lbfgs", "learning_rate": 0.1})
    assert "optimizer lbfgs has no such key: learning_rate is an option of gradient_descent" in message
    assert "did you mean levenberg_marquardt?" in refused(iris, optimizer="levenberg_marquard")
    assert "did you mean scaled_conjugate_gradient?" in refused(iris, optimizer="scg")
    assert "c1 must be less than c2" in refused(iris, optimizer={"name": "lbfgs", "c1": 0.95})


def test_a_network_too_large_for_normal_equations(iris: Path) -> None:
    """The size is said before anything is written; the same network is no trouble to lbfgs."""
    message = refused(iris, optimizer="levenberg_marquardt", network__sizes=[4, 2000, 3])
    assert (
        "16,003 x 16,003: 8.2 GB, more than optimizer.max_gigabytes: 2, enough for 7,905 parameters"
        in message
    )
    assert "network.sizes" in message
    assert not list(iris.parent.glob("runs/*/*"))
    run(iris, "lbfgs", network__sizes=[4, 2000, 3], training__epochs=1)

"""The contract of an engine: its gradient is the literal twin's, its update is the optimizer's rule."""

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.network import Network, views
from bptrain.engines.base import Task, fresh_memory
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.parts.optimizers import Optimizer, Slots, optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from networks import PAIRS, data_for, network

TOLERANCE: dict[type, float] = {np.float32: 2e-5, np.float64: 1e-12}


def start(net: Network, dtype: type) -> Array:
    w: Array = np.random.default_rng(1).normal(size=net.size).astype(dtype)
    return w


def task(
    net: Network, optimizer: str = "gradient_descent", rows: int = 6, batch: int = 4, **more: str
) -> Task:
    rule = optimizers.get(optimizer)()
    rate = rule.learning_rate
    assert isinstance(rate, float)
    schedule = schedules.get(more.get("schedule", "constant"))()
    return Task(net, rule, schedule, rate, rows, batch, epochs=2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("last", "loss"), PAIRS)
def test_gradient_is_the_literal_one(last: str, loss: str, bias: bool, dtype: type) -> None:
    for reduction in ("mean", "sum"):
        net = network((3, 5, 4, 2), ["tanh", "leaky_relu", last], loss, bias, reduction)
        X, T = data_for(net, 6, 0, dtype)
        w = start(net, dtype)
        gradient = NumpyEngine(task(net)).gradient(w, X, T)
        assert gradient.dtype == dtype
        w64, X64, T64 = (array.astype(np.float64) for array in (w, X, T))
        expected = reference.gradient(net, views(net, w64), X64, T64)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(optimizers))
def test_update_is_the_rule(name: str, dtype: type) -> None:
    """Two batches of an epoch, the second one short, against the rule applied by hand to the engine's gradient."""
    net = network((3, 5, 2), ["tanh", "softmax"], "cross_entropy")
    X, T = data_for(net, 6, 0, dtype)
    job = task(net, name, schedule="cosine")
    engine, memory = NumpyEngine(job), fresh_memory(start(net, dtype), job.optimizer)
    w, slots = memory.w.copy(), memory.copy().slots
    for t, rows in ((1, slice(0, 4)), (2, slice(4, 6))):
        g = engine.gradient(w, X[rows], T[rows])
        step, slots = job.optimizer.step(g, slots, w, job.rates[0] * job.factor(t), t, np.nan)
        w = w - step
    engine.run_slice(memory, X, T)
    assert memory.t == 2
    assert memory.w.dtype == dtype
    assert np.array_equal(memory.w, w)
    for ours, expected in zip(memory.slots, slots, strict=True):
        assert np.array_equal(ours, expected)


def test_slices_are_cut_from_counts() -> None:
    small = task(network((4, 5, 2)), rows=150, batch=1)
    assert small.steps_per_epoch == 150
    assert small.slice_steps(2e4) == 150
    large = task(network((784, 100, 10)), rows=50_000, batch=10)
    assert large.steps_per_epoch == 5000
    assert 1 <= large.slice_steps(2e4) < 5000
    assert task(network((784, 100, 10)), rows=60_000, batch=60_000).slice_steps(2e4) == 1


def test_a_short_last_batch_is_averaged_over_its_own_rows() -> None:
    net = network((3, 2), "identity")
    X, T = data_for(net, 5, 0)
    job = task(net, rows=5, batch=4)
    w = start(net, np.float64)
    memory = fresh_memory(w.copy(), job.optimizer)
    NumpyEngine(job).run_slice(memory, X, T)
    for rows in (slice(0, 4), slice(4, 5)):
        w = w - 0.1 * reference.gradient(net, views(net, w), X[rows], T[rows])
    np.testing.assert_allclose(memory.w, w, rtol=1e-13)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_rule_that_asks_for_the_loss_gets_the_objective_of_its_batch(reduction: str) -> None:
    net = network((3, 5, 2), ["tanh", "identity"], reduction=reduction)
    X, T = data_for(net, 6, 0)
    told: list[float] = []

    def step(g: Array, slots: Slots, w: Array, rate: float, t: int, E: float) -> tuple[Array, Slots]:
        told.append(E)
        return 0.0 * g, slots

    job = task(net)._replace(optimizer=Optimizer(0.1, step, needs_loss=True))
    memory = fresh_memory(start(net, np.float64), job.optimizer)
    total = NumpyEngine(job).run_slice(memory, X, T)
    P = views(net, memory.w)
    rows = [float(reference.instance(net, P, X[k][:, None], T[k][:, None]).E) for k in range(6)]
    divisors = (4, 2) if reduction == "mean" else (1, 1)
    assert told == pytest.approx([sum(rows[:4]) / divisors[0], sum(rows[4:]) / divisors[1]], rel=1e-13)
    assert total == pytest.approx(sum(rows), rel=1e-13)


def test_layers_of_one_shape_start_apart() -> None:
    from bptrain.core.network import initial_parameters
    from bptrain.parts.initializers import initializers

    net = network((4, 4, 4))
    draw = initializers.get("normal")()
    W = views(net, initial_parameters(net, [draw] * 3, [0.0] * 3, 0, np.float64)).W
    assert not np.isclose(W[1], W[2]).any()

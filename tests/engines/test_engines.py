"""What holds for engines beyond their contract."""

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.network import views
from bptrain.engines.base import initial_optimizer_state
from bptrain.parts.optimizers import Optimizer, Slots
from bptrain.parts.types import Array
from engines.installed import ENGINES, plan_of, start
from networks import data_for, network


def test_slices_are_cut_from_counts() -> None:
    small = plan_of(network((4, 5, 2)), rows=150, batch=1)
    assert small.steps_per_epoch == 150
    assert small.slice_steps(2e4) == 150
    large = plan_of(network((784, 100, 10)), rows=50_000, batch=10)
    assert large.steps_per_epoch == 5000
    assert 1 <= large.slice_steps(2e4) < 5000
    assert plan_of(network((784, 100, 10)), rows=60_000, batch=60_000).slice_steps(2e4) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_short_last_batch_is_averaged_over_its_own_rows(engine: str) -> None:
    net = network((3, 2), "identity")
    X, T = data_for(net, 5, 0)
    job = plan_of(net, rows=5, batch=4)
    w = start(net, np.float64)
    state = initial_optimizer_state(w.copy(), job.optimizer)
    ENGINES[engine](job, np.float64).run_slice(state, X, T)
    for rows in (slice(0, 4), slice(4, 5)):
        w = w - 0.1 * reference.gradient(net, views(net, w), X[rows], T[rows])
    np.testing.assert_allclose(state.w, w, rtol=1e-13)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_rule_that_asks_for_the_loss_gets_the_objective_of_its_batch(reduction: str) -> None:
    net = network((3, 5, 2), ["tanh", "identity"], reduction=reduction)
    X, T = data_for(net, 6, 0)
    told: list[float] = []

    def step(g: Array, slots: Slots, w: Array, rate: float, t: int, E: float) -> tuple[Array, Slots]:
        told.append(E)
        return 0.0 * g, slots

    job = plan_of(net)._replace(method=Optimizer(0.1, step, needs_loss=True))
    state = initial_optimizer_state(start(net, np.float64), job.optimizer)
    total = ENGINES["numpy"](job, np.float64).run_slice(state, X, T)
    P = views(net, state.w)
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


@pytest.mark.parametrize("engine", ENGINES)
def test_float32_keeps_the_gradient_of_saturated_units(engine: str) -> None:
    """Sigmoid at z between −19 and −13, where x and f' are 3e-9 to 2e-6: as in float64, to rounding."""
    net = network((2, 3, 1), ["sigmoid", "identity"])
    X, T = data_for(net, 8, 0, np.float32)
    w = start(net, np.float32)
    for block in net.blocks:
        if (block.layer, block.kind) == (1, "bias"):
            block.view(w)[...] = [-14.0, -16.0, -18.0]
    plan = plan_of(net, rows=8, batch=8)
    g = ENGINES[engine](plan, np.float32).gradient(w, X, T).astype(np.float64)
    wide: list[Array] = [array.astype(np.float64) for array in (w, X, T)]
    exact = ENGINES["numpy"](plan, np.float64).gradient(wide[0], wide[1], wide[2])
    for block in net.blocks:
        ours, right = block.view(g), block.view(exact)
        assert 0 < np.linalg.norm(ours - right) < 5e-6 * np.linalg.norm(right), (block.layer, block.kind)

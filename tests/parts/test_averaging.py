"""The moving average of the weights against a literal loop, on both engines."""

import numpy as np
import pytest

from bptrain.engines.base import initial_optimizer_state
from bptrain.engines.compiled import batches
from bptrain.parts.averaging import AVERAGE, with_average
from bptrain.parts.optimizers import Slots, optimizers
from bptrain.parts.types import Array
from engines.installed import ENGINES, EXHAUSTIVE, plan_of, start
from engines.rules import RULES_NET, SCHEDULES, schedule_of
from networks import data_for


def literal(path: list[Array], decay: float) -> Array:
    """The average of w_1, w_2, … one update after the other."""
    average = np.zeros_like(path[0])
    for t, w in enumerate(path, start=1):
        beta = min(decay, (t - 1) / (t + 8))
        average = np.array([beta * a + (1 - beta) * b for a, b in zip(average, w, strict=True)])
    return average


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", list(optimizers))
def test_the_rule_is_the_rule_and_the_average_is_the_literal_one(name: str, decay: float) -> None:
    bare, rule = optimizers.get(name)(), with_average(optimizers.get(name)(), decay)
    w = np.array([1.0, -0.5, 2.0])
    of_bare, of_rule = (
        tuple(np.zeros(3) if kind == "per_weight" else np.zeros(()) for kind in part.slots.values())
        for part in (bare, rule)
    )
    rng, path = np.random.default_rng(3), []
    for t in range(1, 61):
        g: Array = rng.normal(size=3)
        step, of_bare = bare.step(g, of_bare, w, 0.1, t, 1.0)
        averaging, of_rule = rule.step(g, of_rule, w, 0.1, t, 1.0)
        assert np.array_equal(step, averaging)
        w = w - step
        path.append(w)
        assert all(np.array_equal(a, b) for a, b in zip(of_bare, of_rule[:-1], strict=True))
        np.testing.assert_allclose(of_rule[-1], literal(path, decay), rtol=1e-12)
    assert list(rule.slots) == [*bare.slots, AVERAGE]
    assert AVERAGE not in bare.slots
    if decay == 0.0:
        assert np.array_equal(of_rule[-1], w)


def test_the_first_average_is_the_first_weights() -> None:
    rule = with_average(optimizers.get("gradient_descent")(), 0.999)
    slots: Slots = (np.zeros(1),)
    step, slots = rule.step(np.array([3.0]), slots, np.array([1.0]), 0.5, 1, np.nan)
    assert slots[0][0] == 1.0 - step[0] == -0.5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "batch"),
    [(name, batch) for name in ("gradient_descent", "momentum", "adam") for batch in (1, 4, 5)]
    if EXHAUSTIVE
    else [("gradient_descent", 1), ("gradient_descent", 5), ("momentum", 4), ("adam", 1), ("adam", 5)],
)
@pytest.mark.slow
def test_engines_average_as_they_update(
    name: str, batch: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One update at a time, the last slot is the literal average of the weights that the engine has made."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)
    net = RULES_NET
    plan = plan_of(net, with_average(optimizers.get(name)(), 0.6), rows=30, batch=batch)
    X, T = data_for(net, 30, 0)
    running, state = (
        ENGINES[engine](plan, np.float64),
        initial_optimizer_state(start(net, np.float64), plan.optimizer),
    )
    assert np.array_equal(plan.for_use(state), state.w)  # before the first update there is no average
    path = []
    for a in range(0, 30, batch):
        running.run_slice(state, X[a : a + batch], T[a : a + batch])
        path.append(state.w.copy())
    np.testing.assert_allclose(plan.for_use(state), literal(path, 0.6), rtol=1e-12, atol=1e-15)
    assert not np.allclose(plan.for_use(state), state.w, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch", [1, 4, 5])
@pytest.mark.parametrize("rate", [0.1, (0.1, 0.3)])
@pytest.mark.slow
def test_the_rate_factor_multiplies_every_rate(
    rate: float | tuple[float, ...], batch: int, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter by the factor is a quarter of the learning rate. The kernels are those of the engines' contract."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)
    net = RULES_NET
    X, T = data_for(net, 10, 0)

    def trained(scale: float, factor: float) -> Array:
        rates = tuple(scale * r for r in rate) if isinstance(rate, tuple) else scale * rate
        plan = plan_of(net, optimizers.get("momentum")(learning_rate=rates), rows=10, batch=batch)
        plan = plan._replace(schedule=SCHEDULES[schedule_of("momentum")])
        state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
        state.rate_factor = factor
        ENGINES[engine](plan, np.float64).run_slice(state, X, T)
        assert state.copy().rate_factor == factor
        return state.w

    np.testing.assert_allclose(trained(1.0, 0.25), trained(0.25, 1.0), rtol=1e-13)
    assert not np.allclose(trained(1.0, 0.25), trained(1.0, 1.0), rtol=1e-4)

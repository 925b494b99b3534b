"""Steps before W_1 in every engine: the gradient is the literal one, the update the rule's, at a rate of its own."""

import dataclasses

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext, Network, views
from bptrain.engines import numpy_engine
from bptrain.engines.base import GradientTransform, OptimizerState, initial_optimizer_state
from bptrain.engines.compiled import batches
from bptrain.engines.numpy_engine import NumpyEngine, rate_of_each_weight
from bptrain.parts.optimizers import optimizers
from bptrain.parts.types import Array
from engines.installed import ENGINES, in_dtypes, needs_compiler, plan_of, start, used_state
from engines.rules import FORMS
from networks import data_for, network, with_steps

GRADIENT: dict[type, float] = {np.float32: 2e-5, np.float64: 1e-12}
UPDATE: dict[type, float] = {np.float32: 2e-6, np.float64: 1e-14}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of four rows, so that six rows make two."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)


def net_of(form: str) -> Network:
    """With penalties and masks of x_0; of single instances the sum, since a weight cancels in their mean."""
    net = with_steps(network((7, 4, 2), "tanh", reduction="sum" if form == "single" else "mean"))
    return dataclasses.replace(net, l2=0.1, dropout=(0.3, 0.2))


def context_of(net: Network, rows: int, dtype: type) -> BatchContext:
    V: Array = np.linspace(0.5, 2.0, rows).astype(dtype)
    return BatchContext(V, masks(net, 3, 1, slice(0, rows), dtype))


@pytest.mark.parametrize(("form", "engine", "dtype"), in_dtypes(tuple(FORMS)))
def test_one_update_is_the_literal_gradient(form: str, engine: str, dtype: type) -> None:
    """Of plain descent at rate 1, which steps take times a factor."""
    net, batch = net_of(form), FORMS[form]
    X, T = data_for(net, batch, 0, dtype)
    context = context_of(net, batch, dtype)
    rule = optimizers.get("gradient_descent")(learning_rate=1.0)
    plan = plan_of(net, rule, batch, batch)._replace(weighted=True)
    state = OptimizerState(start(net, dtype), ())
    before = state.w.astype(np.float64)
    running = ENGINES[engine](plan, dtype)
    running.run_slice(state, X, T, context)
    X64, T64 = X.astype(np.float64), T.astype(np.float64)
    literal = reference.gradient(net, views(net, before), X64, T64, context)
    factors = np.ones(net.size)
    factors[:4] = 6.0  # of the scale
    assert_near((before - state.w) / factors, literal, GRADIENT[dtype])
    if engine == "numpy" or form == "chunked":  # in the others it would be compiled for this alone
        assert_near(running.gradient(before.astype(dtype), X, T, context), literal, GRADIENT[dtype])
    if form == "chunked":
        x_L = np.stack(
            [
                reference.instance(net, views(net, before), x[:, None], t[:, None]).x[-1][:, 0]
                for x, t in zip(X64, T64, strict=True)
            ]
        )
        assert_near(running.outputs(before.astype(dtype), X).X_L, x_L, GRADIENT[dtype])


@pytest.mark.parametrize(("form", "engine", "dtype"), in_dtypes(tuple(FORMS)))
@pytest.mark.parametrize("whole", [False, True])
def test_an_update_is_the_rule(whole: bool, form: str, engine: str, dtype: type) -> None:
    """Of adam, with a rate for each layer or a bound on the norm, against the rule on the NumPy engine's gradient."""
    net, batch = dataclasses.replace(net_of(form), l2=0.0), FORMS[form]
    X, T = data_for(net, batch, 0, dtype)
    context = context_of(net, batch, dtype)
    plan = plan_of(net, "adam", batch, batch)._replace(weighted=True, rate=(0.01, 0.03))
    if whole:
        plan = plan._replace(transform=GradientTransform(clip_norm=1e-3))
    state = used_state(plan, dtype)
    before = state.copy()
    g = NumpyEngine(plan).gradient(before.w, X, T, context)
    if whole:
        g *= 1e-3 / np.linalg.norm(g)
    alpha = rate_of_each_weight(plan, np.dtype(dtype))
    assert isinstance(alpha, np.ndarray)
    assert set(alpha[:4]) == {dtype(6 * 0.01)}
    step, _ = plan.optimizer.step(g, before.slots, before.w, alpha, before.t + 1, np.nan)
    ENGINES[engine](plan, dtype).run_slice(state, X, T, context)
    assert_near(state.w, before.w - step, UPDATE[dtype])


@pytest.mark.parametrize("threads", [1, 2])
def test_numpy_in_pieces(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layer by layer and some weights at a time, as it does with large networks."""
    net = net_of("whole")
    X, T = data_for(net, 40, 0)
    context = context_of(net, 40, np.float64)
    plan = plan_of(net, "adam", 40, 20)._replace(weighted=True)
    whole, pieces = (initial_optimizer_state(start(net, np.float64), plan.optimizer) for _ in range(2))
    NumpyEngine(plan).run_slice(whole, X, T, context)
    for name, number in (("PIECE_NUMBERS", 5), ("PRODUCT_NUMBERS", 8), ("LEAST_SHARE", 4)):
        monkeypatch.setattr(numpy_engine, name, number)
    monkeypatch.setattr(numpy_engine, "gains_from_threads", lambda plan: True)
    NumpyEngine(plan, threads).run_slice(pieces, X, T, context)
    np.testing.assert_allclose(pieces.w, whole.w, rtol=0, atol=1e-13)


def assert_near(ours: Array, expected: Array, tolerance: float) -> None:
    """Equal up to a few roundings of the largest entry."""
    size = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance * size)


@needs_compiler
def test_a_gradient_of_single_instances_has_no_rates() -> None:
    """Of a plan with a rate for each layer, by itself, as gradcheck asks for it: it updates nothing."""
    net = network((3, 4, 2), "tanh")
    X, T = data_for(net, 5, 0)
    plan = plan_of(net, batch=1)._replace(rate=(0.1, 0.2))
    w = start(net, np.float64)
    g = ENGINES["numba"](plan, np.float64).gradient(w, X, T)
    assert_near(g, reference.gradient(net, views(net, w), X, T), GRADIENT[np.float64])

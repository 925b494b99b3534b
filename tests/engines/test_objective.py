"""The whole objective in every engine: row weights, dropout, penalties; and what the gradient goes through.

The gradient is held to the literal twin's, an update to the lines of its definition written out once more.
"""

import math
from typing import Any

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.backprop import gradient
from bptrain.core.dropout import masks
from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.engines.base import GradientTransform, TrainingPlan, initial_optimizer_state
from bptrain.engines.compiled import batches
from bptrain.engines.compiled import running as running_loops
from bptrain.gradient_check.check import gradcheck
from bptrain.parts.optimizers import Optimizer
from bptrain.parts.types import Array
from engines.installed import ENGINES, EXHAUSTIVE, in_dtypes, plan_of, start
from networks import data_for, network

GRADIENT: dict[type, float] = {np.float32: 2e-5, np.float64: 1e-12}
FORMS = {"single": 1, "whole": 4, "chunked": 5}  # rows of a batch; a chunk has 4 here
ROWS = 6


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of four rows, so that six rows make two."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)


def changed(net: Network, **fields: Any) -> Network:
    return Network(**{**{name: net.__dict__[name] for name in net.__dataclass_fields__}, **fields})


def everything(reduction: str, canonical: bool = True) -> tuple[Network, BatchContext, Array, Array]:
    """A network with both penalties and dropout everywhere, and rows that weigh differently, one of them nothing."""
    net = network((3, 5, 4, 2), ["sigmoid", "tanh", "softmax"], "cross_entropy", True, reduction)
    net = changed(net, l1=0.03, l2=0.2, dropout=(0.3, 0.5, 0.25), canonical=canonical)
    X, T = data_for(net, ROWS, 0)
    V = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 0.25])
    return net, BatchContext(V, masks(net, 7, 1, slice(0, ROWS), np.float64)), X, T


def as_type(context: BatchContext, dtype: type) -> BatchContext:
    V: Array | None = None if context.sample_weight is None else context.sample_weight.astype(dtype)
    return BatchContext(V, {i: M.astype(dtype) for i, M in context.dropout_masks.items()})


def near(ours: Array, expected: Array, tolerance: float) -> None:
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance * float(np.abs(expected).max()))


@pytest.mark.parametrize("canonical", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradcheck_of_the_whole_objective(reduction: str, canonical: bool) -> None:
    net, context, X, T = everything(reduction, canonical)
    report = gradcheck(net, start(net, np.float64), X, T, context=context)
    assert report.passed
    assert report.max_relative_error < 1e-12
    for slip in (changed(net, l1=0.0), changed(net, l2=0.21)):
        wrong = gradient(slip, start(net, np.float64), X, T, context)
        assert not gradcheck(net, start(net, np.float64), X, T, wrong, context=context).passed
    for other in (
        BatchContext(None, context.dropout_masks),
        BatchContext(context.sample_weight),
        BatchContext(context.sample_weight, {**context.dropout_masks, 1: context.dropout_masks[1] * 0.5}),
    ):
        wrong = gradient(net, start(net, np.float64), X, T, other)
        assert not gradcheck(net, start(net, np.float64), X, T, wrong, context=context).passed


@pytest.mark.parametrize(
    ("form", "engine", "dtype"), in_dtypes(list(FORMS)), ids=lambda value: getattr(value, "__name__", value)
)
@pytest.mark.slow
def test_gradient_is_the_literal_one(
    form: str, engine: str, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    reduction = "mean" if dtype is np.float32 else "sum"
    net, context, X, T = everything(reduction)
    plan = plan_of(net, batch=FORMS[form])._replace(weighted=True)
    monkeypatch.setattr(
        running_loops, "kernels", lambda *_: ()
    )  # a gradient's is compiled when it is asked for
    w = start(net, dtype)
    running = ENGINES[engine](plan, dtype)
    ours = running.gradient(w, X.astype(dtype), T.astype(dtype), as_type(context, dtype))
    assert ours.dtype == dtype
    near(ours, reference.gradient(net, views(net, w.astype(np.float64)), X, T, context), GRADIENT[dtype])
    plain = running.gradient(
        w, X.astype(dtype), T.astype(dtype)
    )  # in the same engine, rows weigh 1 and no unit drops
    near(plain, reference.gradient(net, views(net, w.astype(np.float64)), X, T), GRADIENT[dtype])


TRANSFORMS = {
    "nothing": GradientTransform(),
    "clip_norm": GradientTransform(clip_norm=0.3),
    "clip_value": GradientTransform(clip_value=0.05),
    "noise": GradientTransform(noise=(0.1, 0.55)),
    "max_norm": GradientTransform(max_norm=1.5),
    "all": GradientTransform(clip_norm=0.5, clip_value=0.2, noise=(0.1, 0.55), max_norm=1.5),
}


def literal_epoch(
    plan: TrainingPlan, w: Array, X: Array, T: Array, context: BatchContext, noise: Array
) -> tuple[Array, float]:
    """An epoch by the definitions: gradient, clipped, with noise, then the rule, then rows held."""
    net, transform, slots, loss_sum = (
        plan.network,
        plan.transform,
        initial_optimizer_state(w, plan.optimizer).slots,
        0.0,
    )
    for k, a in enumerate(range(0, len(X), plan.batch_size)):
        rows = slice(a, a + plan.batch_size)
        of_rows = context.part(rows)
        V = np.ones(len(X[rows])) if of_rows.sample_weight is None else of_rows.sample_weight
        for n, (x, t) in enumerate(zip(X[rows], T[rows], strict=True)):
            m = {i: M[n][:, None] for i, M in of_rows.dropout_masks.items()}
            loss_sum += V[n] * reference.instance(net, views(net, w), x[:, None], t[:, None], m).E
        if V.sum() > 0:
            g = reference.gradient(net, views(net, w), X[rows], T[rows], of_rows)
        else:  # nothing weighs anything: the penalties alone
            g = np.concatenate(
                [
                    net.l1 * np.sign(part) + net.l2 * part if block.kind == "weight" else 0 * part
                    for block in net.blocks
                    for part in [w[block.start : block.stop]]
                ]
            )
        if transform.clip_norm is not None:
            g = g * min(1.0, transform.clip_norm / math.sqrt(float(g @ g)))
        if transform.clip_value is not None:
            g = np.minimum(np.maximum(g, -transform.clip_value), transform.clip_value)
        if transform.noise is not None:
            g = g + noise[k]
        step, slots = plan.optimizer.step(g, slots, w, plan.rates[0] * plan.factor(k + 1), k + 1, np.nan)
        w = w - step
        if transform.max_norm is not None:
            for block in net.blocks:
                if block.kind == "weight":
                    W = block.view(w)
                    W *= np.minimum(1.0, transform.max_norm / np.linalg.norm(W, axis=1))[:, None]
    return w, loss_sum


# Each alone in one form, which compiling takes seconds for; none and all together in every form.
IN_FORMS = [
    (transform, form)
    for k, transform in enumerate(TRANSFORMS)
    for j, form in enumerate(FORMS)
    if EXHAUSTIVE or transform in ("nothing", "all") or k % len(FORMS) == j
]


@pytest.mark.parametrize(("transform", "form"), IN_FORMS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.slow
def test_an_epoch_is_the_literal_one(engine: str, form: str, transform: str) -> None:
    """Both rules and both reductions are met in every form."""
    rule, reduction = (("momentum", "mean"), ("gradient_descent", "sum"))[
        list(TRANSFORMS).index(transform) % 2
    ]
    net, context, X, T = everything(reduction)
    plan = plan_of(net, rule, batch=FORMS[form])._replace(
        weighted=True, transform=TRANSFORMS[transform], accumulate=2
    )
    noise = np.random.default_rng(3).normal(size=(plan.steps_per_epoch, net.size)) * 0.1
    state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
    w, loss_sum = literal_epoch(plan, state.w.copy(), X, T, context, noise)
    drawn = noise if plan.transform.noise is not None else None
    total = ENGINES[engine](plan, np.float64).run_slice(state, X, T, context, drawn)
    near(state.w, w, 1e-13)
    assert total == pytest.approx(loss_sum, rel=1e-12)
    if transform != "nothing":
        unshaped, _ = literal_epoch(
            plan._replace(transform=GradientTransform()), start(net, np.float64), X, T, context, noise
        )
        assert not np.allclose(unshaped, w, rtol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("gradient_descent", {"l2": 0.1}),
        ("gradient_descent", {"l1": 0.1, "l2": 0.1}),
        ("momentum", {"l2": 0.1}),
        ("adam", {"l1": 0.1}),
    ],
)
@pytest.mark.slow
def test_penalties_alone(rule: str, fields: dict[str, float], engine: str) -> None:
    """With gradient_descent and l2 the update folds into the product; no other penalty does."""
    net = changed(network((3, 5, 2), ["tanh", "identity"]), **fields)
    X, T = data_for(net, ROWS, 0)
    plan = plan_of(net, rule, batch=4)
    state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
    w, _ = literal_epoch(plan, state.w.copy(), X, T, PLAIN, np.empty((0, 0)))
    ENGINES[engine](plan, np.float64).run_slice(state, X, T)
    near(state.w, w, 1e-12)


def test_masks_do_not_depend_on_where_slices_are_cut() -> None:
    net = changed(network((3, 50, 2), ["tanh", "identity"]), dropout=(0.0, 0.3))
    whole = masks(net, 1, 2, slice(0, 400), np.float32)
    assert list(whole) == [1]
    parts = [masks(net, 1, 2, slice(a, b), np.float32)[1] for a, b in ((0, 7), (7, 8), (8, 400))]
    np.testing.assert_array_equal(np.concatenate(parts), whole[1])
    assert whole[1].dtype == np.float32
    assert set(np.unique(whole[1])) == {np.float32(0), np.float32(1 / 0.7)}
    assert np.mean(whole[1] == 0) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 20_000))
    assert whole[1].mean() == pytest.approx(1.0, abs=0.02)
    for other in (masks(net, 1, 3, slice(0, 400), np.float32), masks(net, 2, 2, slice(0, 400), np.float32)):
        assert np.mean(other[1] == whole[1]) < 0.7


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.slow
def test_a_rule_is_told_the_objective(form: str, engine: str) -> None:
    """Whether a step was good is not to be seen from the loss alone."""

    def step(g: Array, slots: Any, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Any]:
        (told,) = slots
        return 0.0 * g, (0.0 * told + E,)

    net = changed(network((3, 5, 2), ["tanh", "identity"]), l1=0.3, l2=0.1)
    rule = Optimizer(0.1, step, slots={"told": "scalar"}, needs_loss=True)
    batch = FORMS[form]
    X, T = (array[:batch] for array in data_for(net, ROWS, 0))
    w = start(net, np.float64)
    state = initial_optimizer_state(w.copy(), rule)
    ENGINES[engine](plan_of(net, rule, rows=batch, batch=batch), np.float64).run_slice(state, X, T)
    P = views(net, w)
    E = sum(reference.instance(net, P, x[:, None], t[:, None]).E for x, t in zip(X, T, strict=True))
    expected = E / batch + sum(0.3 * np.abs(W).sum() + 0.05 * (W**2).sum() for W in P.W[1:])
    assert float(state.slots[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_bounds_beyond_all_numbers(engine: str) -> None:
    net = network((3, 5, 2), ["tanh", "identity"])
    X, T = data_for(net, ROWS, 0)
    ends = []
    for transform in (GradientTransform(), GradientTransform(clip_norm=1e200, max_norm=1e300)):
        state = initial_optimizer_state(start(net, np.float64), plan_of(net).optimizer)
        ENGINES[engine](plan_of(net)._replace(transform=transform), np.float64).run_slice(state, X, T)
        ends.append(state.w)
    near(ends[0], ends[1], 1e-14)

"""The contract of every installed engine, in two halves: its gradient is the literal twin's, its update is the rule's.

Every registered part is in it at least once for each engine and dtype; the combinations are drawn by a fixed seed.
"""

import itertools
import re
from typing import NamedTuple

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.network import Network, views
from bptrain.engines.base import OptimizerState, initial_optimizer_state
from bptrain.engines.compiled import batches
from bptrain.parts.activations import activations
from bptrain.parts.losses import losses
from bptrain.parts.optimizers import optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from engines.installed import ENGINES, in_dtypes, needs_compiler, plan_of, start, used_state
from engines.rules import FORMS, RULES, RULES_NET, SCHEDULES, schedule_of
from networks import PAIRS, data_for, network

GRADIENT: dict[type, float] = {np.float32: 2e-5, np.float64: 1e-12}
UPDATE: dict[type, float] = {np.float32: 1e-6, np.float64: 1e-14}


class Sample(NamedTuple):
    """One network and one way of going through it."""

    form: str
    hidden: tuple[str, ...]
    last: str
    loss: str
    bias: bool
    reduction: str
    canonical: bool

    def network(self) -> Network:
        sizes = (3, *(4 + k for k in range(len(self.hidden))), 2)
        net = network(sizes, [*self.hidden, self.last], self.loss, self.bias, self.reduction)
        return Network(**{**net.__dict__, "canonical": self.canonical})


def samples() -> list[Sample]:
    """Every activation hidden, every loss, a canonical pair both ways, every form.

    Each costs a compilation of its own, so there is one for each loss and canonical pair, at whose output stands an
    activation that was not there yet. The loop around the others at the output is the same
    (`test_the_loop_around_an_output_is_that_of_a_sample`).
    """
    rng = np.random.default_rng(0)
    outputs: list[tuple[str, str, bool]] = []
    for loss in losses:
        made = losses.get(loss)()
        if made.canonical is not None and (made.canonical, loss) in PAIRS:
            outputs += [(made.canonical, loss, False), (made.canonical, loss, True)]
            continue
        used = {output[0] for output in outputs}
        suited = [last for last, other in PAIRS if other == loss and not slopes_cancel(last, loss)]
        outputs.append(
            (next((last for last in reversed(suited) if last not in used), suited[0]), loss, False)
        )
    hidden, forms = itertools.cycle(activations), itertools.cycle(FORMS)
    drawn: list[Sample] = []
    for k, (last, loss, canonical) in enumerate(outputs):
        form = next(forms)
        shared = form == "chunked"  # whose updates are the same kernel where sizes and biases are
        names = tuple(next(hidden) for _ in range(2 if shared or k % 2 == 0 else 1))
        bias = k != 2 if shared else bool(rng.integers(2))
        drawn.append(Sample(form, names, last, loss, bias, str(rng.choice(["mean", "sum"])), canonical))
    return drawn


def slopes_cancel(last: str, loss: str) -> bool:
    """Equal slopes of a loss of any numbers cancel in the Jacobian of a distribution: a sample may test nothing."""
    return losses.get(loss)().outputs == "values" and activations.get(last)().distribution


SAMPLES = samples()


def id_of(value: object) -> str:
    """A part of a test's name."""
    match value:
        case Sample():
            return f"{value.form}-{value.last}-{value.loss}"
        case tuple():
            return "-".join(map(str, value))
        case type():
            return value.__name__
    return str(value)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of four rows, so that six rows make two."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)


def test_the_samples_leave_no_part_out() -> None:
    assert {name for sample in SAMPLES for name in sample.hidden} == set(activations)
    assert {sample.loss for sample in SAMPLES} == set(losses)
    assert {(sample.form, sample.bias) for sample in SAMPLES} == set(itertools.product(FORMS, (True, False)))
    assert {(sample.form, sample.reduction) for sample in SAMPLES} == set(
        itertools.product(FORMS, ("mean", "sum"))
    )
    assert {sample.form for sample in SAMPLES if sample.canonical} == set(FORMS)


@needs_compiler
@pytest.mark.parametrize("form", FORMS)
def test_the_loop_around_an_output_is_that_of_a_sample(form: str) -> None:
    """Which activation it is shows in the formulas alone, which are compiled in hidden layers."""
    from bptrain.engines.compiled.kernel import kernel_source
    from bptrain.engines.compiled.running import kernel_plan_of

    def around(last: str) -> str:
        """The loop with this activation at the output, without the numbers in the names of its formulas."""
        net = network((3, 4, 2), ["tanh", last])
        plan = plan_of(Network(**{**net.__dict__, "canonical": False}), batch=FORMS[form])
        text = kernel_source(
            kernel_plan_of(plan, np.float64), "gradient" if form == "chunked" else "run_slice"
        )
        return re.sub(r"\b(d?f|product)\d+\b", r"\1", text[text.index("@loop") :])

    sampled = {around(sample.last) for sample in SAMPLES if not sample.canonical}
    assert {around(last) for last in activations} <= sampled
    assert len(sampled) > 1  # a derivative that is 1 everywhere is not there, and softmax has a product


@pytest.mark.parametrize(("sample", "engine", "dtype"), in_dtypes(SAMPLES), ids=id_of)
@pytest.mark.slow
def test_gradient_and_loss_are_the_literal_ones(sample: Sample, engine: str, dtype: type) -> None:
    """One update of gradient descent at rate 1 takes the gradient from the weights, and tells the loss before it."""
    net, batch = sample.network(), FORMS[sample.form]
    X, T = (array[:batch] for array in data_for(net, 6, 0, dtype))
    state = OptimizerState(start(net, dtype), ())
    w64, X64, T64 = (array.astype(np.float64) for array in (state.w, X, T))
    plan = plan_of(net, optimizers.get("gradient_descent")(learning_rate=1.0), batch=batch)
    running = ENGINES[engine](plan, dtype)
    loss = running.run_slice(state, X, T)
    expected = reference.gradient(net, views(net, w64), X64, T64)
    one_by_one = zip(X64, T64, strict=True)
    losses_of_rows = [
        reference.instance(net, views(net, w64), x[:, None], t[:, None]).E for x, t in one_by_one
    ]
    assert state.w.dtype == dtype
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(w64 - state.w, expected, rtol=0, atol=GRADIENT[dtype] * scale)
    assert loss == pytest.approx(sum(losses_of_rows), rel=GRADIENT[dtype], abs=GRADIENT[dtype])
    if engine == "numpy" or sample.form == "chunked":  # in the others it would be compiled for this alone
        gradient = running.gradient(w64.astype(dtype), X, T)
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=GRADIENT[dtype] * scale)


# In `chunked` the update is a loop of its own, which is compiled quickly: every rule is in it. In the other forms it is
# woven into the passes over the network: one rule of each kind is in those too.
KINDS = ("gradient_descent", "gradient_descent with decay", "momentum", "adam", "nadam")
RULES_IN_FORMS = [(name, form) for name in RULES for form in FORMS if form == "chunked" or name in KINDS]


def test_the_rules_leave_no_schedule_out() -> None:
    """Each is used by some rule, and changes the rate there; reduce_on_plateau does so between epochs alone."""
    tested = {schedule_of(name) for name, form in RULES_IN_FORMS if form == "chunked"}
    assert tested >= {*schedules, "warmup"}
    plan = plan_of(network((3, 5, 2)), rows=6, batch=FORMS["chunked"], epochs=4)
    updates = range(plan.steps_per_epoch + 1, 2 * plan.steps_per_epoch + 1)  # those of the test's epoch
    idle = {
        name
        for name in tested
        if {plan._replace(schedule=SCHEDULES[name]).factor(t) for t in updates} == {1.0}
    }
    assert idle == {"constant", "reduce_on_plateau"}


@pytest.mark.parametrize(("case", "engine", "dtype"), in_dtypes(RULES_IN_FORMS), ids=id_of)
@pytest.mark.slow
def test_update_is_the_rule(case: tuple[str, str], engine: str, dtype: type) -> None:
    """The batches of a short epoch, the last one smaller, each held to the rule on the engine's own gradient."""
    name, form = case
    net, batch = RULES_NET, FORMS[form]
    schedule = SCHEDULES[schedule_of(name)]
    plan = plan_of(net, RULES[name], rows=6, batch=batch, epochs=4)._replace(schedule=schedule)
    layers = np.concatenate([np.full(block.stop - block.start, block.layer) for block in net.blocks])
    low = plan.rates[0]
    alpha: Array | float = low
    if form == "chunked":  # here a rate for each layer, too
        plan = plan._replace(rate=(low, 3 * low))
        alpha = np.where(layers == 1, low, 3 * low).astype(dtype)
    X, T = data_for(net, 6, 0, dtype)
    running = ENGINES[engine](plan, dtype)
    state = used_state(plan, dtype, updates=plan.steps_per_epoch)
    for a in range(0, 6, batch):
        rows = slice(a, a + batch)
        before = state.copy()
        g = running.gradient(before.w, X[rows], T[rows])
        rate = alpha * plan.factor(before.t + 1)
        E = mean_loss(net, before.w, X[rows], T[rows]) if plan.optimizer.needs_loss else np.nan
        step, slots = plan.optimizer.step(g, before.slots, before.w, rate, before.t + 1, E)
        running.run_slice(state, X[rows], T[rows])
        assert state.t == before.t + 1
        assert state.w.dtype == dtype
        near(state.w, before.w - step, UPDATE[dtype])
        for ours, expected in zip(state.slots, slots, strict=True):
            near(ours, expected, UPDATE[dtype])


def mean_loss(net: Network, w: Array, X: Array, T: Array) -> float:
    """The loss of a batch, from the literal forward pass in float64."""
    w, X, T = (array.astype(np.float64) for array in (w, X, T))
    of_rows = [
        reference.instance(net, views(net, w), x[:, None], t[:, None]).E for x, t in zip(X, T, strict=True)
    ]
    return float(np.mean(of_rows))


def near(ours: Array, expected: Array, tolerance: float) -> None:
    """Equal up to a few roundings of the largest entry."""
    np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance * float(np.abs(expected).max()))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["gradient_descent", "momentum"])
@pytest.mark.slow
def test_whole_trajectories(name: str, form: str, engine: str) -> None:
    """An epoch in one slice, against the literal gradient and the rule, update by update."""
    net, batch = RULES_NET, FORMS[form]
    plan = plan_of(net, name, rows=30, batch=batch)._replace(schedule=SCHEDULES[schedule_of(name)])
    X, T = data_for(net, 30, 0)
    state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
    w, slots, loss_sum = state.w.copy(), state.copy().slots, 0.0
    for t, a in enumerate(range(0, 30, batch), start=1):
        rows = slice(a, a + batch)
        for x_0, one in zip(X[rows], T[rows], strict=True):
            loss_sum += reference.instance(net, views(net, w), x_0[:, None], one[:, None]).E
        g = reference.gradient(net, views(net, w), X[rows], T[rows])
        step, slots = plan.optimizer.step(g, slots, w, plan.rates[0] * plan.factor(t), t, np.nan)
        w = w - step
    total = ENGINES[engine](plan, np.float64).run_slice(state, X, T)
    near(state.w, w, 1e-13)
    assert total == pytest.approx(loss_sum, rel=1e-12)


OWN_RATES = [
    *itertools.product(["gradient_descent", "momentum", "adam"], FORMS),
    ("nadam", "chunked"),
    ("rprop", "chunked"),
]


@pytest.mark.parametrize(
    ("case", "engine", "dtype"),
    [
        one for one in in_dtypes(RULES_IN_FORMS) if one[0] in OWN_RATES
    ],  # so that kernels are shared where they can be
    ids=id_of,
)
@pytest.mark.slow
def test_a_rate_for_each_layer(case: tuple[str, str], engine: str, dtype: type) -> None:
    """Two rates at once move each layer as far as one rate for all does, in the first update."""
    (name, form), net = case, RULES_NET
    X, T = data_for(net, 6, 0, dtype)
    batch = FORMS[form]

    def trained(rate: float | tuple[float, ...], engine: str) -> Array:
        rule = RULES[name]._replace(learning_rate=rate)
        plan = plan_of(net, rule, batch=batch, epochs=4)._replace(schedule=SCHEDULES[schedule_of(name)])
        state = initial_optimizer_state(start(net, dtype), rule)
        ENGINES[engine](plan, dtype).run_slice(state, X[:batch], T[:batch])
        return state.w

    low, high = (trained(rate, "numpy") for rate in (0.01, 0.5))
    both = trained((0.01, 0.5), engine)
    cut = net.blocks[2].start
    near(both[:cut], low[:cut], UPDATE[dtype])
    near(both[cut:], high[cut:], UPDATE[dtype])
    assert not np.allclose(low[:cut], high[:cut], rtol=1e-3)

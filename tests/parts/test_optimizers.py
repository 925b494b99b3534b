"""Every optimizer against its paper: the equations as plain scalars, one weight at a time.

Nothing here is taken from the implementation. Where a sum says the same as a recursion, the sum is written; signs are
those of the paper (Fahlman's and FANN's slope is −g, their step is what is added to a weight).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bptrain.parts.optimizers import Optimizer, Slots, optimizers, with_weight_decay
from bptrain.parts.types import Array

DTYPES = [np.float32, np.float64]
UPDATES, START = 50, 1.0
_rng = np.random.default_rng(5)
_t = np.arange(UPDATES)
GRADIENTS: Array = np.stack(
    [
        _rng.normal(size=UPDATES),
        np.exp(-_t / 20) * np.cos(_t / 3),  # an oscillation that dies away
        np.where(_t % 7 == 3, 0.0, _rng.normal(size=UPDATES)),  # 0 now and then
        np.full(UPDATES, 0.3),
        1.0 / (1.0 + _t),  # falling slopes
        np.where(_t < 10, 0.0, _rng.normal(size=UPDATES)),  # 0 at first
        np.zeros(UPDATES),
    ],
    axis=1,
)
LOSSES: list[float] = _rng.uniform(0.5, 1.5, UPDATES).tolist()

Path = list[float]


def gradient_descent(g: Path) -> Path:
    """Each step is −η g."""
    return [START - 0.1 * sum(g[: t + 1]) for t in range(len(g))]


def momentum(g: Path, eta: float = 0.1, gamma: float = 0.9) -> Path:
    """Ruder 2016, section 4.1: v_t = γ v_{t−1} + η ∇J(θ); θ = θ − v_t."""
    theta, v, path = START, 0.0, []
    for slope in g:
        v = gamma * v + eta * slope
        theta -= v
        path.append(theta)
    return path


def nesterov(g: Path, eta: float = 0.1, gamma: float = 0.9) -> Path:
    """Ruder 2016, section 4.2: v_t = γ v_{t−1} + η ∇J(θ − γ v_{t−1}); θ = θ − v_t. The weights are θ − γ v."""
    theta, v, path = START, 0.0, []
    for slope in g:
        v = gamma * v + eta * slope
        theta -= v
        path.append(theta - gamma * v)
    return path


def adagrad(g: Path, eta: float = 0.01, eps: float = 1e-10) -> Path:
    """G_t is the sum of all squares; ε outside the root."""
    theta, path = START, []
    for t, slope in enumerate(g):
        G = sum(past**2 for past in g[: t + 1])
        theta -= eta / (G**0.5 + eps) * slope
        path.append(theta)
    return path


def adadelta(g: Path, rho: float = 0.9, eps: float = 1e-6) -> Path:
    """Zeiler 2012, Algorithm 1."""
    x, E_g2, E_dx2, path = START, 0.0, 0.0, []
    for slope in g:
        E_g2 = rho * E_g2 + (1 - rho) * slope**2
        RMS_dx, RMS_g = (E_dx2 + eps) ** 0.5, (E_g2 + eps) ** 0.5
        dx = -RMS_dx / RMS_g * slope
        E_dx2 = rho * E_dx2 + (1 - rho) * dx**2
        x += dx
        path.append(x)
    return path


def rmsprop(g: Path, eta: float = 0.001, rho: float = 0.9, eps: float = 1e-8) -> Path:
    """MeanSquare(t) = 0.9 MeanSquare(t−1) + 0.1 g², as a sum."""
    theta, path = START, []
    for t, slope in enumerate(g):
        mean_square = sum((1 - rho) * rho ** (t - i) * g[i] ** 2 for i in range(t + 1))
        theta -= eta * slope / (mean_square**0.5 + eps)
        path.append(theta)
    return path


def averages(g: Path, t: int, beta1: float = 0.9, beta2: float = 0.999) -> tuple[float, float]:
    """m_t and v_t of Kingma and Ba as they stand in their section 3, as sums; t counts from 1."""
    m = (1 - beta1) * sum(beta1 ** (t - i) * g[i - 1] for i in range(1, t + 1))
    v = (1 - beta2) * sum(beta2 ** (t - i) * g[i - 1] ** 2 for i in range(1, t + 1))
    return m, v


def adam(g: Path, alpha: float = 0.001, eps: float = 1e-8) -> Path:
    """Kingma and Ba 2015, Algorithm 1."""
    theta, path = START, []
    for t in range(1, len(g) + 1):
        m, v = averages(g, t)
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        theta -= alpha * m_hat / (v_hat**0.5 + eps)
        path.append(theta)
    return path


def amsgrad(g: Path, alpha: float = 0.001, eps: float = 1e-8) -> Path:
    """Reddi, Kale and Kumar 2018, Algorithm 2: the largest v so far; with both biases undone, as PyTorch."""
    theta, path = START, []
    for t in range(1, len(g) + 1):
        m, _ = averages(g, t)
        v_max = max(averages(g, i)[1] for i in range(1, t + 1))
        theta -= alpha * (m / (1 - 0.9**t)) / ((v_max / (1 - 0.999**t)) ** 0.5 + eps)
        path.append(theta)
    return path


def adamax(g: Path, alpha: float = 0.002, eps: float = 1e-8) -> Path:
    """Kingma and Ba 2015, equation 11: u_t = max(β₂^{t−1} |g_1|, …, β₂ |g_{t−1}|, |g_t|); ε beside |g|."""
    theta, path = START, []
    for t in range(1, len(g) + 1):
        m, _ = averages(g, t)
        u = max(0.999 ** (t - i) * (abs(g[i - 1]) + eps) for i in range(1, t + 1))
        theta -= alpha / (1 - 0.9**t) * m / u
        path.append(theta)
    return path


def nadam(g: Path, alpha: float = 0.001, eps: float = 1e-8, psi: float = 0.004) -> Path:
    """Dozat 2016, Algorithm 2, with the schedule of its section 4 and v̂ = n / (1 − νᵗ)."""

    def mu(t: int) -> float:
        return 0.9 * (1 - 0.5 * 0.96 ** (t * psi))

    def product(t: int) -> float:
        return float(np.prod([mu(i) for i in range(1, t + 1)]))

    theta, path = START, []
    for t in range(1, len(g) + 1):
        m, n = averages(g, t)
        g_hat, m_hat, n_hat = g[t - 1] / (1 - product(t)), m / (1 - product(t + 1)), n / (1 - 0.999**t)
        m_bar = (1 - mu(t)) * g_hat + mu(t + 1) * m_hat
        theta -= alpha * m_bar / (n_hat**0.5 + eps)
        path.append(theta)
    return path


def radam(g: Path, alpha: float = 0.001, eps: float = 1e-8) -> Path:
    """Liu et al. 2020, Algorithm 2, with PyTorch's bound 5 and its ε beside √v."""
    theta, path, rho_inf = START, [], 2 / (1 - 0.999) - 1
    for t in range(1, len(g) + 1):
        m, v = averages(g, t)
        m_hat = m / (1 - 0.9**t)
        rho = rho_inf - 2 * t * 0.999**t / (1 - 0.999**t)
        if rho > 5:
            l = (1 - 0.999**t) ** 0.5 / (v**0.5 + eps)
            r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
            theta -= alpha * m_hat * r * l
        else:
            theta -= alpha * m_hat
        path.append(theta)
    return path


def sign(x: float) -> float:
    return (x > 0) - (x < 0)


def irprop_minus(g: Path, delta: float = 0.01) -> Path:
    """Igel and Hüsken 2000, iRprop−."""
    w, last, path = START, 0.0, []
    for slope in g:
        if last * slope > 0:
            delta = min(delta * 1.2, 50.0)
        elif last * slope < 0:
            delta = max(delta * 0.5, 1e-6)
            slope = 0.0
        w -= sign(slope) * delta
        last = slope
        path.append(w)
    return path


def irprop_plus(g: Path, delta: float = 0.01) -> Path:
    """Igel and Hüsken 2000, iRprop+: the weight goes back where the sign turned and the error has grown."""
    w, last, dw, path = START, 0.0, 0.0, []
    for t, slope in enumerate(g):
        if last * slope > 0:
            delta = min(delta * 1.2, 50.0)
            dw = -sign(slope) * delta
            w += dw
        elif last * slope < 0:
            delta = max(delta * 0.5, 1e-6)
            if LOSSES[t] > LOSSES[t - 1]:
                w -= dw
            slope = 0.0
        else:
            dw = -sign(slope) * delta
            w += dw
        last = slope
        path.append(w)
    return path


def quickprop(g: Path, epsilon: float = 0.1, mu: float = 1.75) -> Path:
    """Fahlman 1988 as FANN's fann_update_weights_quickprop has it, with 0 in place of its 0.001."""
    w, prev_step, prev_slope, path = START, 0.0, 0.0, []
    shrink_factor = mu / (1.0 + mu)
    for gradient in g:
        slope, next_step = -gradient, 0.0
        if prev_step > 0:
            if slope > 0:
                next_step += epsilon * slope
            if slope > shrink_factor * prev_slope:
                next_step += mu * prev_step
            else:
                next_step += prev_step * slope / (prev_slope - slope)
        elif prev_step < 0:
            if slope < 0:
                next_step += epsilon * slope
            if slope < shrink_factor * prev_slope:
                next_step += mu * prev_step
            else:
                next_step += prev_step * slope / (prev_slope - slope)
        else:
            next_step += epsilon * slope
        w += next_step
        prev_step, prev_slope = next_step, slope
        path.append(w)
    return path


PAPERS: dict[str, Callable[[Path], Path]] = {
    "gradient_descent": gradient_descent, "momentum": momentum, "nesterov": nesterov, "adagrad": adagrad,
    "adadelta": adadelta, "rmsprop": rmsprop, "adam": adam, "adamw": adam, "amsgrad": amsgrad, "adamax": adamax,
    "nadam": nadam, "radam": radam, "rprop": irprop_minus, "irprop_plus": irprop_plus, "quickprop": quickprop,
}  # fmt: skip


def rule_of(name: str) -> Optimizer:
    return optimizers.get("rprop")(variant="plus") if name == "irprop_plus" else optimizers.get(name)()


def fresh(rule: Optimizer, dtype: type, n: int) -> Slots:
    return tuple(
        np.zeros(n, dtype) if kind == "per_weight" else np.zeros((), dtype) for kind in rule.slots.values()
    )


def trajectory(rule: Optimizer, gradients: Array, rate: Any = None) -> Array:
    """The weights after each update."""
    w = np.full(gradients.shape[1], START, gradients.dtype)
    slots, path = fresh(rule, w.dtype.type, len(w)), []
    rate = rule.learning_rate if rate is None else rate
    for t, (g, E) in enumerate(zip(gradients, LOSSES, strict=True), start=1):
        step, slots = rule.step(g, slots, w, rate, t, E)
        w = w - step
        path.append(w)
    return np.array(path)


def test_every_optimizer_has_a_paper_here() -> None:
    assert PAPERS.keys() == {*optimizers, "irprop_plus"}


@pytest.mark.parametrize("name", PAPERS)
def test_fifty_updates_are_those_of_the_paper(name: str) -> None:
    expected = np.array([PAPERS[name](column) for column in GRADIENTS.T.tolist()]).T
    ours = trajectory(rule_of(name), GRADIENTS)
    error = np.abs(ours - expected) / np.maximum(1.0, np.abs(expected))
    assert error.max() <= 1e-12
    assert not np.allclose(ours[-1, 0], START)


def test_every_branch_is_taken() -> None:
    """Of the sequences: signs that turn with a grown and with a smaller loss; parabolas and largest growth."""
    turns = GRADIENTS[1:, 0] * GRADIENTS[:-1, 0] < 0
    grown = np.diff(LOSSES) > 0
    assert (turns & grown).any()
    assert (turns & ~grown).any()
    growth = {k: np.diff(quickprop(GRADIENTS[:, k].tolist())) for k in (3, 1)}
    assert growth[3][20] / growth[3][19] == pytest.approx(1.75, rel=1e-4)
    assert (growth[1][1:] / growth[1][:-1] < 0).any()
    assert 1999 - 2 * 5 * 0.999**5 / (1 - 0.999**5) < 5 < 1999 - 2 * 6 * 0.999**6 / (1 - 0.999**6)


@pytest.mark.parametrize("name", PAPERS)
def test_weight_decay_takes_its_share_before_the_step(name: str) -> None:
    """w ← w − α λ w − step, with the step of the rule without decay."""
    rule, decay = rule_of(name), 0.03
    alpha: Any = rule.learning_rate
    bare = trajectory(rule, GRADIENTS)
    w = np.full(GRADIENTS.shape[1], START)
    for before, after, ours in zip(
        np.vstack([np.full_like(w, START), bare]), bare, trajectory(with_weight_decay(rule, decay), GRADIENTS),
        strict=False,
    ):  # fmt: skip
        w = w - alpha * decay * w + (after - before)
        np.testing.assert_allclose(ours, w, rtol=0, atol=1e-12 * max(1.0, np.abs(bare).max()))


def test_adamw_is_adam_with_decay() -> None:
    adamw = optimizers.get("adamw")()
    assert adamw.weight_decay == 0.01
    assert all(optimizers.get(name)().weight_decay == 0 for name in optimizers if name != "adamw")
    expected = trajectory(with_weight_decay(optimizers.get("adam")(), 0.01), GRADIENTS)
    assert np.array_equal(trajectory(with_weight_decay(adamw, adamw.weight_decay), GRADIENTS), expected)


def test_no_decay_is_the_rule_itself() -> None:
    rule = optimizers.get("adam")()
    assert with_weight_decay(rule, 0.0) is rule


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("rate", ["one", "a weight"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAPERS)
def test_the_dtype_is_kept_and_nothing_is_written_to(name: str, dtype: type, rate: str, decay: float) -> None:
    """In the first update and in later ones, where branches differ; without a warning at 0."""
    rule = with_weight_decay(rule_of(name), decay)
    g: Array = np.array([1.0, -2.0, 0.0], dtype)
    w: Array = np.ones(3, dtype)
    alpha: Any = 0.1 if rate == "one" else np.array([0.1, 0.2, 0.3], dtype)
    slots = fresh(rule, dtype, 3)
    for t in range(1, 9):
        given = [np.copy(slot) for slot in slots]
        step, after = rule.step(g, slots, w, alpha, t, 1.0 / t)
        assert step.dtype == dtype
        assert step.shape == w.shape
        assert all(np.asarray(slot).dtype == dtype for slot in after)
        assert [np.shape(slot) for slot in after] == [slot.shape for slot in given]
        assert all(np.array_equal(slot, before) for slot, before in zip(slots, given, strict=True))
        assert g.tolist() == [(-1.0) ** (t - 1), -2.0, 0.0]
        assert w.tolist() == [1.0, 1.0, 1.0]
        slots = after
        g = np.array([(-1.0) ** t, -2.0, 0.0], dtype)


@pytest.mark.parametrize("name", PAPERS)
def test_a_rate_for_each_weight(name: str) -> None:
    """Rates side by side move each weight as far as a rate for all does."""
    rule = rule_of(name)
    both = trajectory(rule, GRADIENTS[:, :2], np.array([0.01, 0.05]))
    for k, rate in enumerate((0.01, 0.05)):
        np.testing.assert_allclose(
            both[:, k], trajectory(rule, GRADIENTS[:, k : k + 1], rate)[:, 0], rtol=1e-13
        )


@pytest.mark.parametrize("name", PAPERS)
def test_a_gradient_that_is_not_a_number_is_not_hidden(name: str) -> None:
    rule = rule_of(name)
    slots, w = fresh(rule, np.float64, 2), np.ones(2)
    for t, slope in enumerate((0.5, 0.4, np.nan), start=1):
        step, slots = rule.step(np.array([slope, 0.1]), slots, w, 0.1, t, 1.0)
    assert np.isnan(step[0])
    assert np.isfinite(step[1])


def test_what_the_rules_ask_of_training() -> None:
    rules = {name: rule_of(name) for name in PAPERS}
    assert {name for name, rule in rules.items() if rule.batch_only} == {"rprop", "irprop_plus", "quickprop"}
    assert {name for name, rule in rules.items() if rule.needs_loss} == {"irprop_plus"}
    assert {name for name, rule in rules.items() if rule.rate_is_first_step} == {"rprop", "irprop_plus"}


def test_rates_of_the_design() -> None:
    expected = {
        "gradient_descent": 0.1, "momentum": 0.1, "nesterov": 0.1, "adam": 0.001, "adamw": 0.001,
        "amsgrad": 0.001, "nadam": 0.001, "radam": 0.001, "rmsprop": 0.001, "adamax": 0.002, "adagrad": 0.01,
        "adadelta": 1.0, "rprop": 0.01, "quickprop": 0.1,
    }  # fmt: skip
    assert {name: optimizers.get(name)().learning_rate for name in optimizers} == expected


def test_rprop_keeps_its_bounds() -> None:
    with pytest.raises(ValueError, match=r"step_min 1 is above step_max 0\.1"):
        optimizers.get("rprop")(step_min=1.0, step_max=0.1)
    rule = optimizers.get("rprop")(step_min=0.004, step_max=0.02)
    growing, turning = (np.abs(np.diff(trajectory(rule, GRADIENTS[:, [k]])[:, 0])) for k in (4, 0))
    assert growing.max() == pytest.approx(0.02)
    assert turning[turning > 0].min() == pytest.approx(0.004)


def test_quickprop_finds_the_minimum_of_a_parabola() -> None:
    """½ c (w − m)²: the first step goes down the slope, the second one onto m."""
    rule = optimizers.get("quickprop")(learning_rate=0.4)
    w, slots = np.array([3.0]), fresh(rule, np.float64, 1)
    for t in (1, 2):
        step, slots = rule.step(1.5 * (w - 1.0), slots, w, 0.4, t, np.nan)
        w = w - step
    # The slope is downhill still after the first step, so −α g is added to the step of the parabola.
    assert w[0] == pytest.approx(1.0 - 0.4 * 1.5 * (3.0 - 0.4 * 1.5 * 2.0 - 1.0))

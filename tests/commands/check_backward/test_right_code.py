"""Right code passes whatever the network, and a slip of 1e-6 is caught."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bptrain.commands.check_backward.findings import GradingTrial, first_error
from bptrain.commands.check_backward.grading_task import number_of_rows
from bptrain.commands.check_backward.user_functions import load_functions
from bptrain.core.network import Network
from bptrain.gradient_check.point import GradientPoint
from gradient_check.random_networks import drawn_networks
from networks import COMBINATIONS, data_for, network
from submission_files import RIGHT, ending, grading_trial, written

STEP = """
def step(W, b, f, df, dE, x_0, t, rate):
    x, z = forward(W, b, f, x_0)
    _, dW, db = backward(W, b, df, dE, x, z, t)
    down = [None if v is None else v - r * d for v, r, d in zip(W, rate, dW)]
    return down, [None if v is None else v - r * d for v, r, d in zip(b, rate, db)]
"""


def point_on(net: Network, seed: int, scale: float = 1.0, rows: int = 7) -> GradientPoint:
    net = replace(net, reduction="sum")
    X, T = data_for(net, rows, seed)
    w = scale * np.random.default_rng(seed).normal(size=net.size)
    return GradientPoint(net, w, X, T)


def wrong(trial: GradingTrial) -> list[tuple[str, int, float, str]]:
    judged = itertools.chain(*trial.judged.values())
    return [(*one.key, one.relative_error, one.verdict) for one in judged if one.verdict != "right"]


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_every_combination_of_parts(tmp_path: Path, scale: float) -> None:
    functions = load_functions(written(tmp_path, RIGHT + STEP))
    for hidden, last, loss in COMBINATIONS:
        net = network((4, 5, 3), [hidden, last], loss, bias=True)
        one = grading_trial(functions, point_on(net, 0, scale))
        assert not one.faults, (hidden, last, loss)
        assert not wrong(one), (hidden, last, loss)


@pytest.mark.parametrize("style", ["dE ∘ f'", "x − t", "float32"])
def test_200_random_networks(tmp_path: Path, style: str) -> None:
    """Deep, saturated, converged and at kinks: as right code of any style is graded."""
    text = RIGHT + STEP
    if style == "x − t":
        text = text.replace("df[L].product(z[L], dE(x[L], t))", "x[L] - t")
    right = Path(__file__).parent / "right" / "single_precision.py"
    functions = load_functions(right if style == "float32" else written(tmp_path, text))
    for one in drawn_networks():
        net = replace(one.network, reduction="sum", l1=0.0, l2=0.0, dropout=())
        point = GradientPoint(net, one.w, one.X, one.T)
        if style == "x − t" and not net.canonical:
            continue
        with np.errstate(all="ignore"):
            finite = np.isfinite(net.loss.dE(point.space.X[-1], point.T)).all()
            if style == "x − t" or finite:
                assert not wrong(grading_trial(functions, point)), one.name


def test_a_loss_whose_slope_is_not_finite_is_explained(tmp_path: Path) -> None:
    """Where an output has rounded to 0, ∂E/∂x_L of cross_entropy is infinite, and times f' no number."""
    point = point_on(network((4, 5, 3), ["tanh", "softmax"], "cross_entropy"), 0, 1e3)
    with np.errstate(all="ignore"):
        one = grading_trial(load_functions(written(tmp_path, RIGHT)), point)
    found = first_error([point], [one], "backward")
    assert found is not None
    assert (found.quantity, found.layer) == ("delta", 2)
    assert "dE is not finite here, where outputs are 0 or 1; δ_2 = x_2 − t needs no dE" in found.notes


@pytest.mark.parametrize("names", ["sigmoid", "tanh", "softplus"])
@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
def test_deep_and_saturated_networks(tmp_path: Path, names: str, scale: float) -> None:
    functions = load_functions(written(tmp_path, RIGHT + STEP))
    net = network((4, *[6] * 9, 3), names, "half_squared_error")
    assert not wrong(grading_trial(functions, point_on(net, 1, scale / 6**0.5)))


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize(("name", "entry"), [("delta", "[1, 2]"), ("dW", "[1, 2]"), ("db", "[1, 0]")])
def test_one_entry_off_by_a_millionth_is_caught(tmp_path: Path, layer: int, name: str, entry: str) -> None:
    text = ending(f"{name}[{layer}] = {name}[{layer}].copy()", f"{name}[{layer}]{entry} *= 1 + 1e-6")
    point = point_on(network((4, 5, 5, 3), "sigmoid", "half_squared_error"), 2)
    one = grading_trial(load_functions(written(tmp_path, text)), point)
    found = first_error([point], [one], "backward")
    assert found is not None
    assert (found.quantity, found.layer) == (name, layer)


def test_the_count_of_rows_is_no_size() -> None:
    net = network((32, 31, 29, 3), "tanh")
    assert number_of_rows(net, 32) == 30
    assert number_of_rows(net, 2) == 2
    assert number_of_rows(net, 1) == 1

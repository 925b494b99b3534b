"""The table of slips: each is recognized from the gradient that it gives, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from bptrain.core.backprop import gradient
from bptrain.core.network import BatchContext
from bptrain.gradient_check.lines import backward
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips import GroundTruth, diagnose, slips
from bptrain.gradient_check.slips.base import compare
from bptrain.gradient_check.verdicts import scale_at
from gradient_check.planted import case
from gradient_check.random_networks import drawn_networks
from networks import data_for, network

CASES = ("squares", "even summed", "two penalized", "classes weighted penalized", "shares dropped")


def point_of(of: str) -> GradientPoint:
    return GradientPoint(*case(of))


@pytest.mark.parametrize("of", CASES)
def test_each_slip_is_recognized(of: str) -> None:
    """By its own code, first or among those that give the same; where it changes nothing, nothing is said."""
    point = point_of(of)
    seen, silent = 0, []
    with np.errstate(all="ignore"):
        truth = GroundTruth(point)
        # of every code the first slip, and in one network all of them
        of_code = {slip.code: slip for slip in reversed(list(slips(truth, 0.1)))}
        for slip in slips(truth, 0.1) if of == CASES[0] else of_code.values():
            g = backward(point, slip.lines).g
            found = diagnose(point, g, rate=0.1)
            if found is None:
                silent.append(slip.words)
                right = compare(g, truth.right.g, truth.scale.w).error < 1e-9
                assert right or not np.isfinite(g).all(), slip.words
            else:
                assert slip.code in (found.code, *found.also), (slip.words, found)
                seen += 1
    assert seen > 30
    assert len(silent) < 0.15 * seen, silent


def test_codes_have_one_form_of_words_each() -> None:
    """Words are filled in, and a layer's slip names its layer."""
    for of in CASES:
        for slip in slips(GroundTruth(point_of(of)), 0.1):
            assert "{i}" not in slip.words
            assert "{j}" not in slip.words
            assert "{k}" not in slip.words
            assert slip.layer is None or str(slip.layer) in slip.words
            assert slip.code.replace("_", "").isalnum()
            assert slip.code == slip.code.lower()


def test_a_right_gradient_has_no_diagnosis() -> None:
    for one in drawn_networks():
        assert diagnose(GradientPoint(*one[2:]), gradient(*one[2:])) is None, one.name


def test_the_lowest_layer_that_explains_it() -> None:
    """With one hidden layer, "every" and "layer 1" are the same, and the layer is named."""
    point = point_of("two")
    g = gradient(*case("two"))
    wrong = g.copy()
    wrong[:20] = 0.0  # W_1
    found = diagnose(point, wrong)
    assert found is not None
    assert (found.code, found.layer, found.words) == ("weight_zero", 1, "∂E/∂W_1 left at zero")


def test_one_block_alone() -> None:
    """A slip that would go on downward, but was made in one block only."""
    point = point_of("squares")
    g, block = gradient(*case("squares")), point.network.blocks[2]
    with np.errstate(all="ignore"):
        missing = next(s for s in slips(GroundTruth(point)) if s.code == "f_prime_twice" and s.layer == 2)
    wrong = g.copy()
    wrong[block.start : block.stop] = backward(point, missing.lines).g[block.start : block.stop]
    found = diagnose(point, wrong)
    assert found is not None
    assert (found.code, found.layer) == ("f_prime_twice", 2)
    assert found.words == "δ_2 with the factor f_2'(z_2) twice, in ∂E/∂W_2 alone"


def test_what_gives_the_same_is_named_too() -> None:
    """With two rows, "twice" and "the sum for the mean" are one."""
    net = network((4, 5, 3), "tanh")
    X, T = data_for(net, 2, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    found = diagnose(GradientPoint(net, w, X, T), 2 * gradient(net, w, X, T))
    assert found is not None
    assert found.code == "sum_for_mean"
    assert found.also == ("times_2",)


def test_a_training_step() -> None:
    """δ_1 by W_2 after its update shows in what a step subtracted, at the step's own rate and no other."""
    net, w, X, T, context = case("two penalized")
    rate = 0.3
    point = GradientPoint(net, w, X, T, context)
    later = w.copy()
    blocks = {(block.layer, block.kind): slice(block.start, block.stop) for block in net.blocks}
    for layer in (
        2,
        1,
    ):  # updates layer 2, and only then takes δ of layer 1, at the z of the step's own start
        D_2 = point.D_L / point.divisor
        if layer == 2:
            dW, db = D_2.T @ point.space.X[1], D_2.sum(axis=0)
        else:
            D_1 = D_2 @ later[blocks[2, "weight"]].reshape(3, 5) * (1 - point.space.X[1] ** 2)
            dW, db = D_1.T @ X, D_1.sum(axis=0)
        W = w[blocks[layer, "weight"]]
        later[blocks[layer, "weight"]] -= rate * (dW.ravel() + net.l1 * np.sign(W) + net.l2 * W)
        later[blocks[layer, "bias"]] -= rate * db
    step = (w - later) / rate
    found = diagnose(point, step, rate=rate)
    assert found is not None
    assert (found.code, found.layer) == ("carry_after_update", 1)
    assert diagnose(point, step, rate=2 * rate) is None
    assert diagnose(point, step) is None
    assert diagnose(point, (w - (w - rate * gradient(net, w, X, T, context))) / rate, rate=rate) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_pattern(seed: int) -> None:
    """Relative errors of 10⁻⁶ in every entry, in one block, and in one entry."""
    point, rng = point_of("squares"), np.random.default_rng(seed)
    g = gradient(*case("squares"))
    noise = 1e-6 * rng.normal(size=g.shape)
    block = point.network.blocks[rng.integers(6)]
    of_block = np.zeros_like(g)
    of_block[block.start : block.stop] = noise[block.start : block.stop]
    of_entry = np.where(np.arange(len(g)) == block.start, 1e-6, 0.0)
    for error in (noise, of_block, of_entry):
        assert diagnose(point, g * (1 + error)) is None


def test_a_match_must_explain_the_deviation() -> None:
    """Where a slip and the right gradient are all but the same, being near both is no sign of the slip."""
    nearly = replace(
        point_of("squares"), context=BatchContext(1 + 2e-10 * np.arange(6.0))
    )  # weights that hardly matter
    right, scale, without = backward(nearly).g, scale_at(nearly).w, gradient(*case("squares"))
    found = diagnose(nearly, without)
    assert found is not None
    assert found.code == "row_weights_forgotten"
    between = right + 0.8 * (without - right)
    for block in nearly.network.blocks:
        assert compare(
            block.view(between), block.view(without), block.view(scale)
        ).right  # within the tolerance of the slip
    assert any(
        not compare(block.view(between), block.view(right), block.view(scale)).right
        for block in nearly.network.blocks
    )
    assert diagnose(nearly, between) is None


def test_not_a_number_has_no_pattern() -> None:
    point = point_of("squares")
    assert diagnose(point, np.full(point.network.size, np.nan)) is None


@pytest.mark.parametrize(("c", "words"), [(1.7, "1.7"), (1 + 1e-6, "1.000001")])
def test_any_factor(c: float, words: str) -> None:
    point, g = point_of("squares"), gradient(*case("squares"))
    found = diagnose(point, c * g)
    assert found is not None
    assert found.code == "factor"
    assert found.words == f"the whole gradient at {words} times the right one"


def test_one_number_bears_out_no_factor() -> None:
    """A single bias is c times any number: only a factor that slips bring in is named."""
    net = network((4, 3, 1), "tanh")
    X, T = data_for(net, 6, 1)
    w = np.random.default_rng(2).normal(size=net.size)
    point, g = GradientPoint(net, w, X, T), gradient(net, w, X, T)
    for c, code in ((1.7, None), (2.0, "factor_2")):
        wrong = g.copy()
        wrong[-1] *= c
        found = diagnose(point, wrong)
        assert (found and found.code) == code

"""Planted faults: lines of `backprop.py`, `objective.py` and `reference.py` written wrong, no two in the same way.

Each replaces text of a module, which is then run as a module of its own; so the faults know nothing of how the
checker describes slips. A fault in `objective.py` is seen through a copy of `backprop.py` that imports it.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest

from bptrain.core import backprop, objective, reference
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext, Network, views
from bptrain.parts.types import Array
from networks import data_for, network

ROWS = 6


class Planted(NamedTuple):
    """A fault: which text stands where which should, in which network, and what it should be taken for."""

    name: str
    of: str  # one of the networks below
    changes: tuple[tuple[str, str], ...]  # (right text, wrong text), in turn
    code: str | None  # of the diagnosis; None: no known pattern
    layer: int | None = None
    module: str = "backprop"


class Case(NamedTuple):
    """A network at ordinary weights, with rows."""

    network: Network
    w: Array
    X: Array
    T: Array
    context: BatchContext


def case(of: str) -> Case:
    """One of the networks that faults are planted in."""
    weighted, dropped = "weighted" in of, "dropped" in of
    net = NETWORKS[of.split()[0]]()
    if "penalized" in of:
        net = replace(net, l1=0.03, l2=0.2)
    if dropped:
        net = replace(net, dropout=(0.25, 0.5, 0.25)[: net.L])
    if "summed" in of:
        net = replace(net, reduction="sum")
    X, T = data_for(net, ROWS, 1)
    V = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 0.25]) if weighted else None
    context = BatchContext(V, masks(net, 5, 1, slice(0, ROWS), np.float64))
    return Case(net, np.random.default_rng(2).normal(size=net.size), X, T, context)


NETWORKS: dict[str, Callable[[], Network]] = {
    "squares": lambda: network((4, 5, 5, 3), ["tanh", "sigmoid", "tanh"], "mean_squared_error"),
    "even": lambda: network((5, 5, 5, 3), ["tanh", "softplus", "sigmoid"], "half_squared_error"),
    "two": lambda: network((4, 5, 3), ["tanh", "sigmoid"], "half_squared_error"),
    "classes": lambda: network((4, 5, 5, 3), ["tanh", "softplus", "softmax"], "cross_entropy"),
    "yes_or_no": lambda: network((4, 5, 3), ["tanh", "sigmoid"], "binary_cross_entropy"),
    "shares": lambda: network((4, 5, 5, 3), ["tanh", "softmax", "softmax"], "half_squared_error"),
}


def wrong_gradient(fault: Planted, directory: Path) -> Array:
    """The gradient that the faulty code gives."""
    modules = [objective, backprop] if fault.module == "backprop" else [reference]
    texts = [inspect.getsource(module) for module in modules]
    for right, wrong in fault.changes:
        count = sum(text.count(right) for text in texts)
        assert count == 1, f"{fault.name}: {count} times in the modules: {right}"
        texts = [text.replace(right, wrong) for text in texts]
    net, w, X, T, context = case(fault.of)
    parameters = w if fault.module == "backprop" else views(net, w)
    with pytest.MonkeyPatch.context() as patch:
        for module, text in zip(modules, texts, strict=True):
            faulty = run_as(f"faulty_{module.__name__.split('.')[-1]}", text, directory)
            patch.setitem(sys.modules, faulty.__name__, faulty)
    gradient: Array = faulty.gradient(net, parameters, X, T, context)
    return gradient


def run_as(name: str, text: str, directory: Path) -> ModuleType:
    """The text run as a module of this name, which imports the faulty objective."""
    file = directory / f"{name}.py"
    file.write_text(text.replace("from bptrain.core.objective", "from faulty_objective"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHAIN = "            through_activation(network, i - 1, space)\n"
AT_OUTPUT = "        through_activation(network, L, space)\n"
SLOPE = "activation.df(Z[i], X[i])"
CARRY = "np.dot(D[i], W[i], out=D[i - 1])"
WEIGHT = "np.dot(D[i].T, Y[i - 1], out=dW[i])"
BIAS = "np.dot(space.ones, D[i], out=db_i)"
DIVIDED = "D[L] *= 1.0 / divisor"
OF_LOSS = "D[L][...] = network.loss.dE(X[L], T)"
PAIR = "np.subtract(X[L], T, out=D[L])"
MASKED = "                D[i - 1] *= M[i - 1]\n"
PENALTY = "dW_i += network.penalty.slope(W_i)"
EVERY_LAYER = "        add_penalty(network, W_i, dW_i)\n"
ON_BIASES = """    for b_i, db_i in zip(parameters.b[1:], into.b[1:]):
        add_penalty(network, b_i, db_i)
"""
PRODUCT = "activation.product(X[i], D[i])"
WEIGHED = "D[L] *= V[:, None]"

PLANTED: tuple[Planted, ...] = (
    # f'
    Planted(
        "f' forgotten in one layer",
        "squares",
        ((CHAIN, "            i == 2 or" + CHAIN[11:]),),
        "f_prime_missing",
        1,
    ),
    Planted("f' forgotten in all hidden layers", "squares", ((CHAIN, "\n"),), "f_prime_missing"),
    Planted("f' forgotten at the output", "squares", ((AT_OUTPUT, "\n"),), "f_prime_missing", 3),
    Planted("f' multiplied twice", "squares", ((CHAIN, CHAIN + CHAIN),), "f_prime_twice"),
    Planted(
        "f' of x instead of z",
        "squares",
        ((SLOPE, "activation.df(X[i], activation.f(X[i]))"),),
        "f_prime_at_x",
    ),
    Planted(
        "f' by x (1 − x), given z", "squares", ((SLOPE, "activation.df(X[i], Z[i])"),), "f_prime_of_x_at_z"
    ),
    Planted("f for f'", "squares", ((SLOPE, "(X[i] if i < network.L else " + SLOPE + ")"),), "f_for_f_prime"),
    Planted("divided by f'", "squares", (("D[i] *= activation", "D[i] /= activation"),), "f_prime_divided"),
    Planted(
        "f' of the z of the layer below",
        "squares",
        ((SLOPE, "activation.df(Z[i - (i == 2)], activation.f(Z[i - (i == 2)]))"),),
        "f_prime_z_below",
        2,
    ),
    Planted(
        "f' of the layer above",
        "even",
        ((SLOPE, "network.activations[i + (i == 1)].df(Z[i], network.activations[i + (i == 1)].f(Z[i]))"),),
        "f_prime_above",
        1,
    ),
    # δ_L
    Planted(
        "a canonical pair times f'",
        "yes_or_no",
        ((PAIR, f"{PAIR}; through_activation(network, L, space)"),),
        "pair_times_f_prime",
        2,
    ),
    Planted(
        "a canonical pair times the Jacobian",
        "classes",
        ((PAIR, f"{PAIR}; through_activation(network, L, space)"),),
        "pair_times_jacobian",
        3,
    ),
    Planted(
        "a canonical pair times x (1 − x)",
        "classes",
        ((PAIR, f"{PAIR}; D[L] *= X[L] * (1 - X[L])"),),
        "pair_softmax_element_wise",
        3,
    ),
    Planted(
        "x − t for any loss",
        "squares",
        (("    if network.canonical:\n        np.", "    if True:\n        np."),),
        "canonical_shortcut",
        3,
    ),
    Planted(
        "x − t for the loss's own slope", "squares", ((OF_LOSS, "D[L][...] = X[L] - T"),), "other_loss", 3
    ),
    Planted("x and t the wrong way round", "classes", ((PAIR, "np.subtract(T, X[L], out=D[L])"),), "sign"),
    Planted(
        "the ½ of the loss forgotten",
        "two",
        ((OF_LOSS, "D[L][...] = 2 * network.loss.dE(X[L], T)"),),
        "times_2",
    ),
    Planted(
        "a mean over the outputs too",
        "two",
        ((OF_LOSS, "D[L][...] = network.loss.dE(X[L], T) / T.shape[1]"),),
        "mean_over_outputs",
    ),
    Planted(
        "softmax as if element-wise",
        "shares",
        ((PRODUCT, "D[i] * (X[i] * (1 - X[i])) if i < network.L else " + PRODUCT),),
        "softmax_element_wise",
        2,
    ),
    Planted(
        "softmax's Jacobian left out at the output", "shares", ((AT_OUTPUT, "\n"),), "jacobian_missing", 3
    ),
    Planted(
        "softmax's sum over the rows",
        "shares",
        ((PRODUCT, "X[i] * (D[i] - (X[i] * D[i]).sum(axis=0, keepdims=True))"),),
        None,
    ),
    # sum and mean
    Planted("the mean's division forgotten", "squares", ((DIVIDED, "pass"),), "sum_for_mean"),
    Planted("divided twice", "squares", ((DIVIDED, "D[L] *= 1.0 / divisor**2"),), "divided_twice"),
    Planted(
        "a mean where a sum is asked",
        "squares summed",
        (("        return 1.0\n", "        return float(rows)\n"),),
        "mean_for_sum",
    ),
    Planted(
        "divided again in the hidden layers",
        "squares",
        ((CARRY, "np.dot(D[i] / len(T), W[i], out=D[i - 1])"),),
        None,
    ),
    Planted(
        "the gradients of layer 2 divided again",
        "squares",
        ((BIAS, f"{BIAS}; i == 2 and (np.divide(dW[i], 6, out=dW[i]), np.divide(db_i, 6, out=db_i))"),),
        "factor_one_by_rows",
        2,
    ),
    Planted("only the last row", "squares", ((DIVIDED, f"{DIVIDED}; D[L][:-1] = 0"),), "last_row"),
    Planted(
        "a gradient added up four times",
        "squares",
        ((WEIGHT, f"{WEIGHT}; dW[i] *= 4"), (BIAS, f"{BIAS}; db_i *= 4")),
        "factor",
    ),
    Planted(
        "targets in another order",
        "squares",
        (("output_delta(network, T, space,", "output_delta(network, np.roll(T, 1, axis=0), space,"),),
        None,
    ),
    # products
    Planted(
        "W not transposed",
        "squares",
        ((CARRY, "np.dot(D[i], W[i].T if i == 2 else W[i], out=D[i - 1])"),),
        "carry_not_transposed",
        1,
    ),
    Planted(
        "W of another layer",
        "even",
        ((CARRY, "np.dot(D[i], W[i - (i == 2)], out=D[i - 1])"),),
        "carry_other_w",
        1,
    ),
    Planted("nothing handed down", "squares", ((CARRY, "D[i - 1][...] = 0"),), "nothing_handed_down", 2),
    Planted(
        "the sign of what is handed down",
        "squares",
        ((CARRY, f"{CARRY}; D[i - 1] *= -1 if i == 2 else 1"),),
        "carry_sign",
        1,
    ),
    Planted(
        "a factor on what is handed down",
        "squares",
        ((CARRY, f"{CARRY}; D[i - 1] *= 1.7 if i == 3 else 1"),),
        "factor",
        2,
    ),
    Planted(
        "a stale δ: handed down as it was before f'",
        "squares",
        (
            ("    for i in range(L, 0, -1):\n", "    H = D[L]\n    for i in range(L, 0, -1):\n"),
            (CARRY, "H = np.dot(H, W[i]); D[i - 1][...] = H"),
        ),
        "handed_down_without_f_prime",
        1,
    ),
    Planted(
        "a stale δ: used as it was before f'",
        "two",
        (
            (WEIGHT, "np.dot((D[i] if i == 2 else space.Z[0]).T, Y[i - 1], out=dW[i])"),
            (CHAIN, "            space.Z[0] = D[i - 1].copy()\n" + CHAIN),
        ),
        "weight_without_f_prime",
        1,
    ),
    Planted(
        "∂E/∂W transposed",
        "squares",
        ((WEIGHT, "dW[i][...] = D[i].T @ Y[i - 1] if i != 2 else Y[i - 1].T @ D[i]"),),
        "weight_transposed",
        2,
    ),
    Planted(
        "∂E/∂W by x_i",
        "squares",
        ((WEIGHT, "np.dot(D[i].T, space.X[i] if i == 2 else Y[i - 1], out=dW[i])"),),
        "weight_by_x_i",
        2,
    ),
    Planted(
        "∂E/∂W by z",
        "squares",
        ((WEIGHT, "np.dot(D[i].T, space.Z[i - 1] if i > 1 else Y[i - 1], out=dW[i])"),),
        "weight_by_z",
    ),
    Planted(
        "∂E/∂W of means",
        "squares",
        ((WEIGHT, "dW[i][...] = np.outer(D[i].sum(0), Y[i - 1].mean(0))"),),
        "weight_of_means",
    ),
    Planted(
        "∂E/∂W of one layer forgotten", "squares", ((WEIGHT, f"{WEIGHT}; dW[i] *= i != 2"),), "weight_zero", 2
    ),
    Planted("a column of ∂E/∂W forgotten", "squares", ((WEIGHT, f"{WEIGHT}; dW[i][:, 0] *= i != 2"),), None),
    Planted("the bias of the last row", "squares", ((BIAS, "db_i[...] = D[i][-1]"),), "bias_last_row"),
    Planted("the bias by the mean", "squares", ((BIAS, "db_i[...] = D[i].mean(axis=0)"),), "bias_mean"),
    Planted("the bias forgotten", "squares", ((BIAS, "db_i[...] = 0"),), "bias_zero"),
    Planted(
        "the bias's sum over rows and units", "squares", ((BIAS, "db_i[...] = D[i].sum()"),), "bias_one_sum"
    ),
    # row weights, dropout
    Planted("row weights forgotten", "squares weighted", ((WEIGHED, "pass"),), "row_weights_in_divisor"),
    Planted(
        "row weights squared",
        "squares weighted",
        ((WEIGHED, "D[L] *= V[:, None] ** 2"),),
        "row_weights_twice",
    ),
    Planted(
        "divided by N, not by Σ v",
        "squares weighted",
        (("float(rows if V is None else V.sum(dtype=np.float64))", "float(rows)"),),
        "divided_by_rows",
    ),
    Planted(
        "the mask forgotten in δ",
        "squares dropped",
        ((MASKED, "                pass\n"),),
        "mask_forgotten_in_delta",
    ),
    Planted(
        "the mask forgotten in ∂E/∂W",
        "squares dropped",
        ((WEIGHT, "np.dot(D[i].T, space.X[i - 1], out=dW[i])"),),
        "mask_forgotten_in_weight",
    ),
    Planted(
        "the mask without 1/(1 − p)",
        "squares dropped",
        ((MASKED, "                D[i - 1] *= M[i - 1] != 0\n"),),
        "mask_unscaled_in_delta",
    ),
    # penalties
    Planted("the penalty forgotten", "squares penalized", ((PENALTY, "pass"),), "penalty_missing"),
    Planted("the penalty twice", "squares penalized", ((PENALTY, f"{PENALTY}; {PENALTY}"),), "penalty_twice"),
    Planted(
        "the penalty divided by N",
        "squares penalized",
        ((PENALTY, "dW_i += network.penalty.slope(W_i) / 6"),),
        "penalty_divided",
    ),
    Planted(
        "l2 w² without its ½",
        "squares penalized",
        ((PENALTY, f"{PENALTY}; dW_i += network.l2 * W_i"),),
        "l2_doubled",
    ),
    Planted("l1 forgotten", "squares penalized", ((PENALTY, "dW_i += network.l2 * W_i"),), "l1_missing"),
    Planted(
        "l1 with the wrong sign",
        "squares penalized",
        ((PENALTY, "dW_i += network.l2 * W_i - network.l1 * np.sign(W_i)"),),
        "l1_sign",
    ),
    Planted(
        "l1 w for l1 sign(w)",
        "squares penalized",
        ((PENALTY, "dW_i += (network.l2 + network.l1) * W_i"),),
        "l1_by_w",
    ),
    Planted(
        "a penalty on the biases",
        "squares penalized",
        (
            (
                EVERY_LAYER,
                f"{EVERY_LAYER}{ON_BIASES}",
            ),
        ),
        "penalty_on_bias",
    ),
    Planted(
        "a penalty that nobody asked for",
        "squares",
        (
            (
                "    add_penalties(network, parameters, into)\n",
                "    for W_i, dW_i in zip(parameters.W, into.W):\n        dW_i += 0.01 * W_i\n",
            ),
        ),
        "l2_added",
    ),
    # one part in a million, and what has no pattern
    Planted(
        "one entry of ∂E/∂W off by 10⁻⁶",
        "squares",
        ((WEIGHT, f"{WEIGHT}; dW[i][0, 0] *= 1 + 1e-6 * (i == 2)"),),
        None,
    ),
    Planted("one row of δ off by 10⁻⁶", "squares", ((CARRY, f"{CARRY}; D[i - 1][0] *= 1 + 1e-6"),), None),
    Planted(
        "f' off by 10⁻⁶ here and there", "squares", ((SLOPE, SLOPE + " * (1 + 1e-6 * np.cos(Z[i]))"),), None
    ),
    Planted(
        "W off by 10⁻⁶ on the way down",
        "squares",
        ((CARRY, "np.dot(D[i], W[i] * (1 + 1e-6 * np.sin(W[i])), out=D[i - 1])"),),
        None,
    ),
    Planted("one bias off by 10⁻⁶", "squares", ((BIAS, f"{BIAS}; db_i[0] *= 1 + 1e-6"),), None),
    Planted(
        "inputs rounded to float32",
        "squares",
        (("    X[0] = X_0\n", "    X[0] = X_0.astype(np.float32)\n"),),
        None,
    ),
    Planted("two slips at once", "squares", ((DIVIDED, "pass"), (BIAS, "db_i[...] = 0")), None),
    # the loop over instances
    Planted(
        "instances not summed",
        "squares",
        (
            (
                "flat[block.start : block.stop] += weights[n] * part.ravel()",
                "flat[block.start : block.stop] = weights[n] * part.ravel()",
            ),
        ),
        "last_row",
        None,
        "reference",
    ),
    Planted(
        "row weights in δ, N in the mean",
        "squares weighted",
        (("flat /= weights.sum()", "flat /= 1.0"),),
        "sum_for_mean",
        None,
        "reference",
    ),
    Planted(
        "the sum divided after the penalty",
        "squares penalized summed",
        (
            (
                "flat[block.start : block.stop] += network.l1 * np.sign(w)",
                "flat[block.start : block.stop] *= 2.0; flat[block.start : block.stop] += network.l1 * np.sign(w)",
            ),
        ),
        "factor_2",
        None,
        "reference",
    ),
    Planted(
        "∂E/∂W as x_i δ_iᵀ",
        "even",
        (
            (
                "dW[i] = delta[i] @ (m[i - 1] * x[i - 1]).T",
                "dW[i] = x[i] @ delta[i].T if i == 1 else delta[i] @ (m[i - 1] * x[i - 1]).T",
            ),
        ),
        None,
        None,
        "reference",
    ),
)

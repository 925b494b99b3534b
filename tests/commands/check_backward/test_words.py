"""Where to look: the line of the derivation, its shapes, and what makes an array of a wrong shape."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bptrain.commands.check_backward.findings import equation_of, first_error
from bptrain.commands.check_backward.user_functions import load_functions
from bptrain.core.network import Network
from bptrain.gradient_check.point import GradientPoint
from networks import data_for, network
from submission_files import ending, grading_trial, written

SOFTMAX = network((4, 5, 3), "softmax", "cross_entropy", bias=False)  # canonical
SIGMOID = network((4, 5, 3), "sigmoid")
PRODUCT = network((4, 5, 3), ["tanh", "softmax"])  # not canonical


@pytest.mark.parametrize(
    ("net", "key", "N", "equation", "shapes"),
    [
        (SIGMOID, ("x", 0), 7, "x[0] = x_0", "4×7"),
        (SIGMOID, ("z", 2), 7, "z_2 = W_2 x_1 + b_2", "3×7 = 3×5 · 5×7 + 3×1"),
        (SOFTMAX, ("z", 1), 1, "z_1 = W_1 x_0", "5×1 = 5×4 · 4×1"),
        (SIGMOID, ("x", 1), 7, "x_1 = f_1(z_1)", "5×7"),
        (SIGMOID, ("delta", 2), 7, "δ_2 = dE(x_2, t) ∘ f_2'(z_2)", "3×7 = 3×7 ∘ 3×7"),
        (PRODUCT, ("delta", 2), 7, "δ_2 = J_2ᵀ dE(x_2, t)", "3×7"),
        (SOFTMAX, ("delta", 2), 7, "δ_2 = x_2 − t", "3×7 = 3×7 − 3×7"),
        (SIGMOID, ("delta", 1), 7, "δ_1 = (W_2ᵀ δ_2) ∘ f_1'(z_1)", "5×7 = (5×3 · 3×7) ∘ 5×7"),
        (SOFTMAX, ("delta", 1), 7, "δ_1 = J_1ᵀ (W_2ᵀ δ_2)", "5×7 = J_1ᵀ (5×3 · 3×7)"),
        (SIGMOID, ("dW", 2), 7, "∂E/∂W_2 = δ_2 x_1ᵀ", "3×5 = 3×7 · 7×5"),
        (SIGMOID, ("db", 2), 7, "∂E/∂b_2 = δ_2, summed over the 7 instances", "3×1"),
        (SIGMOID, ("db", 2), 1, "∂E/∂b_2 = δ_2", "3×1"),
        (SIGMOID, ("W", 2), 7, "W_2 ← W_2 − α_2 ∂E/∂W_2", "3×5"),
        (SIGMOID, ("b", 2), 7, "b_2 ← b_2 − α_2 ∂E/∂b_2", "3×1"),
    ],
)
def test_the_line_of_each_quantity(
    net: Network, key: tuple[str, int], N: int, equation: str, shapes: str
) -> None:
    assert equation_of(net, key, N) == (equation, shapes)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("db[2] = db[2].ravel()", "(3,), not 3×1: a sum with axis=1 and keepdims=True stays a column"),
        ("db[2] = delta[2].sum(axis=0)", "(7,), not 3×1: it was summed over the units (axis=0)"),
        (
            "db[2] = delta[2].sum(axis=0, keepdims=True)",
            "1×7, not 3×1: it was summed over the units (axis=0)",
        ),
        ("db[2] = delta[2]", "3×7, not 3×1: it was not summed over the 7 instances"),
        (
            "db[2] = db[2] + db[2].ravel()",
            "3×3, not 3×1: a column and a row were added, as by a sum without keepdims=True",
        ),
        ("db[2] = db[2].T", "1×3, not 3×1: it is transposed"),
        ("dW[2] = dW[2].T", "5×3, not 3×5: it is transposed"),
        ("dW[2] = delta[2]", "3×7, not 3×5: the product with x_1 transposed is missing"),
        ("dW[2] = np.outer(delta[2], x[1])", "21×35, not 3×5: np.outer flattens its arguments"),
        ("dW[2] = dW[2][:, :4]", "3×4, not 3×5"),
    ],
)
def test_what_makes_such_a_shape(tmp_path: Path, wrong: str, said: str) -> None:
    X, T = data_for(SIGMOID, 7, 0)
    w = np.random.default_rng(0).normal(size=SIGMOID.size)
    point = GradientPoint(replace(SIGMOID, reduction="sum"), w, X, T)
    found = first_error(
        [point], [grading_trial(load_functions(written(tmp_path, ending(wrong))), point)], "backward"
    )
    assert found is not None
    assert found.judgment is not None
    assert found.judgment.complaint is not None
    assert found.judgment.complaint.startswith(f"its shape is {said}")
    assert (":" in said) or found.judgment.complaint == f"its shape is {said}"

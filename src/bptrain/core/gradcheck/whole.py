"""The gradient check of one network on arrays: analytic gradient against the complex step.

The complex step needs no subtraction, so its error is rounding alone (Squire and Trapp 1998):

    ∂f/∂θ = Im f(θ + ih) / h,  h tiny

Where rounding is large, right code may differ from the exact gradient by as much. So the error of a block is taken
relative to a scale s, the norm of the same backward product in absolute values, each factor that rounding can spoil
raised by 10⁻³:

    ‖a − n‖ / max(‖a‖, ‖n‖, s),  and 0 where all three are 0

so that rounding is not held against a gradient that cancels, as in saturated units or at a minimum.
"""

from typing import NamedTuple

import numpy as np

from bptrain.core.backprop import (
    NONE,
    Extras,
    Workspace,
    batch_divisor,
    forward,
    gradient,
    loss_sum,
    penalty,
    row_losses,
    workspace,
)
from bptrain.core.network import Block, Network, Views, views
from bptrain.parts.random import stream
from bptrain.parts.types import Array

STEP = 1e-30  # h: its square vanishes beside 1 in float64, and products with it stay normal numbers
TOLERANCE = 1e-10  # of the verdict; right code reads below 1e-12
FLOOR = 1e-3  # what a factor that rounding can spoil is raised by
VANISHING = 1e-7  # in units of s: below it the verdict adds that the gradient vanishes here


class BlockReport(NamedTuple):
    """The verdict on one W_i or b_i."""

    layer: int
    parameter: str  # weight | bias
    shape: tuple[int, ...]
    entries: int  # entries that were checked
    relative_error: float
    worst: tuple[int, ...]  # index of the entry with the largest |a − n|
    worst_analytic: float
    worst_numeric: float
    passed: bool
    vanishes: bool  # ‖a‖ and ‖n‖ are both below 10⁻⁷ s

    @property
    def verdict(self) -> str:
        """pass or mismatch, with a word where the gradient is all but zero."""
        return ("pass" if self.passed else "mismatch") + (
            ", the gradient vanishes here" if self.vanishes else ""
        )


class GradcheckReport(NamedTuple):
    """The verdict on one network at one point."""

    method: str
    tolerance: float
    layers: tuple[BlockReport, ...]
    rows: int
    parameters: int
    forward_error: float  # of the forward pass, against its equations written out once more

    @property
    def entries(self) -> int:
        """The number of parameters that were checked."""
        return sum(block.entries for block in self.layers)

    @property
    def max_relative_error(self) -> float:
        """The largest error of a block; NaN counts as largest."""
        return float(np.max([block.relative_error for block in self.layers]))

    @property
    def passed(self) -> bool:
        """Whether the forward pass and every block passed."""
        return self.forward_error <= TOLERANCE and all(block.passed for block in self.layers)


def gradcheck(
    network: Network,
    w: Array,
    X: Array,
    T: Array,
    analytic: Array | None = None,
    entries_per_block: int | None = None,
    seed: int = 0,
    extras: Extras = NONE,
) -> GradcheckReport:
    """Checks the gradient at the flat weights w over the rows X (N × n_0) and T (N × n_L), all in float64.

    It is that of the whole objective: with penalties, row weights, and dropout by the masks that are given.

    `analytic` is the gradient to judge, by default that of `backprop.py`. At most `entries_per_block` entries of a
    block are checked, drawn by `seed`; all of them without it. The error of a sample is taken over the sample.
    """
    w, X, T = (np.asarray(array, np.float64) for array in (w, X, T))
    with np.errstate(all="ignore"):
        a = gradient(network, w, X, T, extras) if analytic is None else np.asarray(analytic, np.float64)
        s = rounding_scale(network, w, X, T, extras)
        reports = []
        for block in network.blocks:
            entries = np.arange(block.start, block.stop)
            if entries_per_block is not None and len(entries) > entries_per_block:
                rng = stream(seed, "check", epoch=block.layer, step=int(block.kind == "bias"))
                entries = np.sort(rng.choice(entries, entries_per_block, replace=False))
            n = complex_step(network, w, X, T, entries, extras)
            reports.append(judge(block, entries, a[entries], n, s[entries]))
        wrong = forward_error(network, w, X, extras)
    return GradcheckReport("complex_step", TOLERANCE, tuple(reports), len(X), network.size, wrong)


def complex_step(
    network: Network, w: Array, X: Array, T: Array, entries: Array, extras: Extras = NONE
) -> Array:
    """Im objective(w + ih e_k) / h for each k of `entries`: one complex forward pass an entry."""
    real = workspace(network, len(X), w.dtype)
    forward(network, views(network, w), X, real, extras)
    theta = w.astype(np.complex128)
    parameters = views(network, theta)
    X_0 = X.astype(np.complex128)
    numeric = np.empty(len(entries))
    divisor = batch_divisor(network, len(X), extras.V)
    for position, k in enumerate(entries):
        theta[k] = w[k] + 1j * STEP
        Z_L, X_L = complex_forward(network, parameters, X_0, real, extras)
        E = loss_sum(row_losses(network, Z_L, X_L, T), extras.V) / divisor + penalty(network, parameters)
        numeric[position] = E.imag / STEP
        theta[k] = w[k]
    return numeric


def complex_forward(
    network: Network, parameters: Views, X_0: Array, real: Workspace, extras: Extras
) -> tuple[Array, Array]:
    """Z_L and X_L, each N × n_L, for complex weights, the real parts held to those of the real pass.

    The derivative travels in the imaginary parts alone. A complex product rounds its real part in another way than a
    real one; where terms cancel in z and f is steep, f' would be taken at another z than backpropagation takes it.
    """
    X = Z = X_0
    for i in range(1, network.L + 1):
        Y = X * extras.M[i - 1] if i - 1 in extras.M else X
        Z = Y @ parameters.W[i].T
        bias = parameters.b[i]
        if bias is not None:
            Z = Z + bias
        Z.real = real.Z[i]
        X = network.activations[i].f(Z).copy()  # identity gives Z itself
        X.real = real.X[i]
    return Z, X


def forward_error(network: Network, w: Array, X: Array, extras: Extras = NONE) -> float:
    """How far `forward` is from z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i), relative to the terms' absolute values.

    The complex pass takes its real parts from `forward`, so an error there would cancel out of the check of gradients.
    """
    parameters, real = views(network, w), workspace(network, len(X), w.dtype)
    forward(network, parameters, X, real, extras)
    worst = 0.0
    for i in range(1, network.L + 1):
        W, b = parameters.W[i], parameters.b[i]
        bias = np.zeros(len(W)) if b is None else b
        x = X if i == 1 else real.X[i - 1]
        x = x * extras.M[i - 1] if i - 1 in extras.M else x
        Z = np.einsum("nk,jk->nj", x, W) + bias
        terms = np.einsum("nk,jk->nj", np.abs(x), np.abs(W)) + np.abs(bias)
        difference = np.abs(real.Z[i] - Z) / np.where(terms == 0, 1.0, terms)
        same = np.array_equal(real.X[i], network.activations[i].f(real.Z[i]), equal_nan=True)
        worst = float(np.max([worst, difference.max(initial=0.0), 0.0 if same else np.inf]))
    return worst


def judge(block: Block, entries: Array, a: Array, n: Array, s: Array) -> BlockReport:
    """The verdict on the entries of one block: analytic a, numeric n, and the scale of each entry s."""
    a_norm, n_norm, s_norm = (float(np.linalg.norm(part)) for part in (a, n, s))
    largest = np.max([a_norm, n_norm, s_norm])
    error = 0.0 if largest == 0 else float(np.linalg.norm(a - n) / largest)
    worst = int(np.argmax(np.abs(a - n)))
    index = np.unravel_index(int(entries[worst]) - block.start, block.shape)
    return BlockReport(
        layer=block.layer,
        parameter=block.kind,
        shape=block.shape,
        entries=len(entries),
        relative_error=error,
        worst=tuple(int(k) for k in index),
        worst_analytic=float(a[worst]),
        worst_numeric=float(n[worst]),
        passed=error <= TOLERANCE,  # False for NaN
        vanishes=max(a_norm, n_norm) < VANISHING * s_norm,
    )


def rounding_scale(network: Network, w: Array, X: Array, T: Array, extras: Extras = NONE) -> Array:
    """s, flat: the backward product in absolute values, entry by entry.

    With A_i for |D_i|: A_L = |x_L − t| + 10⁻³ (max(1, |x_L|) + |t|) for a canonical pair, else (|dE| + 10⁻³ Σ|terms
    of dE|) ∘ (|f_L'| + 10⁻³); A_i = (A_{i+1} |W_{i+1}|) ∘ (|f_i'| + 10⁻³); s of W_i is A_iᵀ (|X_{i−1}| + 10⁻³), with
    |X_0| as it is; s of b_i is the column sums of A_i. A Jacobian product (softmax) is left out, and so are penalties;
    what a row weighs and masks multiply as they do in the gradient.
    """
    parameters = views(network, w)
    space = workspace(network, len(X), w.dtype)
    forward(network, parameters, X, space, extras)
    X_L, loss = space.X[network.L], network.loss

    def slope(i: int) -> Array | float:
        df = network.activations[i].df
        return 1.0 if df is None else np.abs(df(space.Z[i], space.X[i])) + FLOOR

    scale = np.empty_like(w)
    S = views(network, scale)
    if network.canonical:
        A = np.abs(X_L - T) + FLOOR * (np.fmax(1.0, np.abs(X_L)) + np.abs(T))
    else:
        A = (np.abs(loss.dE(X_L, T)) + FLOOR * loss.terms(X_L, T)) * slope(network.L)
    V, M = extras
    A = A * (1.0 if V is None else V[:, None]) / batch_divisor(network, len(X), V)
    for i in range(network.L, 0, -1):
        x = np.abs(space.X[i - 1]) + (FLOOR if i > 1 else 0.0)
        S.W[i][...] = A.T @ (x * M[i - 1] if i - 1 in M else x)
        bias = S.b[i]
        if bias is not None:
            bias[...] = A.sum(axis=0)
        if i > 1:
            A = (A @ np.abs(parameters.W[i])) * slope(i - 1) * M.get(i - 1, 1.0)
    return scale

"""The derivation in its own form: one instance, one column vector at a time. Slow, literal, and the oracle.

It imports nothing that it checks: only the activations and losses are shared with `backprop.py` and `objective.py`.
x, z and δ are columns (n_i × 1), and each line is a line of the derivation.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from bptrain.core.network import PLAIN, BatchContext, Network, Views
from bptrain.parts.types import Array


class Instance(NamedTuple):
    """Everything that one instance gives rise to; entry 0 of the lists is the input, or unused."""

    E: float
    x: list[Array]  # n_i × 1
    z: list[Array]  # n_i × 1
    delta: list[Array]  # n_i × 1
    dW: list[Array]  # n_i × n_{i−1}
    db: list[Array]  # n_i × 1
    steps: dict[str, Array]  # the gradients of the parameters of the steps before W_1, by name


def instance(
    network: Network, parameters: Views, x_0: Array, t: Array, masks: Mapping[int, Array] | None = None
) -> Instance:
    """Forward and backward for one instance: x_0 is n_0 × 1, t is n_L × 1, and the mask of layer i is n_i × 1.

    With steps before W_1, x_0 is what the first of them takes.
    """
    L, W, b = network.L, parameters.W, parameters.b
    empty = np.empty((0, 1))
    x_0, below = steps_forward(network, parameters, x_0)
    m = [(masks or {}).get(i, np.ones((network.sizes[i], 1))) for i in range(L)]
    x, z = [x_0] + [empty] * L, [empty] * (L + 1)
    for i in range(1, L + 1):
        z[i] = W[i] @ (m[i - 1] * x[i - 1])  # z_i = W_i x_{i−1} + b_i
        bias = b[i]
        if bias is not None:
            z[i] = z[i] + bias[:, None]
        x[i] = network.activations[i].f(z[i].T).T  # x_i = f_i(z_i)

    delta, dW, db = [empty] * (L + 1), [empty] * (L + 1), [empty] * (L + 1)
    if network.canonical and network.loss.E_of_z is not None:
        E = network.loss.E_of_z(z[L].T, t.T)[0]  # E(x_L, t), exact where x_L has rounded to 0 or 1
        delta[L] = x[L] - t
    else:
        E = network.loss.E(x[L].T, t.T)[0]
        delta[L] = jacobian(network, L, z[L], x[L]).T @ network.loss.dE(x[L].T, t.T).T
    for i in range(L - 1, 0, -1):
        delta[i] = jacobian(network, i, z[i], x[i]).T @ (m[i] * (W[i + 1].T @ delta[i + 1]))
    for i in range(1, L + 1):
        dW[i] = delta[i] @ (m[i - 1] * x[i - 1]).T  # ∂E/∂W_i = δ_i x_{i−1}ᵀ
        db[i] = delta[i]  # ∂E/∂b_i = δ_i
    steps = steps_backward(network, below, m[0] * (W[1].T @ delta[1]))
    return Instance(float(E), x, z, delta, dW, db, steps)


class StepInstance(NamedTuple):
    """A step before W_1 as a layer: its matrix in full, which is 0 outside its blocks."""

    full: Array  # units × n_in
    x: Array  # n_in × 1
    z: Array  # units × 1


def steps_forward(network: Network, parameters: Views, x: Array) -> tuple[Array, list[StepInstance]]:
    """x_0, and what each step has made of what it was given."""
    found = []
    for step, (W, b) in zip(network.input_steps, parameters.steps, strict=True):
        full = np.zeros((step.units, step.n_in))
        for g, columns in enumerate(step.columns):
            for o in range(step.outputs):
                full[g * step.outputs + o, columns] = W[g, o]
        z = full @ x if b is None else full @ x + b.reshape(-1, 1)
        found.append(StepInstance(full, x, z))
        x = np.vstack([x[[*step.kept]], step.f.f(z.T).T])
    return x, found


def steps_backward(network: Network, below: list[StepInstance], g: Array) -> dict[str, Array]:
    """The gradients of the steps' parameters, from g = ∂E/∂x_0: those of the full matrix, at its blocks."""
    found = {}
    for step, one in zip(network.input_steps[::-1], below[::-1], strict=True):
        kept, g_units = g[: len(step.kept)], g[len(step.kept) :]
        x = step.f.f(one.z.T).T
        assert step.f.df is not None
        delta = step.f.df(one.z.T, x.T).T * g_units  # δ = ∂E/∂x' ∘ f'(z)
        full = delta @ one.x.T  # ∂E/∂W = δ xᵀ
        found[step.weight.name] = np.array(
            [
                full[k * step.outputs : (k + 1) * step.outputs, columns]
                for k, columns in enumerate(step.columns)
            ]
        )
        if step.bias is not None:
            found[step.bias.name] = delta
        g = one.full.T @ delta
        g[[*step.kept]] += kept
    return found


def jacobian(network: Network, i: int, z: Array, x: Array) -> Array:
    """J_i = ∂x_i/∂z_i in full, n_i × n_i: diagonal for an element-wise activation, so that Jᵀg is g ∘ f'(z).

    Otherwise column k is Im f(z + ih e_k) / h, the complex step, which asks nothing of the part but f.
    """
    activation = network.activations[i]
    if activation.df is not None:
        return np.diag(activation.df(z.T, x.T)[0])
    h = 1e-30
    return activation.f(z.T + 1j * h * np.eye(len(z))).imag.T / h


def gradient(network: Network, parameters: Views, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
    """The flat gradient of the objective over the rows of X and T, instance by instance."""
    flat = np.zeros_like(parameters.flat)
    weights = np.ones(len(X)) if context.sample_weight is None else context.sample_weight
    for n, (x_0, t) in enumerate(zip(X, T, strict=True)):
        masks = {i: M_i[n][:, None] for i, M_i in context.dropout_masks.items()}
        one = instance(network, parameters, x_0[:, None], t[:, None], masks)
        for block in network.blocks:
            if block.layer == 0:
                part = one.steps[block.kind]
            else:
                part = one.dW[block.layer] if block.kind == "weight" else one.db[block.layer]
            flat[block.start : block.stop] += weights[n] * part.ravel()
    if network.reduction == "mean":
        flat /= weights.sum()
    for block in network.blocks:
        if block.kind == "weight":
            w = parameters.flat[block.start : block.stop]
            flat[block.start : block.stop] += network.l1 * np.sign(w) + network.l2 * w
    return flat

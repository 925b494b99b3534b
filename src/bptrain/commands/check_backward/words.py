"""The line of the derivation that a quantity is computed by, with its shapes: where to look."""

from typing import NamedTuple

from bptrain.core.network import Network
from bptrain.gradient_check.grading import Key


class Line(NamedTuple):
    """One equation, and the shapes of its factors."""

    equation: str
    shapes: str


def line(network: Network, key: Key, N: int) -> Line:
    """The line of a quantity such as ("delta", 2), for N instances."""
    (name, i), n = key, network.sizes
    over = "" if N == 1 else f", summed over the {N} instances"
    if name == "delta":
        return delta_line(network, i, N)
    if (name, i) == ("x", 0):
        return Line("x[0] = x_0", f"{n[0]}×{N}")
    if name == "x":
        return Line(f"x_{i} = f_{i}(z_{i})", f"{n[i]}×{N}")
    if name == "z":
        bias = network.bias[i]
        product = f"{n[i]}×{N} = {n[i]}×{n[i - 1]} · {n[i - 1]}×{N}"
        equation = f"z_{i} = W_{i} x_{i - 1}" + (f" + b_{i}" if bias else "")
        return Line(equation, product + (f" + {n[i]}×1" if bias else ""))
    if name == "dW":
        shapes = f"{n[i]}×{n[i - 1]} = {n[i]}×{N} · {N}×{n[i - 1]}"
        return Line(f"∂E/∂W_{i} = δ_{i} x_{i - 1}ᵀ", shapes)
    if name == "db":
        return Line(f"∂E/∂b_{i} = δ_{i}{over}", f"{n[i]}×1")
    columns = n[i - 1] if name == "W" else 1
    return Line(f"{name}_{i} ← {name}_{i} − α_{i} ∂E/∂{name}_{i}", f"{n[i]}×{columns}")


def delta_line(network: Network, i: int, N: int) -> Line:
    """The line of δ_i."""
    n, L, element_wise = network.sizes, network.L, network.activations[i].df is not None
    here = f"{n[i]}×{N}"
    if i == L and network.canonical:
        return Line(f"δ_{i} = x_{i} − t", f"{here} = {here} − {here}")
    if i == L:
        equation = f"dE(x_{i}, t) ∘ f_{i}'(z_{i})" if element_wise else f"J_{i}ᵀ dE(x_{i}, t)"
        return Line(f"δ_{i} = {equation}", f"{here} = {here} ∘ {here}" if element_wise else here)
    product, shapes = f"W_{i + 1}ᵀ δ_{i + 1}", f"{n[i]}×{n[i + 1]} · {n[i + 1]}×{N}"
    if element_wise:
        return Line(f"δ_{i} = ({product}) ∘ f_{i}'(z_{i})", f"{here} = ({shapes}) ∘ {here}")
    return Line(f"δ_{i} = J_{i}ᵀ ({product})", f"{here} = J_{i}ᵀ ({shapes})")

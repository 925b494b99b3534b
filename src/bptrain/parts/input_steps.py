"""Steps between the inputs and W_1, which are trained with the network.

A step takes some columns of each row x in groups of equal size, and gives

    z_g = W_g x_g + b_g,   x'_g = f(z_g)        for every group g

so it is a layer of the derivation whose W is 0 but for the blocks W_g, and its gradients are the derivation's own:
∂E/∂W_g = δ_g x_gᵀ, ∂E/∂b_g = δ_g. Other columns may be kept as they are; they come before the x'_g.
"""

import math
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Interval

from bptrain.parts.activations import Activation, activations
from bptrain.parts.types import Array, Generator, Positive
from bptrain.registry import Registry

# A step lists the columns of each group, so they are fewer than a layer may have.
Frequencies = Annotated[int, Interval(ge=1, le=10_000)]
EmbeddingSize = Annotated[int, Interval(ge=2, le=10_000)]


Start = Callable[[Generator, tuple[int, ...]], Array]  # (rng, shape) -> values in float64


class StepParameter(NamedTuple):
    """The W_g or the b_g of a step: their name in a checkpoint, behind "input.", and how they begin."""

    name: str
    start: Start
    rate: float = 1.0  # the learning rate is multiplied by it


class InputStep(NamedTuple):
    """One step, of rows of n_in columns."""

    n_in: int
    columns: tuple[tuple[int, ...], ...]  # by group: the columns that it takes
    outputs: int  # of a group
    kept: tuple[int, ...]  # columns that are passed on as they are
    f: Activation  # element-wise
    weight: StepParameter  # W, groups × outputs × columns of a group
    bias: StepParameter | None  # b, groups × outputs

    @property
    def units(self) -> int:
        """The entries of z."""
        return len(self.columns) * self.outputs

    @property
    def n_out(self) -> int:
        """The columns that it gives."""
        return len(self.kept) + self.units

    @property
    def W_shape(self) -> tuple[int, int, int]:
        """Groups × outputs × columns of a group."""
        return (len(self.columns), self.outputs, len(self.columns[0]))

    @property
    def parameters(self) -> tuple[tuple[StepParameter, tuple[int, ...]], ...]:
        """What is trained, each with its shape, without the axes of W that have one entry."""
        groups, *others = self.W_shape
        W = (self.weight, (groups, *(n for n in others if n > 1)))
        return (W,) if self.bias is None else (W, (self.bias, (groups, self.outputs)))


class Embedding(NamedTuple):
    """Steps that put columns of their own beside each number of x."""

    steps: Callable[
        [int, tuple[int, ...]], tuple[InputStep, ...]
    ]  # (columns of x, which of them are numbers)


embeddings: Registry[Embedding] = Registry("embedding")


@embeddings.add(
    "periodic",
    "h_q = cos(ν_q ξ_q + φ_q)",
    "V_q h_q + ζ_q",
    "∂E/∂V_q = η_q h_qᵀ, ∂E/∂ζ_q = η_q",
    "∂E/∂φ_q = −(V_qᵀ η_q) ∘ sin(ν_q ξ_q + φ_q), ∂E/∂ν_q = ξ_q ∂E/∂φ_q",
    "ν_q: N(0, (2π {sigma})²); φ_q: U(−π, π); V_q, ζ_q: U(−1/√{frequencies}, 1/√{frequencies})",
)
def periodic(
    frequencies: Frequencies = 16, size: EmbeddingSize = 4, sigma: Positive = 0.1, rate: Positive = 1.0
) -> Embedding:
    """x and V cos(ν x + φ) + ζ, `size` columns of each number x. Holzmüller et al. 2024 (PBLD).

    Gorishniy, Rubachev and Babenko 2022 have sines as well, and no phases. ν, φ and ζ are columns, V is
    (size − 1) × frequencies, and all are trained. ν begins as N(0, (2π sigma)²), φ as U(−π, π), V and ζ as
    U(−1/√frequencies, 1/√frequencies). The papers write 2π w for ν, so its learning rate is 2π times that of
    the others, which is `rate` times that of the network.
    """

    def steps(n: int, numbers: tuple[int, ...]) -> tuple[InputStep, ...]:
        kept, groups = tuple(range(n)), range(len(numbers))
        waves = InputStep(
            n,
            tuple((k,) for k in numbers),
            frequencies,
            kept,
            Activation(_cos, _minus_sin),
            StepParameter("embed.frequencies", normal(2.0 * math.pi * sigma), 2.0 * math.pi * rate),
            StepParameter("embed.phases", uniform(math.pi), rate),
        )
        bound = 1.0 / math.sqrt(frequencies)
        mixed = InputStep(
            waves.n_out,
            tuple(tuple(range(n + g * frequencies, n + (g + 1) * frequencies)) for g in groups),
            size - 1,
            kept,
            activations.get("identity")(),
            StepParameter("embed.weight", uniform(bound), rate),
            StepParameter("embed.bias", uniform(bound), rate),
        )
        return waves, mixed

    return Embedding(steps)


def _cos(z: Array) -> Array:
    return np.cos(z)


def _minus_sin(z: Array, x: Array) -> Array:
    return -np.sin(z)


def normal(std: float) -> Start:
    """N(0, std²)."""
    return lambda rng, shape: rng.normal(0.0, std, shape)


def uniform(bound: float) -> Start:
    """U(−bound, bound)."""
    return lambda rng, shape: rng.uniform(-bound, bound, shape)

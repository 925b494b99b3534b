"""The network: its sizes, its functions, and its parameters as one flat vector.

All parameters lie in one vector w: those of the steps before W_1, if there are any, then layer by layer W_i (row by
row) and b_i. W[i] and b[i] are views of it, so a rule that updates w has updated every W_i. Layers count as in the
derivation: 1 … L; slot 0 is the input.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from bptrain.parts.activations import Activation
from bptrain.parts.initializers import Initializer
from bptrain.parts.input_steps import InputStep, StepParameter
from bptrain.parts.losses import Loss
from bptrain.parts.penalties import Penalty, penalty
from bptrain.parts.random import stream
from bptrain.parts.types import Array


@dataclass(frozen=True)
class Network:
    """What is fixed before training: sizes n_0 … n_L, f_1 … f_L, and the loss.

    The lists have L + 1 entries, like the derivation's indices; entry 0 of `activations` and `bias` is for the
    input and is unused. n_0 is what W_1 takes: with steps before it, what the last of them gives.
    """

    sizes: tuple[int, ...]
    activations: tuple[Activation, ...]
    bias: tuple[bool, ...]
    loss: Loss
    reduction: str = "mean"  # mean: the sum over the rows is divided by their total weight; sum: it is not
    canonical: bool = False  # loss and f_L are a canonical pair, so δ_L = x_L − t
    l1: float = 0.0  # the objective has l1 Σ|w| + ½ l2 Σ w² over all W_i, not b_i
    l2: float = 0.0
    dropout: tuple[float, ...] = ()  # the share of x_0 … x_{L−1} that is dropped in training; empty: none
    input_steps: tuple[InputStep, ...] = ()  # before W_1, the first takes the inputs

    @cached_property
    def L(self) -> int:
        """The number of layers, that is, of weight matrices."""
        return len(self.sizes) - 1

    @cached_property
    def blocks(self) -> tuple["Block", ...]:
        """The parameter blocks in the order of the flat vector."""
        shapes: list[tuple[int, str, tuple[int, ...]]] = [
            (0, parameter.name, shape) for step in self.input_steps for parameter, shape in step.parameters
        ]
        for i in range(1, self.L + 1):
            n_out, n_in = self.sizes[i], self.sizes[i - 1]
            shapes.append((i, "weight", (n_out, n_in)))
            if self.bias[i]:
                shapes.append((i, "bias", (n_out,)))
        blocks: list[Block] = []
        start = 0
        for layer, kind, shape in shapes:
            blocks.append(Block(layer, kind, shape, start, start + math.prod(shape)))
            start = blocks[-1].stop
        return tuple(blocks)

    @cached_property
    def of_steps(self) -> int:
        """The number of parameters of the steps before W_1, which are the first of the flat vector."""
        return next(block.start for block in self.blocks if block.layer == 1)

    @cached_property
    def rate_factors(self) -> dict["Block", float]:
        """What the learning rate is multiplied by, of each parameter of the steps before W_1."""
        parameters = step_parameters(self)
        return {block: parameter.rate for block, parameter in zip(self.blocks, parameters, strict=False)}

    @property
    def inputs(self) -> int:
        """The number of inputs: n_0, or what the first step before W_1 takes."""
        return self.input_steps[0].n_in if self.input_steps else self.sizes[0]

    @property
    def widest(self) -> int:
        """The most columns of a matrix of a batch."""
        return max(*self.sizes, *(max(step.n_in, step.units, step.n_out) for step in self.input_steps))

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.blocks[-1].stop

    @cached_property
    def penalty(self) -> Penalty | None:
        """The penalty on the entries of each W_i; None without one."""
        return penalty(self.l1, self.l2) if self.l1 or self.l2 else None

    @property
    def masked(self) -> tuple[int, ...]:
        """The layers i, 0 … L−1, of whose output x_i some units are dropped in training."""
        return tuple(i for i, share in enumerate(self.dropout) if share > 0)


@dataclass(frozen=True)
class Block:
    """One W_i or b_i, or a parameter of a step before W_1: its place in the flat vector."""

    layer: int  # 0: of a step before W_1
    kind: str  # weight | bias, or the name of a step's parameter
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The name in a checkpoint, such as layers.1.weight or input.embed.weight."""
        return f"layers.{self.layer}.{self.kind}" if self.layer else f"input.{self.kind}"

    def view(self, flat: Array) -> Array:
        """This block of a flat vector, in its own shape, without a copy."""
        return flat[self.start : self.stop].reshape(self.shape)


@dataclass(frozen=True)
class Views:
    """A flat vector seen as matrices: W[i] is n_i × n_{i−1}, b[i] is n_i, or None without a bias.

    The same record serves parameters (W, b) and gradient (dW, db). Entry 0 is an empty array, or None for b. `steps`
    are W and b of each step before W_1.
    """

    flat: Array
    W: list[Array]
    b: list[Array | None]
    steps: list[tuple[Array, Array | None]]


def views(network: Network, flat: Array) -> Views:
    """W[i] and b[i] of a flat parameter vector or gradient."""
    W = [np.empty((0, 0), flat.dtype) for _ in range(network.L + 1)]
    b: list[Array | None] = [None] * (network.L + 1)
    for block in network.blocks:
        if block.kind == "weight":
            W[block.layer] = block.view(flat)
        elif block.kind == "bias":
            b[block.layer] = block.view(flat)
    return Views(flat, W, b, views_of_steps(network, flat) if network.input_steps else [])


def views_of_steps(network: Network, flat: Array) -> list[tuple[Array, Array | None]]:
    """W and b of each step before W_1, of a flat vector or of its beginning."""
    found = {block.kind: block.view(flat) for block in network.blocks if block.layer == 0}
    return [
        (
            found[step.weight.name].reshape(step.W_shape),
            None if step.bias is None else found[step.bias.name],
        )
        for step in network.input_steps
    ]


class BatchContext(NamedTuple):
    """What belongs to the rows of a batch in addition to inputs and targets."""

    sample_weight: Array | None = None  # v_n, the weight of each row's loss, N; None: 1
    dropout_masks: Mapping[int, Array] = MappingProxyType(
        {}
    )  # M_i by layer 0 … L−1, N × n_i: 0 or 1/(1 − p_i)

    def part(self, rows: slice | Array) -> "BatchContext":
        """The same of some of the rows: a slice, or their numbers."""
        v, masks = self
        if v is None and not masks:
            return self
        return BatchContext(None if v is None else v[rows], {i: M_i[rows] for i, M_i in masks.items()})


PLAIN = BatchContext()  # every row has weight 1, and no unit is dropped


def step_parameters(network: Network) -> list[StepParameter]:
    """What the steps before W_1 train, in the order of the blocks."""
    return [parameter for step in network.input_steps for parameter, _ in step.parameters]


def initial_parameters(
    network: Network, initializers: Sequence[Initializer], biases: Sequence[float], seed: int, dtype: type
) -> Array:
    """The initial weights as a flat vector. A layer's draws do not depend on the other layers' sizes.

    `initializers` and `biases` (initial values, where the initializer draws none) have L + 1 entries; entry 0 is
    unused.
    """
    flat: Array = np.empty(network.size, dtype)
    for number, (block, parameter) in enumerate(
        zip(network.blocks, step_parameters(network), strict=False), 1
    ):
        rng = stream(seed, "weights", epoch=0, step=number)
        block.view(flat)[...] = parameter.start(rng, block.shape)
    W = np.empty((0, 0))
    for block in network.blocks:  # b_i comes right after W_i
        if block.layer == 0:
            continue
        initializer = initializers[block.layer]
        rng = stream(seed, "weights", epoch=block.layer, step=int(block.kind == "bias"))
        if block.kind == "weight":
            W = initializer(rng, *block.shape)
            block.view(flat)[...] = W
        else:
            block.view(flat)[...] = biases[block.layer] if initializer.b is None else initializer.b(rng, W)
    return flat

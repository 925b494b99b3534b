"""Networks that the tests of several rooms share."""

import itertools
from dataclasses import replace

import numpy as np

from bptrain.commands.gradcheck.selftest import targets
from bptrain.core.network import Network
from bptrain.parts.activations import activations
from bptrain.parts.input_steps import InputStep, StepParameter
from bptrain.parts.losses import fits, losses
from bptrain.parts.types import Array, Generator


def network(
    sizes: tuple[int, ...],
    names: list[str] | str = "sigmoid",
    loss: str = "half_squared_error",
    bias: bool = True,
    reduction: str = "mean",
) -> Network:
    """A network of registered parts with their default options."""
    L = len(sizes) - 1
    chosen = [names] * L if isinstance(names, str) else names
    made = losses.get(loss)()
    return Network(
        sizes=sizes,
        activations=(activations.get("identity")(), *(activations.get(name)() for name in chosen)),
        bias=(False, *[bias] * L),
        loss=made,
        reduction=reduction,
        canonical=made.canonical == chosen[-1],
    )


def data_for(net: Network, rows: int, seed: int, dtype: type = np.float64) -> tuple[Array, Array]:
    """Inputs and targets that suit the network's loss."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, net.inputs))
    T = targets(net.loss, rng, rows, net.sizes[-1])
    return X.astype(dtype), T.astype(dtype)


SMOOTH = [name for name in activations if not activations.get(name)().kinks]
PAIRS = [
    (f, E) for f, E in itertools.product(activations, losses) if fits(losses.get(E)(), activations.get(f)())
]
SMOOTH_PAIRS = [(f, E) for f, E in PAIRS if f in SMOOTH]


def combinations() -> list[tuple[str, str, str]]:
    """(hidden, last, loss): every pair with its activation hidden too, and every activation hidden with every loss."""
    first = {E: next(f for f, other in SMOOTH_PAIRS if other == E) for E in losses}
    under = {E: losses.get(E)().canonical or first[E] for E in losses}
    drawn = [(f, f, E) for f, E in PAIRS] + [
        (f, under[E], E) for f, E in itertools.product(activations, losses)
    ]
    return list(dict.fromkeys(drawn))


COMBINATIONS = combinations()


def with_steps(net: Network) -> Network:
    """The network, whose n_0 is 7, with three steps before W_1 that take 4 inputs: all inputs are scaled; two become
    waves beside themselves; pairs of waves are combined, and the inputs passed on.
    """
    assert net.sizes[0] == 7
    V, c = ([StepParameter(f"{letter}{k}", normal) for k in range(2)] for letter in "Vc")
    waves = InputStep(4, ((1,), (3,)), 3, (0, 1, 2, 3), activations.get("sine")(), V[0], c[0])
    pairs = InputStep(
        10, ((4, 5), (6, 7), (8, 9)), 1, (0, 1, 2, 3), activations.get("identity")(), V[1], c[1]
    )
    return replace(net, input_steps=(scaled(4), waves, pairs))


def scaled(n: int) -> InputStep:
    """s ∘ x, at six times the rate of the network."""
    s = StepParameter("scale", lambda rng, shape: np.ones(shape), 6.0)
    return InputStep(n, tuple((k,) for k in range(n)), 1, (), activations.get("identity")(), s, None)


def normal(rng: Generator, shape: tuple[int, ...]) -> Array:
    """N(0, 1)."""
    return rng.normal(size=shape)

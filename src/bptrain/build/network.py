"""The one place where a Config becomes objects."""

from collections.abc import Sequence

from bptrain.build.making import make
from bptrain.config import Loaded
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.core.network import Network, initial_parameters
from bptrain.data.schema import Schema
from bptrain.errors import Problem, UsageError
from bptrain.parts.activations import Activation, activations
from bptrain.parts.initializers import Initializer, initializers
from bptrain.parts.input_steps import Embedding, InputStep, embeddings
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array

# --- data ---------------------------------------------------------------------------------------------


# --- network ------------------------------------------------------------------------------------------


def build_network(config: Config, sizes: Sequence[int], task: str, numbers: tuple[int, ...] = ()) -> Network:
    """The network of a config, for sizes without `auto` and a decided task; the first size is that of the inputs.

    `numbers` are the inputs that `network.input.embed` is for. Raises UsageError where there is none.
    """
    L = len(sizes) - 1
    names = activation_parts(config, task)
    loss = make(losses, config.loss)
    made: list[Activation] = [make(activations, part) for part in names]
    steps = input_steps(config, sizes[0], numbers)
    n_0 = steps[-1].n_out if steps else sizes[0]
    return Network(
        sizes=(n_0, *sizes[1:]),
        activations=(activations.get("identity")(), *made),
        bias=(False, *(value is not False for value in config.network.bias)),
        loss=loss,
        reduction=config.loss.reduction,
        canonical=loss.canonical == names[L - 1].name,
        l1=config.training.penalty.l1,
        l2=config.training.penalty.l2,
        dropout=config.network.dropout,
        input_steps=steps,
    )


def input_steps(config: Config, n: int, numbers: tuple[int, ...]) -> tuple[InputStep, ...]:
    """The steps between n inputs and W_1. Raises UsageError where there is nothing to embed."""
    section = config.network.input
    if section is None or section.embed is None:
        return ()
    if not numbers:
        message = "there is no number among the inputs, and only numbers are embedded: leave it out"
        raise UsageError(Problem("embed", message, path="network.input.embed"))
    embedding: Embedding = make(embeddings, section.embed)
    return embedding.steps(n, numbers)


def activation_parts(config: Config, task: str) -> tuple[PartConfig, ...]:
    """The activations of layers 1 … L: as given, or tanh, and at the output what suits task and loss."""
    if config.network.activations is not None:
        return config.network.activations
    loss: Loss = make(losses, config.loss)
    last = loss.output or ("sigmoid" if task == "classification" else "identity")
    hidden = len(config.network.sizes) - 2
    return (*(PartConfig("tanh", {}) for _ in range(hidden)), PartConfig(last, {}))


def network_of_schema(config: Config, schema: Schema) -> Network:
    """The network of a config for the columns of a data set."""
    sizes = [schema.n_inputs, *config.network.sizes[1:-1], schema.n_outputs]
    return build_network(config, [int(n) for n in sizes], schema.task, schema.numbers)


def network_for(loaded: Loaded, schema: Schema) -> Network:
    """The same of a config file. Raises UsageError with the position of the key."""
    with loaded.locating():
        return network_of_schema(loaded.config, schema)


def initial_weights(config: Config, network: Network, dtype: type) -> Array:
    """The initial weights as a flat vector, a pure function of the seed."""
    draws: list[Initializer] = [initializers.get("zeros")()]
    for part, activation in zip(config.network.initializer, network.activations[1:], strict=True):
        if part.name == "auto":
            name = "he_normal" if activation.relu_family else "glorot_uniform"
            draws.append(initializers.get(name)())
        else:
            draws.append(make(initializers, part))
    biases = [0.0, *(0.0 if isinstance(value, bool) else value for value in config.network.bias)]
    return initial_parameters(network, draws, biases, config.seed, dtype)


# --- training -----------------------------------------------------------------------------------------

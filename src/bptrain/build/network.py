"""The one place where a Config becomes objects."""

from collections.abc import Sequence

from bptrain.build.making import make
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.core.network import Network, initial_parameters
from bptrain.data.schema import Schema
from bptrain.parts.activations import Activation, activations
from bptrain.parts.initializers import Initializer, initializers
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array

# --- data ---------------------------------------------------------------------------------------------


# --- network ------------------------------------------------------------------------------------------


def build_network(config: Config, sizes: Sequence[int], task: str) -> Network:
    """The network of a config, for sizes without `auto` and a decided task."""
    L = len(sizes) - 1
    names = activation_parts(config, task)
    loss = make(losses, config.loss)
    made: list[Activation] = [make(activations, part) for part in names]
    return Network(
        sizes=tuple(sizes),
        activations=(activations.get("identity")(), *made),
        bias=(False, *(value is not False for value in config.network.bias)),
        loss=loss,
        reduction=config.loss.reduction,
        canonical=loss.canonical == names[L - 1].name,
        l1=config.training.penalty.l1,
        l2=config.training.penalty.l2,
        dropout=config.network.dropout,
    )


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
    return build_network(config, [int(n) for n in sizes], schema.task)


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

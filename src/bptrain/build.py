"""The one place where a Config becomes objects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bptrain.config import Loaded
from bptrain.config.part import LossConfig, OptimizerConfig, PartConfig, ScheduleConfig
from bptrain.config.resolved import target_is_path
from bptrain.config.schema import Config
from bptrain.config.schema import Source as FileSource
from bptrain.core.network import Network, initial_parameters
from bptrain.data.prepare import Prepared, prepare
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings, NetworkFacts, Source
from bptrain.engines.base import Shaping, Task
from bptrain.errors import DataError, Problem, UsageError
from bptrain.parts.activations import Activation, activations
from bptrain.parts.averaging import with_average
from bptrain.parts.initializers import Initializer, initializers
from bptrain.parts.losses import Loss, losses
from bptrain.parts.methods import Method, methods
from bptrain.parts.optimizers import Optimizer, with_weight_decay
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import Schedule, schedules, with_warmup
from bptrain.parts.solvers import Solver
from bptrain.parts.types import Array
from bptrain.registry import Registry


def make(registry: Registry[Any], part: PartConfig | LossConfig | OptimizerConfig | ScheduleConfig) -> Any:
    """The part that a name with options stands for."""
    return registry.get(part.name)(**part.options)


def dtype_of(config: Config) -> type:
    """float32 or float64."""
    return np.float64 if config.network.dtype == "float64" else np.float32


# --- data ---------------------------------------------------------------------------------------------


def prepare_data(loaded: Loaded, dtype: DTypeLike | None = None, limit: int | None = None) -> Prepared:
    """Reads, splits and encodes the data of a config; with `limit`, encodes the first rows of each split alone.

    Raises DataError; a problem that lies with a key of the config is given that key's place in the file.
    """
    config = loaded.config
    try:
        settings, facts = data_settings(loaded), network_facts(config)
        return prepare(settings, facts, config.seed, dtype or dtype_of(config), limit)
    except DataError as error:
        raise DataError([located(loaded, problem) for problem in error.problems]) from error


def located(loaded: Loaded, problem: Problem) -> Problem:
    """The problem with the file, line and column of the config key it names, if it has no place of its own."""
    if problem.line is not None or not problem.path:
        return problem
    place = loaded.locate(problem.path)
    return problem._replace(file=place.file, line=place.line, column=place.column, source=place.source)


def data_settings(loaded: Loaded) -> DataSettings:
    """The data section, with absolute paths and made scalers."""
    data = loaded.absolute().data
    target: tuple[str, ...] | None = data.target
    train = source_of(data.train)
    assert train is not None
    if target is not None and target_is_path(loaded.config):
        train, target = train._replace(target=Path(target[0])), None
    validation, test = data.shares
    return DataSettings(
        train=train,
        validation=source_of(data.validation),
        test=source_of(data.test),
        target=target,
        features=data.features,
        exclude=data.exclude,
        columns=data.columns,
        validation_share=validation,
        test_share=test,
        stratify=None if data.split.stratify == "auto" else data.split.stratify,
        shuffle=data.split.shuffle,
        scale=make(scalers, data.scale),
        scale_target=None if data.scale_target.name == "auto" else make(scalers, data.scale_target),
        missing=data.missing,
        task=loaded.config.task,
        weight=data.weight,
        class_weight=loaded.config.loss.class_weight,
    )


def source_of(source: FileSource | None) -> Source | None:
    """The files of one set of rows."""
    if source is None:
        return None
    return Source(Path(source.inputs), Path(source.target) if source.target is not None else None)


def network_facts(config: Config) -> NetworkFacts:
    """What the data room needs to know of network and loss."""
    sizes, chosen = config.network.sizes, config.network.activations
    loss: Loss = make(losses, config.loss)
    return NetworkFacts(
        loss_name=config.loss.name,
        loss_outputs=loss.outputs,
        smoothing=loss.smoothing,
        n_inputs=None if sizes[0] == "auto" else sizes[0],
        n_outputs=None if sizes[-1] == "auto" else sizes[-1],
        output_range=None if chosen is None else make(activations, chosen[-1]).range,
        scale_is_none=config.data.scale.name == "none",
    )


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
    """The flat start vector, a pure function of the seed."""
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


def build_method(config: Config) -> Method:
    """The rule of a config, with its weight decay and the average of the weights; or its solver."""
    method: Method = make(methods, config.optimizer)
    if isinstance(method, Solver):
        return method
    rule, average = with_weight_decay(method, config.optimizer.weight_decay or 0.0), config.training.average
    return rule if average is None else with_average(rule, average.decay)


def build_schedule(config: Config) -> Schedule:
    """The schedule of a config, with its warm-up."""
    return with_warmup(make(schedules, config.schedule), config.schedule.warmup)


def build_task(config: Config, network: Network, rows: int) -> Task:
    """Everything about the updates: sgd takes 1 row each, batch mode all, mini-batches `batch_size` × `accumulate`."""
    training = config.training
    of_mode = {"sgd": 1, "batch": rows, "minibatch": (training.batch_size or 32) * training.accumulate}
    noise = None if training.noise is None else (training.noise.std, training.noise.decay)
    method = build_method(config)
    return Task(
        network=network,
        method=method,
        schedule=build_schedule(config),
        rate=method.learning_rate if isinstance(method, Optimizer) else 1.0,
        rows=rows,
        batch_size=min(of_mode[training.mode], rows),
        epochs=training.epochs,
        shaping=Shaping(training.clip_norm, training.clip_value, noise, training.max_norm),
        weighted=config.data.weight is not None or config.loss.class_weight is not None,
        accumulate=training.accumulate,
    )


def refuse_what_is_too_large(loaded: Loaded, network: Network) -> None:
    """Raises UsageError, at the sizes, where the solver of a config cannot have so many parameters."""
    method: Method = make(methods, loaded.config.optimizer)
    reason = method.too_large(network.size) if isinstance(method, Solver) else None
    if reason is not None:
        raise UsageError(located(loaded, Problem("too_large", reason, path="network.sizes")))

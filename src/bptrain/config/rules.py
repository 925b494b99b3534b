"""Rules that join keys or sections: plain functions over the sections that they name as parameters.

A rule runs when all its sections are valid by themselves, and needs no data file. What it finds is said at
the key that the user would change.
"""

import inspect
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from bptrain.config.finding import Finding, Findings, KeyPath
from bptrain.config.limits import MAX_PROBLEMS
from bptrain.config.part import LossConfig, OptimizerConfig, PartConfig
from bptrain.config.rules_controls import CONTROLS
from bptrain.config.rules_initializers import INITIALIZERS
from bptrain.config.rules_losses import LOSSES, loss_of
from bptrain.config.rules_objective import OBJECTIVE
from bptrain.config.rules_optimizers import OPTIMIZERS
from bptrain.config.rules_solvers import SOLVERS
from bptrain.config.schema import CheckpointConfig, DataConfig, NetworkConfig, Source, TrainingConfig
from bptrain.parts.metrics import Metric
from bptrain.parts.metrics import metrics as metric_parts


def broken(sections: dict[str, Any]) -> list[Finding]:
    """What the rules find in the sections that are there (by the names of the keys of Config)."""
    findings: list[Finding] = []
    for rule, names in RULES:
        if all(name in sections for name in names):
            findings += islice(rule(*(sections[name] for name in names)), MAX_PROBLEMS + 1)
    return findings


def lists_have_one_entry_a_layer(network: NetworkConfig) -> Findings:
    for key in ("activations", "bias", "initializer"):
        entries = getattr(network, key)
        if entries is not None and len(entries) != network.layers:
            yield _wrong_length(("network", key), len(entries), network)


def learning_rates_have_one_entry_a_layer(network: NetworkConfig, optimizer: OptimizerConfig) -> Findings:
    rates = optimizer.options.get("learning_rate")
    if isinstance(rates, tuple) and len(rates) != network.layers:
        yield _wrong_length(("optimizer", "learning_rate"), len(rates), network)


def _wrong_length(path: KeyPath, entries: int, network: NetworkConfig) -> Finding:
    message = (
        f"the list has {_count(entries, 'entry', 'entries')}, but {len(network.sizes)} sizes make "
        f"{_count(network.layers, 'layer')}; give one value, or one a layer"
    )
    return Finding(path, message, "wrong_length")


def auto_is_at_the_ends(network: NetworkConfig) -> Findings:
    for i in range(1, network.layers):
        if network.sizes[i] == "auto":
            message = "only the first and the last size can be auto: the data decide them; give a number here"
            yield Finding(("network", "sizes", i), message)


def batch_size_has_its_mode(training: TrainingConfig) -> Findings:
    if training.mode != "minibatch" and training.batch_size is not None:
        what = "one instance" if training.mode == "sgd" else "all instances"
        message = f"mode {training.mode} takes {what} an update: leave batch_size out, or set mode: minibatch"
        yield Finding(("training", "batch_size"), message)


def metrics_fit_task(task: str, loss: LossConfig, metrics: tuple[PartConfig, ...] | None) -> Findings:
    known = "classification" if loss_of(loss).outputs == "distribution" else task
    for i, chosen in enumerate(metrics or ()):
        metric: Metric = metric_parts.get(chosen.name)(**chosen.options)
        if known != "auto" and metric.task != known:
            message = f"{chosen.name} is a metric of {metric.task}, but the task is {known}"
            yield Finding(("metrics", i), message)
    yield from _listed_twice(("metrics",), [chosen.name for chosen in metrics or ()])


def _listed_twice(path: KeyPath, names: Iterable[str]) -> Findings:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield Finding((*path, i), f"{name} is listed twice", "duplicate")
        seen.add(name)


def target_is_given(data: DataConfig) -> Findings:
    """`target` names columns, except where the targets have a file or an array of their own."""
    if data.train.target is not None:
        if data.target is not None:
            message = f"train names the file of the targets already ({data.train.target}); leave one out"
            yield Finding(("data", "target"), message)
    elif data.target is None and _form(data.train) != "npz":
        what = "the column to learn" if _form(data.train) == "table" else "the file of the targets"
        yield Finding(("data", "target"), f"must be given: {what}", "missing_key")
    elif data.target is not None and len(data.target) > 1 and _form(data.train) != "table":
        message = "a list of targets is a list of columns, and only csv and tsv have columns; name one target"
        yield Finding(("data", "target"), message)
    for key in ("validation", "test"):
        source: Source | None = getattr(data, key)
        if source is not None and source.target is None and _form(source) == "other":
            message = "the file has no targets in it; write {inputs: PATH, target: PATH}"
            yield Finding(("data", key), message, "missing_key")


def columns_have_one_role(data: DataConfig) -> Findings:
    """A column is a target, a feature, or left out."""
    targets = data.target or ()
    features = data.features if isinstance(data.features, tuple) else ()
    for key, names in (("target", targets), ("features", features), ("exclude", data.exclude)):
        yield from _listed_twice(("data", key), names)
    learned, used = set(targets), set(features)
    for i, name in enumerate(features):
        if name in learned:
            yield Finding(("data", "features", i), f"{name} is the target, which the network may not see")
    for i, name in enumerate(data.exclude):
        if name in learned:
            yield Finding(("data", "exclude", i), f"{name} is the target, so it cannot be left out")
        elif name in used:
            yield Finding(("data", "exclude", i), f"{name} is in features; leave it out of one of the lists")
    if isinstance(data.features, str) and data.features != "all" and _form(data.train) == "table":
        message = f"features of a csv or tsv file are all, or a list of columns, but is {data.features}"
        yield Finding(("data", "features"), message, "wrong_choice", f"[{data.features}]")


def shares_leave_rows(data: DataConfig) -> Findings:
    validation, test = data.shares
    if validation + test >= 1:
        message = (
            f"validation {validation:g} and test {test:g} leave no rows to train on: keep the sum below 1"
        )
        yield Finding(("data", "split"), message, "out_of_range")


def stratify_can_be_done(data: DataConfig, task: str) -> Findings:
    if data.split.stratify is True and not data.split.shuffle:
        message = "stratify draws rows of each class, which shuffle: false forbids"
        yield Finding(("data", "split", "stratify"), message, suggestion="auto")
    elif data.split.stratify is True and task == "regression":
        message = "stratify needs classes, and the task is regression"
        yield Finding(("data", "split", "stratify"), message, suggestion="auto")


def targets_fit_outputs(data: DataConfig, network: NetworkConfig) -> Findings:
    """Several target columns have one output each."""
    outputs, targets = network.sizes[-1], len(data.target or ())
    if targets > 1 and outputs not in ("auto", targets) and _form(data.train) == "table":
        message = f"{targets} target columns need {targets} outputs, but the last size is {outputs}"
        yield Finding(("network", "sizes", network.layers), message, suggestion=str(targets))


def one_interval(checkpoint: CheckpointConfig) -> Findings:
    if checkpoint.every.epochs is not None and checkpoint.every.seconds is not None:
        yield Finding(("checkpoint", "every"), "give epochs or seconds, not both")


def _form(source: Source) -> str:
    """table (csv, tsv), npz, or other: a file of one array."""
    name = source.inputs.lower().removesuffix(".gz")
    return "table" if name.endswith((".csv", ".tsv")) else "npz" if name.endswith(".npz") else "other"


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


RULES: list[tuple[Callable[..., Findings], tuple[str, ...]]] = [
    (rule, tuple(inspect.signature(rule).parameters))
    for rule in (
        lists_have_one_entry_a_layer,
        learning_rates_have_one_entry_a_layer,
        auto_is_at_the_ends,
        batch_size_has_its_mode,
        metrics_fit_task,
        target_is_given,
        columns_have_one_role,
        shares_leave_rows,
        stratify_can_be_done,
        targets_fit_outputs,
        one_interval,
        *INITIALIZERS,
        *LOSSES,
        *OBJECTIVE,
        *OPTIMIZERS,
        *CONTROLS,
        *SOLVERS,
    )
]

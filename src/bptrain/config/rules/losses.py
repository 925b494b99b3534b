"""Rules about the loss and the metrics."""

import math

from bptrain.config.data import DataConfig
from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, listed_twice
from bptrain.config.schema import NetworkConfig
from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, fits, losses
from bptrain.parts.metrics import Metric
from bptrain.parts.metrics import metrics as metric_parts

CLIPPED = "robust_clip"  # the scaling that has no inverse for every output

READS = {  # Loss.outputs -> what the loss takes the targets as
    "positive": "counts",
    "probabilities": "probabilities",
    "distribution": "classes or probabilities",
    "margins": "classes",
}


def output_fits_loss(network: NetworkConfig, loss: PartConfig) -> Found:
    """A loss of probabilities, counts or margins needs outputs that are such."""
    if not network.activations or len(network.activations) != network.layers:
        return
    chosen = network.activations[-1]
    output, needed = activation_of(chosen), loss_of(loss)
    if fits(needed, output):
        return
    message = f"{loss.name} needs {_wanted(needed)}, but {chosen.name} {_given(needed, output)}"
    where = ("network", "activations", network.layers - 1)
    yield BrokenRule(where, message, "output_loss", needed.output)


def _wanted(loss: Loss) -> str:
    """What a loss needs the outputs to be."""
    return {
        "distribution": "probabilities that sum to 1 per row",
        "probabilities": "outputs that are probabilities",
        "positive": "positive outputs, as expected counts",
        "margins": "outputs that are margins, which may be beyond -1 and 1",
    }.get(loss.outputs, "any number")


def _given(loss: Loss, output: Activation) -> str:
    """What an activation returns instead."""
    low, high = output.range
    if loss.outputs == "distribution":
        return "does not return them"
    if output.distribution:
        return "makes the outputs of a row sum to 1"
    if loss.outputs == "margins":
        return f"returns only values between {low:g} and {high:g}"
    if low < 0:
        return "returns values below 0"
    if loss.outputs == "probabilities" and high > 1:
        return "returns values above 1"
    if loss.outputs == "positive" and high < math.inf:
        return f"returns no value above {high:g}"
    reached = "0" if loss.outputs == "positive" else "0 or 1"
    return f"can return {reached}, where the loss is infinite"


def distribution_has_several_outputs(network: NetworkConfig, loss: PartConfig) -> Found:
    """One output that must sum to 1 is always 1."""
    if network.sizes[-1] == 1 and loss_of(loss).outputs == "distribution":
        message = f"{loss.name} needs one output per class, so at least two (or use binary_cross_entropy with sigmoid)"
        yield BrokenRule(("network", "sizes", network.layers), message, "output_loss")
        return
    for i, chosen in enumerate(network.activations or ()):
        if i < network.layers and network.sizes[i + 1] == 1 and activation_of(chosen).distribution:
            message = f"{chosen.name} of one unit is always 1; use more units, or sigmoid"
            yield BrokenRule(("network", "activations", i), message)


def task_fits_loss(task: str, loss: PartConfig) -> Found:
    """A loss of counts is for regression, one of classes for classification."""
    outputs = loss_of(loss).outputs
    meant = "regression" if outputs == "positive" else "classification"
    if task not in ("auto", meant) and outputs != "values":
        message = f"{loss.name} takes the targets as {READS[outputs]}, so the task must be {meant}"
        yield BrokenRule(("task",), message, suggestion="auto")


def targets_keep_their_range(data: DataConfig, task: str, loss: PartConfig) -> Found:
    """Classes, probabilities and counts are not scaled, and no target is clipped."""
    if data.scale_target.name in ("auto", "none"):
        return
    if data.scale_target.name == CLIPPED:
        message = f"{CLIPPED} is for inputs: outputs beyond ±3 would stand for no value of the target"
        yield BrokenRule(("data", "scale_target"), message, suggestion="robust")
        return
    outputs = loss_of(loss).outputs
    if outputs != "values":
        reason = f"{loss.name} takes the targets as {READS[outputs]}"
    elif task == "classification":
        reason = "classes are not scaled"
    else:
        return
    message = f"{reason}, so {data.scale_target.name} cannot be used"
    yield BrokenRule(("data", "scale_target"), message, suggestion="auto")


def classes_are_not_clipped(data: DataConfig, task: str, loss: PartConfig) -> Found:
    """Only numbers have a range."""
    if not data.clip_predictions:
        return
    outputs = loss_of(loss).outputs
    if outputs not in ("values", "positive"):
        reason = f"{loss.name} takes the targets as {READS[outputs]}"
    elif task == "classification":
        reason = "classes have no range"
    else:
        return
    yield BrokenRule(
        ("data", "clip_predictions"), f"{reason}: it is for a regression, remove it here", suggestion="false"
    )


def activation_of(chosen: PartConfig) -> Activation:
    """The activation that a config names."""
    return activations.get(chosen.name)(**chosen.options)


def loss_of(chosen: PartConfig) -> Loss:
    """The loss that a config names."""
    return losses.get(chosen.name)(**chosen.options)


LOSSES = (
    output_fits_loss,
    distribution_has_several_outputs,
    task_fits_loss,
    targets_keep_their_range,
    classes_are_not_clipped,
)


def metrics_fit_task(task: str, loss: PartConfig, metrics: tuple[PartConfig, ...] | None) -> Found:
    known = "classification" if loss_of(loss).outputs == "distribution" else task
    for i, chosen in enumerate(metrics or ()):
        metric: Metric = metric_parts.get(chosen.name)(**chosen.options)
        if known != "auto" and metric.task != known:
            message = f"{chosen.name} is a metric for {metric.task}, but the task is {known}"
            yield BrokenRule(("metrics", i), message)
    yield from listed_twice(("metrics",), [chosen.name for chosen in metrics or ()])


METRICS = (metrics_fit_task,)

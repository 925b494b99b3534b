"""The metrics of a config, and whether they can be computed from its targets and outputs."""

from collections.abc import Mapping

from bptrain.build.making import make
from bptrain.build.network import activation_parts
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.data.schema import Schema
from bptrain.errors import Problem, UsageError
from bptrain.parts.activations import Activation, activations
from bptrain.parts.metrics import Metric, metrics


def build_metrics(config: Config, schema: Schema) -> Mapping[str, Metric]:
    """The metrics of a config by name; `auto` is accuracy, or rmse, mae and r2.

    Raises UsageError for a metric that does not suit the task, the classes or the outputs.
    """
    if config.metrics is None:
        names = ["accuracy"] if schema.task == "classification" else ["rmse", "mae", "r2"]
        return {name: metrics.get(name)() for name in names}
    made: dict[str, Metric] = {part.name: make(metrics, part) for part in config.metrics}
    output = activation_parts(config, schema.task)[-1]
    wrong: list[Problem] = []
    for position, (name, metric) in enumerate(made.items()):
        found = _unsuitable(metric, schema, output)
        if found is not None:
            wrong.append(found._replace(message=f"{name} {found.message}", path=f"metrics.{position}"))
    if wrong:
        raise UsageError(wrong)
    return made


def _unsuitable(metric: Metric, schema: Schema, output: PartConfig) -> Problem | None:
    """Why a metric cannot be computed from these targets and this output; the message is the end of a sentence."""
    if metric.task != schema.task:
        return Problem("metric_task", f"is a metric for {metric.task}, but the task is {schema.task}")
    kind, classes = schema.target.kind, len(schema.labels)
    if kind == "multilabel" and not metric.multilabel:
        return Problem("metric_task", "needs one class per row, but here each output is a separate yes or no")
    least = metric.least_classes
    if metric.task == "classification" and kind != "multilabel" and classes < least:
        return Problem("metric_classes", f"needs at least {least} classes, but there are {classes}")
    if metric.reads == "probabilities" and (why := no_probabilities(schema, output)) is not None:
        return Problem("metric_output", f"needs probabilities{why}")
    return None


def no_probabilities(schema: Schema, output: PartConfig) -> str | None:
    """Why the outputs of a classifier are no probabilities, as the end of a sentence; None where they are."""
    f_L: Activation = make(activations, output)
    low, high = f_L.range
    if schema.target.kind == "multilabel" and low >= 0 and high <= 1:
        return None
    if schema.target.kind in ("binary", "multilabel") and not (low >= 0 and high <= 1):
        return f", but {output.name} gives values outside [0, 1]"
    if schema.target.kind != "binary" and not f_L.distribution:
        return f" that sum to 1 per row, which {output.name} does not give; softmax does"
    return None

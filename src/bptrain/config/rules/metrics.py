"""Rules about metrics."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, listed_twice
from bptrain.config.rules.losses import loss_of
from bptrain.parts.metrics import Metric
from bptrain.parts.metrics import metrics as metric_parts


def metrics_fit_task(task: str, loss: PartConfig, metrics: tuple[PartConfig, ...] | None) -> Found:
    known = "classification" if loss_of(loss).outputs == "distribution" else task
    for i, chosen in enumerate(metrics or ()):
        metric: Metric = metric_parts.get(chosen.name)(**chosen.options)
        if known != "auto" and metric.task != known:
            message = f"{chosen.name} is a metric for {metric.task}, but the task is {known}"
            yield BrokenRule(("metrics", i), message)
    yield from listed_twice(("metrics",), [chosen.name for chosen in metrics or ()])


METRICS = (metrics_fit_task,)

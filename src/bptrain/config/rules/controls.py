"""Rules of the controls of training: what is monitored is there, and has a better and a worse."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import Finding, Findings, KeyPath
from bptrain.config.schema import CheckpointConfig, DataConfig, TrainingConfig
from bptrain.parts.metrics import metrics as metric_parts


def early_stopping_has_its_metric(
    training: TrainingConfig, metrics: tuple[PartConfig, ...] | None
) -> Findings:
    """`early_stopping.monitor` is the loss, or a listed metric; which `auto` stands for, the data decide."""
    if training.early_stopping is not None:
        path = ("training", "early_stopping", "monitor")
        yield from _unknown(training.early_stopping.monitor, path, metrics)


def plateau_has_its_metric(schedule: PartConfig, metrics: tuple[PartConfig, ...] | None) -> Findings:
    """So is the monitor of reduce_on_plateau."""
    if schedule.name == "reduce_on_plateau":
        yield from _unknown(schedule.options["monitor"], ("schedule", "monitor"), metrics)


def _unknown(name: str, path: KeyPath, metrics: tuple[PartConfig, ...] | None) -> Findings:
    if name == "loss" or metrics is None:
        return
    made = {chosen.name: metric_parts.get(chosen.name)(**chosen.options) for chosen in metrics}
    allowed = ("loss", *(key for key, metric in made.items() if metric.better != "neither"))
    if name in allowed:
        return
    from bptrain.config.suggestions import suggest  # only for a config that is wrong

    if name in made:
        reason = f"{name} has no better and worse; there are {', '.join(allowed)}"
    else:
        reason = f"{name} is not listed under metrics; there are {', '.join(allowed)}"
    yield Finding(path, reason, "wrong_choice", suggest.value(name, allowed))


def early_stopping_has_validation(data: DataConfig, training: TrainingConfig) -> Findings:
    """Early stopping watches the validation rows."""
    if training.early_stopping is not None and not _validation(data):
        message = (
            "early stopping watches the validation rows, and there are none: set data.split.validation above 0, "
            "or give data.validation"
        )
        yield Finding(("training", "early_stopping"), message)


def plateau_has_validation(data: DataConfig, schedule: PartConfig) -> Findings:
    """A metric is one of the validation rows; without them, the training loss is monitored."""
    name = schedule.options.get("monitor", "loss")
    if schedule.name == "reduce_on_plateau" and name != "loss" and not _validation(data):
        message = (
            f"{name} is evaluated on the validation rows, and there are none: monitor loss, or set "
            "data.split.validation above 0"
        )
        yield Finding(("schedule", "monitor"), message, suggestion="loss")


def _validation(data: DataConfig) -> bool:
    return data.validation is not None or data.split.validation > 0


def batch_size_has_its_mode(training: TrainingConfig) -> Findings:
    if training.mode != "minibatch" and training.batch_size is not None:
        what = "one instance" if training.mode == "sgd" else "all instances"
        message = f"mode {training.mode} takes {what} an update: leave batch_size out, or set mode: minibatch"
        yield Finding(("training", "batch_size"), message)


def one_interval(checkpoint: CheckpointConfig) -> Findings:
    if checkpoint.every.epochs is not None and checkpoint.every.seconds is not None:
        yield Finding(("checkpoint", "every"), "give epochs or seconds, not both")


CONTROLS = (
    batch_size_has_its_mode,
    one_interval,
    early_stopping_has_its_metric,
    plateau_has_its_metric,
    early_stopping_has_validation,
    plateau_has_validation,
)

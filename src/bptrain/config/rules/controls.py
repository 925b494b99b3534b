"""Rules about what watches a run (early stopping, reduce_on_plateau) and when it is saved."""

from bptrain.config.data import DataConfig
from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, KeyPath
from bptrain.config.schema import CheckpointConfig, TrainingConfig
from bptrain.parts.metrics import metrics as metric_parts


def early_stopping_has_its_metric(training: TrainingConfig, metrics: tuple[PartConfig, ...] | None) -> Found:
    """`early_stopping.monitor` is the loss or a listed metric; what `auto` stands for is known with the data."""
    if training.early_stopping is not None:
        path = ("training", "early_stopping", "monitor")
        yield from _unknown(training.early_stopping.monitor, path, metrics)


def plateau_has_its_metric(schedule: PartConfig, metrics: tuple[PartConfig, ...] | None) -> Found:
    """The monitor of reduce_on_plateau is the loss or a listed metric, too."""
    if schedule.name == "reduce_on_plateau":
        yield from _unknown(schedule.options["monitor"], ("schedule", "monitor"), metrics)


def _unknown(name: str, path: KeyPath, metrics: tuple[PartConfig, ...] | None) -> Found:
    if name == "loss" or metrics is None:
        return
    made = {chosen.name: metric_parts.get(chosen.name)(**chosen.options) for chosen in metrics}
    allowed = ("loss", *(key for key, metric in made.items() if metric.better != "neither"))
    if name in allowed:
        return
    from bptrain.config.suggestions import suggest  # only for a config that is wrong

    if name in made:
        reason = f"no value of {name} is better than another; allowed: {', '.join(allowed)}"
    else:
        reason = f"{name} is not listed under metrics; allowed: {', '.join(allowed)}"
    yield BrokenRule(path, reason, "wrong_choice", suggest.value(name, allowed))


def early_stopping_has_validation(data: DataConfig, training: TrainingConfig) -> Found:
    """Early stopping monitors the validation set."""
    if training.early_stopping is not None and not _validation(data):
        message = "early stopping needs a validation set: set data.split.validation above 0, or give data.validation"
        yield BrokenRule(("training", "early_stopping"), message)


def refit_has_validation(data: DataConfig, training: TrainingConfig) -> Found:
    """A refit adds the validation rows to the training rows."""
    if training.refit and not _validation(data):
        message = (
            "a refit trains on train and validation rows together, and there is no validation set: leave refit out, "
            "or set data.split.validation above 0, or give data.validation"
        )
        yield BrokenRule(("training", "refit"), message)


def refit_has_its_plateau(schedule: PartConfig, training: TrainingConfig) -> Found:
    """In a refit no rows are left to evaluate a metric on."""
    name = schedule.options.get("monitor", "loss")
    if training.refit and schedule.name == "reduce_on_plateau" and name != "loss":
        message = (
            f"{name} is evaluated on the validation set, which a refit (training.refit) trains on: monitor loss, which "
            "in the refit is that of the training rows, or choose another schedule"
        )
        yield BrokenRule(("schedule", "monitor"), message, suggestion="loss")


def plateau_has_validation(data: DataConfig, schedule: PartConfig) -> Found:
    """A metric is evaluated on the validation set; without one, the training loss is monitored."""
    name = schedule.options.get("monitor", "loss")
    if schedule.name == "reduce_on_plateau" and name != "loss" and not _validation(data):
        message = (
            f"{name} is evaluated on the validation set, and there is none: monitor loss, or set "
            "data.split.validation above 0"
        )
        yield BrokenRule(("schedule", "monitor"), message, suggestion="loss")


def _validation(data: DataConfig) -> bool:
    """Whether there may be validation rows; a column of splits tells when it is read."""
    return data.validation is not None or data.split.column is not None or data.split.validation > 0


def one_interval(checkpoint: CheckpointConfig) -> Found:
    if checkpoint.every.epochs is not None and checkpoint.every.seconds is not None:
        yield BrokenRule(("checkpoint", "every"), "give epochs or seconds, not both")


CONTROLS = (
    one_interval,
    early_stopping_has_its_metric,
    plateau_has_its_metric,
    early_stopping_has_validation,
    refit_has_validation,
    refit_has_its_plateau,
    plateau_has_validation,
)

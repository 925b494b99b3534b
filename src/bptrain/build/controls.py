"""The controls of a config as objects."""

from collections.abc import Mapping

from bptrain.config.schema import Config
from bptrain.errors import DataError, Problem, UsageError
from bptrain.parts.controls import Controls, EarlyStopping, Monitor, Plateau
from bptrain.parts.metrics import Metric


def build_controls(config: Config, chosen: Mapping[str, Metric], validation: bool) -> Controls:
    """The controls of a config, given its metrics and whether there are validation rows.

    Raises UsageError for a monitor that is not one of the metrics, DataError where no validation rows are left to
    monitor.
    """
    training, schedule = config.training, config.schedule

    def monitor(name: str, path: str, of_validation: bool) -> Monitor:
        if name != "loss" and name not in chosen:
            known = ", ".join(("loss", *chosen))
            message = f"{name} is not among the metrics of this config: {known}; list it under metrics"
            raise UsageError(Problem("wrong_choice", message, path=path))
        if of_validation and not validation:
            message = "there are no validation rows to watch: data.split.validation is too small a share"
            raise DataError(Problem("no_validation", message, path=path))
        return Monitor(name, name != "loss" and chosen[name].better == "higher")

    stopping, plateau = training.early_stopping, None
    if schedule.name == "reduce_on_plateau":
        watched = monitor(
            schedule.options["monitor"], "schedule.monitor", schedule.options["monitor"] != "loss"
        )
        plateau = Plateau(**{**schedule.options, "monitor": watched})
    early = None
    if stopping is not None:
        watched = monitor(stopping.monitor, "training.early_stopping.monitor", of_validation=True)
        early = EarlyStopping(watched, stopping.patience, stopping.min_delta, stopping.restore_best)
    return Controls(
        early_stopping=early,
        plateau=plateau,
        max_time=training.max_time,
        target_loss=training.stop_at.loss,
        gradient_norm=training.stop_at.gradient_norm,
    )

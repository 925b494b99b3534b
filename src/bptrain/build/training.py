"""How a config trains, as objects: rule or solver, schedule, the plan that an engine runs, and the controls."""

from collections.abc import Mapping

from bptrain.build.making import make
from bptrain.config import Loaded
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.engines.base import GradientTransform, TrainingPlan
from bptrain.errors import DataError, Problem, UsageError
from bptrain.parts.averaging import with_average
from bptrain.parts.controls import Controls, EarlyStopping, Monitor, Plateau
from bptrain.parts.methods import UpdateRule, methods
from bptrain.parts.metrics import Metric
from bptrain.parts.optimizers import Optimizer
from bptrain.parts.schedules import Schedule, schedules
from bptrain.parts.solvers import Solver


def build_method(config: Config) -> UpdateRule:
    """The rule of a config, with its weight decay and the average of the weights; or its solver."""
    method: UpdateRule = make(methods, config.optimizer)
    if isinstance(method, Solver):
        return method
    average = config.training.average
    return method if average is None else with_average(method, average.decay)


def build_schedule(config: Config) -> Schedule:
    """The schedule of a config, with its warm-up."""
    schedule: Schedule = make(schedules, config.schedule)
    return schedule


def build_plan(config: Config, network: Network, rows: int) -> TrainingPlan:
    """Everything about the updates: sgd takes 1 row each, batch mode all, mini-batches `batch_size` × `accumulate`."""
    training = config.training
    of_mode = {"sgd": 1, "batch": rows, "minibatch": (training.batch_size or 32) * training.accumulate}
    noise = None if training.noise is None else (training.noise.std, training.noise.decay)
    method = build_method(config)
    return TrainingPlan(
        network=network,
        method=method,
        schedule=build_schedule(config),
        rate=method.learning_rate if isinstance(method, Optimizer) else 1.0,
        rows=rows,
        batch_size=min(of_mode[training.mode], rows),
        epochs=training.epochs,
        transform=GradientTransform(training.clip_norm, training.clip_value, noise, training.max_norm),
        weighted=config.data.weight is not None or config.loss.class_weight is not None,
        accumulate=training.accumulate,
        max_time=training.max_time,
        patience=None if training.early_stopping is None else training.early_stopping.patience,
    )


def refuse_what_is_too_large(loaded: Loaded, network: Network) -> None:
    """Raises UsageError, at the sizes, where the config's solver cannot handle this many parameters."""
    method: UpdateRule = make(methods, loaded.config.optimizer)
    reason = method.too_large(network.size) if isinstance(method, Solver) else None
    if reason is not None:
        with loaded.locating():
            raise UsageError(Problem("too_large", reason, path="network.sizes"))


def build_controls(config: Config, chosen: Mapping[str, Metric], validation: bool) -> Controls:
    """The controls of a config, given its metrics and whether there are validation rows.

    Raises UsageError for a monitor that is not one of the metrics, DataError where no validation rows are left to
    monitor.
    """
    training, schedule = config.training, config.schedule
    if training.refit and not validation:
        message = "there are no validation rows to add to the training rows: data.split.validation is too small a share"
        raise DataError(Problem("no_validation", message, path="training.refit"))

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

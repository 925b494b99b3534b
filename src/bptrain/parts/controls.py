"""Controls of training: what may end a run before its last epoch, or lower its learning rate.

Each looks at one figure per epoch and counts; the counts are part of the training state. The functions are pure.
"""

import math
from typing import NamedTuple


class Monitor(NamedTuple):
    """The figure that is watched: `loss`, or a metric of the validation rows, and which way is better."""

    name: str = "loss"
    higher: bool = False

    def better(self, value: float, than: float, by: float = 0.0) -> bool:
        """Whether a value is better than another by more than `by`. NaN is worse than any number."""
        if math.isnan(than):
            return not math.isnan(value)
        return value > than + by if self.higher else value < than - by


class Watch(NamedTuple):
    """What is counted of a monitored figure."""

    best: float = math.nan  # the value that an improvement is compared with; NaN before the first
    wait: int = 0  # epochs since it last improved
    rest: int = 0  # epochs that will not be counted


class EarlyStopping(NamedTuple):
    """Ends a run after `patience` epochs without an improvement by more than `min_delta`. Prechelt 1998.

    Counted as Keras does; with patience 1 the first epoch that is no better ends the run.
    """

    monitor: Monitor = Monitor()
    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True  # the run's final weights are its best


class Plateau(NamedTuple):
    """Lowers the learning rate where the figure no longer improves: see the schedule reduce_on_plateau."""

    monitor: Monitor = Monitor()
    factor: float = 0.1
    patience: int = 10
    min_delta: float = 0.0
    cooldown: int = 0
    floor: float = 0.0


class Controls(NamedTuple):
    """The controls of a run; None where one is not asked for."""

    early_stopping: EarlyStopping | None = None
    plateau: Plateau | None = None
    max_time: float | None = (
        None  # seconds of updates and evaluations, those of earlier parts of the run included
    )
    target_loss: float | None = None  # of validation, of training without validation rows
    gradient_norm: float | None = None  # Euclidean, of the objective over the training rows


def watched(control: EarlyStopping | Plateau, watch: Watch, value: float) -> Watch:
    """The count after an epoch with this value."""
    if control.monitor.better(value, watch.best, control.min_delta):
        return Watch(value, 0, max(watch.rest - 1, 0))
    return Watch(watch.best, 0 if watch.rest else watch.wait + 1, max(watch.rest - 1, 0))


def reduced(plateau: Plateau, watch: Watch, factor: float, value: float) -> tuple[Watch, float]:
    """The count and the factor on the learning rate after an epoch with this value."""
    watch = watched(plateau, watch, value)
    if watch.wait < plateau.patience:
        return watch, factor
    return Watch(watch.best, 0, plateau.cooldown), max(factor * plateau.factor, plateau.floor)

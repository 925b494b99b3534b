"""The prediction intervals of a trained model, and how often they hold the truth."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bptrain.errors import CheckpointError, UsageError
from bptrain.parts.metrics import mean_of
from bptrain.parts.types import Array
from bptrain.store.plain import plain
from bptrain.training.bootstrap import Ends, Sampling, interval, resampled_sums, wilson
from bptrain.training.conformal import AbsoluteErrors

if TYPE_CHECKING:
    from bptrain.model.trained_model import TrainedModel


class IntervalCoverage(NamedTuple):
    """The intervals of one level on rows whose truth is known; one value per target, m."""

    level: float
    validation_rows: int  # whose errors made the intervals
    targets: tuple[str, ...]
    coverage: tuple[float, ...]  # share of rows whose interval holds the truth
    ends: tuple[Ends | None, ...]  # of that share, as for other shares; None where the rows do not tell
    mean_width: tuple[float, ...]

    def record(self) -> dict[str, Any]:
        """Plain JSON types: numbers, or of several targets mappings of these."""
        figures: dict[str, Any] = {"level": self.level, "validation_rows": self.validation_rows}
        for name, values in (
            ("coverage", self.coverage),
            ("coverage_interval", self.ends),
            ("mean_width", self.mean_width),
        ):
            by_target = dict(zip(self.targets, values, strict=True))
            figures[name] = values[0] if len(values) == 1 else by_target
        return dict(plain(figures))


def refuse_level(level: float) -> None:
    """Raises UsageError for what is no level."""
    if not 0.0 < level < 1.0:
        raise UsageError(f"--interval {level:g}: give a level between 0 and 1, such as 0.9")


def errors_of(model: "TrainedModel") -> AbsoluteErrors:
    """The errors that a checkpoint keeps. Raises UsageError for classes, CheckpointError where it keeps none."""
    if model.schema.task != "regression":
        raise UsageError("this model predicts classes, and --interval is of numbers: see `predict --proba`")
    kept = model.stored.absolute_errors
    if kept is None:
        message = (
            f"{model.stored.path} keeps no errors of validation rows, of which intervals are made: they are kept with "
            "the best weights of a run with validation rows, once it has ended; a run of an earlier version keeps them "
            "after `bptrain fit CONFIG --resume RUN`"
        )
        raise CheckpointError(message)
    return AbsoluteErrors.from_json(kept)


def half_widths_of(model: "TrainedModel", level: float) -> Array:
    """The half width of the interval of each target, m. Raises UsageError, DataError, CheckpointError."""
    refuse_level(level)
    return errors_of(model).half_widths(level)


def coverage_of(
    model: "TrainedModel", predicted: Array, true: Array, level: float, sampling: Sampling
) -> IntervalCoverage:
    """How often intervals around predictions, N × m, hold the truth. Raises what `half_widths_of` does."""
    half = half_widths_of(model, level)
    held = np.abs(predicted - true) <= half
    shares = held.mean(axis=0).tolist()
    if sampling.groups is None:
        ends = [wilson(share, len(true)) for share in shares]
    else:
        units = sampling.units()
        figures = [mean_of(column, units) for column in held.T]
        ends = [interval(drawn)[0] for drawn in resampled_sums(figures, sampling.seed)]
    return IntervalCoverage(
        level,
        errors_of(model).rows,
        model.schema.target.names,
        tuple(shares),
        tuple(ends),
        tuple((2.0 * half).tolist()),
    )

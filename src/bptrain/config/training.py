"""The section `training`: how long, in which steps, and what keeps the weights in bounds."""

from typing import Annotated, Literal

from annotated_types import Interval
from pydantic import Field

from bptrain.config.section import Column, Count, Section
from bptrain.parts.types import BelowOne, NonNegative, Positive

DEFAULT_BATCH_SIZE = 32  # in minibatch mode


class EarlyStoppingConfig(Section):
    """Ends a run when the validation rows say that it no longer improves."""

    monitor: Column = Field(default="loss", description="loss, or one of the metrics")
    patience: Count = Field(default=10, description="epochs without an improvement")
    min_delta: NonNegative = Field(default=0.0, description="what is no more than this is no improvement")
    restore_best: bool = Field(default=True, description="the final weights are the best ones")


class StopAtConfig(Section):
    """Ends a run that has got where it should."""

    loss: float | None = Field(default=None, description="of validation, of training without validation rows")
    gradient_norm: Positive | None = Field(
        default=None, description="of the objective over the training rows"
    )


class AverageConfig(Section):
    """The exponential moving average of the weights, which is then evaluated, kept and used."""

    decay: BelowOne = 0.999


class PenaltyConfig(Section):
    """l1 Σ|w| + ½ l2 Σ w² over all weights, not biases, in the objective."""

    l1: NonNegative = 0.0
    l2: NonNegative = 0.0


class NoiseConfig(Section):
    """N(0, std² / t^decay) on the gradient of update t. Neelakantan et al. 2015."""

    std: Annotated[float, Interval(gt=0, le=1e30)]
    decay: NonNegative = 0.55


class TrainingConfig(Section):
    """How long and in which steps."""

    mode: Literal["sgd", "minibatch", "batch"] = Field(
        default="minibatch", description="sgd: one instance an update"
    )
    batch_size: Count | None = Field(default=None, description="32 in minibatch mode; none in another")
    epochs: Count = 100
    shuffle: bool = True
    engine: Literal["auto", "numpy", "numba"] = Field(
        default="auto", description="numba: a loop compiled for the network (the extra `fast`)"
    )
    threads: Annotated[int, Interval(ge=1, le=65_536)] | None = None
    average: AverageConfig | None = None
    early_stopping: EarlyStoppingConfig | None = None
    max_time: Annotated[float, Interval(gt=0, le=1e9)] | None = Field(
        default=None, description="seconds of updates and evaluations"
    )
    stop_at: StopAtConfig = Field(default_factory=lambda: StopAtConfig())
    penalty: PenaltyConfig = Field(default_factory=lambda: PenaltyConfig())
    clip_norm: Positive | None = Field(default=None, description="the gradient's norm is held to it")
    clip_value: Positive | None = Field(
        default=None, description="every entry of the gradient is held to ± it"
    )
    noise: NoiseConfig | None = Field(default=None, description="added to every gradient")
    max_norm: Positive | None = Field(
        default=None, description="the norm of the weights into a unit is held to it"
    )
    accumulate: Count = Field(default=1, description="batches whose gradients make one update")

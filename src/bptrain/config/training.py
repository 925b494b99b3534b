"""The section `training`: how long, in which steps, and what keeps the weights in bounds."""

from typing import Annotated, Literal

from annotated_types import Interval
from pydantic import Field

from bptrain.config import forms
from bptrain.config.section import Column, Count, Section
from bptrain.engine_names import EngineSetting, engine_descriptions
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

    decay: BelowOne = Field(default=0.999, description="how much of the average stays at an update")


class PenaltyConfig(Section):
    """l1 Σ|w| + ½ l2 Σ w² over all weights, not biases, in the objective."""

    l1: NonNegative = Field(default=0.0, description="of Σ|w|: many weights come to 0")
    l2: NonNegative = Field(default=0.0, description="of ½ Σ w²: weights stay small")


class NoiseConfig(Section):
    """N(0, std² / t^decay) on the gradient of update t. Neelakantan et al. 2015."""

    std: Annotated[float, Interval(gt=0, le=1e30)] = Field(description="in the first update")
    decay: NonNegative = Field(default=0.55, description="0: the noise stays as it is")


class TrainingConfig(Section):
    """How long and in which steps."""

    mode: Literal["sgd", "minibatch", "batch"] = Field(
        default="minibatch", description="sgd: one instance an update; minibatch; batch: one update an epoch"
    )
    batch_size: Count | None = Field(default=None, description="32 in minibatch mode; none in another")
    epochs: Count = Field(
        default=100, description="passes over the training rows, unless something ends them"
    )
    shuffle: bool = Field(default=True, description="rows come in another order in each epoch")
    engine: EngineSetting = Field(
        default="auto",
        description="; ".join(f"{name}: {about}" for name, about in engine_descriptions().items()),
    )
    threads: Annotated[int, Interval(ge=1, le=65_536)] | None = Field(
        default=None, description="of matrix products and large batches; null: all"
    )
    average: AverageConfig | None = Field(
        default=None, description="a moving average of the weights is what is evaluated, kept and used"
    )
    early_stopping: EarlyStoppingConfig | None = Field(
        default=None, description="ends a run that no longer improves on the validation rows"
    )
    max_time: Annotated[float, Interval(gt=0, le=1e9)] | None = Field(
        default=None, description="seconds of updates and evaluations"
    )
    stop_at: Annotated[StopAtConfig, forms.or_empty] = Field(
        default_factory=lambda: StopAtConfig(), description="ends a run that has got where it should"
    )
    penalty: Annotated[PenaltyConfig, forms.or_empty] = Field(
        default_factory=lambda: PenaltyConfig(), description="l1 Σ|w| + ½ l2 Σ w² in the objective"
    )
    clip_norm: Positive | None = Field(default=None, description="the gradient's norm is held to it")
    clip_value: Positive | None = Field(
        default=None, description="every entry of the gradient is held to ± it"
    )
    noise: NoiseConfig | None = Field(default=None, description="added to every gradient")
    max_norm: Positive | None = Field(
        default=None, description="the norm of the weights into a unit is held to it"
    )
    accumulate: Count = Field(default=1, description="batches whose gradients make one update")

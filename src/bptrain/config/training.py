"""The section `training`: modes, epochs, when a run ends, and what is done to gradients and weights."""

from typing import Annotated, Literal

from annotated_types import Interval
from pydantic import Field

from bptrain.config import forms
from bptrain.config.section import Column, Count, Section
from bptrain.engine_names import EngineSetting, engine_descriptions
from bptrain.parts.types import BelowOne, NonNegative, Positive

DEFAULT_BATCH_SIZE = 32  # in minibatch mode


class EarlyStoppingConfig(Section):
    """Ends a run that no longer improves on the validation set."""

    monitor: Column = Field(default="loss", description="loss, or one of the metrics")
    patience: Count = Field(default=10, description="epochs without improvement before the run ends")
    min_delta: NonNegative = Field(default=0.0, description="an improvement must be larger than this")
    restore_best: bool = Field(default=True, description="use the best weights as the final ones")


class StopAtConfig(Section):
    """Ends a run that has reached its goal."""

    loss: float | None = Field(
        default=None, description="validation loss, or training loss if there is no validation set"
    )
    gradient_norm: Positive | None = Field(
        default=None, description="norm of the objective's gradient over the training rows"
    )


class AverageConfig(Section):
    """Exponential moving average of the weights, evaluated, saved and used in their place."""

    decay: BelowOne = Field(default=0.999, description="share of the average that is kept per update")


class PenaltyConfig(Section):
    """Adds l1 Σ|w| + ½ l2 Σ w² over all weights, not biases, to the objective."""

    l1: NonNegative = Field(default=0.0, description="factor of Σ|w|; makes many weights 0")
    l2: NonNegative = Field(default=0.0, description="factor of ½ Σ w²; keeps weights small")


class NoiseConfig(Section):
    """Adds noise N(0, std² / t^decay) to the gradient of update t. Neelakantan et al. 2015."""

    std: Annotated[float, Interval(gt=0, le=1e30)] = Field(
        description="standard deviation in the first update"
    )
    decay: NonNegative = Field(default=0.55, description="how fast the noise falls; 0: it does not")


class TrainingConfig(Section):
    """How the network is trained."""

    mode: Literal["sgd", "minibatch", "batch"] = Field(
        default="minibatch", description="sgd: one row per update; minibatch; batch: one update per epoch"
    )
    batch_size: Count | None = Field(
        default=None,
        description="rows per update in mode minibatch, 32 by default; not allowed in other modes",
    )
    epochs: Count = Field(default=100, description="passes over the training rows, at most")
    shuffle: bool = Field(default=True, description="shuffle the training rows in every epoch")
    engine: EngineSetting = Field(
        default="auto",
        description="; ".join(f"{name}: {about}" for name, about in engine_descriptions().items()),
    )
    threads: Annotated[int, Interval(ge=1, le=65_536)] | None = Field(
        default=None,
        description="threads for matrix products and large batches; null: all, but 1 where updates are small",
    )
    average: AverageConfig | None = Field(
        default=None, description="evaluate, save and use a moving average of the weights"
    )
    early_stopping: EarlyStoppingConfig | None = Field(
        default=None, description="end a run that no longer improves on the validation set"
    )
    refit: bool = Field(
        default=False,
        description="then train once more, on train and validation rows, for the best epoch's number of epochs",
    )
    max_time: Annotated[float, Interval(gt=0, le=1e9)] | None = Field(
        default=None, description="time limit: seconds of updates and evaluations"
    )
    stop_at: Annotated[StopAtConfig, forms.or_empty] = Field(
        default_factory=lambda: StopAtConfig(), description="end a run that has reached its goal"
    )
    penalty: Annotated[PenaltyConfig, forms.or_empty] = Field(
        default_factory=lambda: PenaltyConfig(), description="add l1 Σ|w| + ½ l2 Σ w² to the objective"
    )
    clip_norm: Positive | None = Field(default=None, description="clip the gradient to this norm")
    clip_value: Positive | None = Field(
        default=None, description="clip every entry of the gradient to ± this"
    )
    noise: NoiseConfig | None = Field(default=None, description="gradient noise")
    max_norm: Positive | None = Field(
        default=None, description="maximum L2 norm of each unit's incoming weights"
    )
    accumulate: Count = Field(default=1, description="gradient accumulation: batches per update")

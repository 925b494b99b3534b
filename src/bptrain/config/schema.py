"""The config, section by section: every key, its type, its bounds and its default.

The models are strict and frozen, and validate what `normalize` has brought to one form: every part is `{name: …}`, what
is given per layer is a tuple, every source of data is `{inputs: …}`. Rules that join sections are in `rules`.
"""

from typing import Annotated, Any, Literal

from annotated_types import Interval, MinLen
from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from bptrain.config import forms, part
from bptrain.config.data import DataConfig
from bptrain.config.ensemble import EnsembleConfig
from bptrain.config.input_steps import InputConfig
from bptrain.config.part import MAX_ENTRIES, PartConfig
from bptrain.config.section import Auto, Count, FewEnough, Section, Seed, at_most, number_or_text
from bptrain.config.training import DEFAULT_BATCH_SIZE
from bptrain.config.training import TrainingConfig as TrainingConfig
from bptrain.errors import WARNINGS
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.schedules import schedules
from bptrain.parts.types import BelowOne


def _format(value: Any) -> int:
    if value == 1 and type(value) is int:  # a Literal[1] takes true for 1
        return 1
    raise PydanticCustomError("wrong_choice", "wrong_choice", {"allowed": ("1",)})


def _start(value: Any) -> bool | float:
    """true, false, or an initial value as a float."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and -1e300 < value < 1e300:
        return float(value)
    raise PydanticCustomError("wrong_type", "wrong_type", {"expected": "true, false or an initial value"})


Units = Annotated[int, Interval(ge=1, le=1_000_000), Tag("<number>")]

Size = Annotated[Auto | Units, Discriminator(number_or_text)]
Start = Annotated[bool | float, PlainValidator(_start), WithJsonSchema({"type": ["boolean", "number"]})]

Activation = Annotated[PartConfig, part.part(activations), forms.part_of("activation")]
Initializer = Annotated[PartConfig, part.part(initializers, also=("auto",)), forms.part_of("initializer")]
Loss = Annotated[PartConfig, part.part(losses), forms.part_of("loss")]
Metric = Annotated[PartConfig, part.part(metrics), forms.part_of("metric")]
Optimizer = Annotated[PartConfig, part.part(methods), forms.part_of("optimizer")]
Schedule = Annotated[PartConfig, part.part(schedules), forms.part_of("schedule")]


def _warning_name(value: Any) -> str:
    """The name of a warning."""
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "wrong_type", {"expected": "the name of a warning"})
    if value not in WARNINGS:
        raise PydanticCustomError(
            "wrong_choice", "wrong_choice", {"allowed": tuple(WARNINGS), "kind": "warning"}
        )
    return value


WarningName = Annotated[str, PlainValidator(_warning_name), WithJsonSchema(forms.choice(WARNINGS))]


class NetworkConfig(Section):
    """The network; one value for all layers, or a list with one per layer, 1 … L."""

    sizes: Annotated[tuple[Size, ...], MinLen(2), at_most(MAX_ENTRIES + 1)] = Field(
        description="layer sizes n_0 … n_L, input to output; first and last may be auto"
    )
    activations: Annotated[tuple[Activation, ...], FewEnough, forms.one_or_list] | None = Field(
        None, description="default: tanh in hidden layers; in the output, by task and loss"
    )
    bias: Annotated[tuple[Start, ...], FewEnough, forms.one_or_list] = Field(
        description="true, false or an initial value", json_schema_extra={"default": True}
    )
    initializer: Annotated[tuple[Initializer, ...], FewEnough, forms.one_or_list] = Field(
        description="auto: he_normal for the relu family, glorot_uniform otherwise",
        json_schema_extra={"default": "auto"},
    )
    dropout: Annotated[tuple[BelowOne, ...], forms.one_or_list, forms.or_null] = Field(
        default=(),
        description="dropout rates of x_0 … x_{L−1}; one value: of the hidden layers x_1 … x_{L−1}",
        json_schema_extra={"default": None},
    )
    input: InputConfig | None = Field(
        default=None, description="steps between the inputs and the first layer, trained with the network"
    )
    dtype: Literal["float32", "float64"] = Field(
        default="float32", description="precision of all numbers in training"
    )

    @property
    def layers(self) -> int:
        """L, the number of layers with weights."""
        return len(self.sizes) - 1


class Every(Section):
    """An interval in epochs or in seconds; auto where neither is given."""

    epochs: Count | None = Field(default=None, description="number of epochs")
    seconds: Annotated[float, Interval(gt=0, le=1e9)] | None = Field(
        default=None, description="number of seconds"
    )


class CheckpointConfig(Section):
    """When checkpoints are saved, and how many are kept."""

    every: Annotated[Every, forms.or_auto] = Field(
        default_factory=lambda: Every(),
        description="auto, {epochs: n} or {seconds: s}",
        json_schema_extra={"default": "auto"},
    )
    keep: Annotated[int, Interval(ge=1, le=1_000_000)] = Field(
        default=2, description="number of checkpoints to keep"
    )


class Config(Section):
    """One training run."""

    format: Annotated[int, PlainValidator(_format), WithJsonSchema({"enum": [1]})] = Field(
        default=1, description="version of the config format"
    )
    seed: Seed = Field(default=0, description="seeds initial weights, split, shuffling, dropout and noise")
    task: Literal["auto", "classification", "regression"] = Field(
        default="auto", description="auto: inferred from the target and the loss"
    )
    data: DataConfig
    network: NetworkConfig
    loss: Loss = Field(
        description="loss per sample; also takes reduction and class_weight, which metrics do not count"
    )
    optimizer: Optimizer = Field(
        default_factory=lambda: part.default(methods, "gradient_descent"),
        description="update rule, or a solver in mode batch",
    )
    schedule: Schedule = Field(
        default_factory=lambda: part.default(schedules, "constant"),
        description="learning rate over time; also takes warmup, in epochs",
    )
    training: Annotated[TrainingConfig, forms.or_empty] = Field(
        default_factory=lambda: TrainingConfig(batch_size=DEFAULT_BATCH_SIZE)
    )
    metrics: Annotated[
        Annotated[tuple[Metric, ...], FewEnough, forms.one_or_list] | None, forms.auto_for_null
    ] = Field(
        default=None,
        description="auto: accuracy for classification; rmse, mae and r2 for regression",
        json_schema_extra={"default": "auto"},
    )
    ensemble: EnsembleConfig | None = Field(
        default=None, description="several networks that answer with their mean; default: one network"
    )
    checkpoint: Annotated[CheckpointConfig, forms.or_empty] = Field(
        default_factory=lambda: CheckpointConfig()
    )
    silence: Annotated[tuple[WarningName, ...], FewEnough, forms.one_or_list] = Field(
        default=(), description="warnings to suppress, by name"
    )

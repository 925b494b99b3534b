"""The config, section by section: every key, its type, its bounds and its default.

The models are strict and frozen, and validate what `normalize` has brought to one form: every part is `{name: …}`, what
is given per layer is a tuple, every source of data is `{inputs: …}`. Rules that join sections are in `rules`.
"""

from typing import Annotated, Any, Literal

from annotated_types import Interval, MinLen
from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from bptrain.config import forms, part
from bptrain.config.columns import ColumnConfig, Missing, Scaler
from bptrain.config.part import MAX_ENTRIES, PartConfig
from bptrain.config.section import Column, Count, Section, at_most
from bptrain.config.training import DEFAULT_BATCH_SIZE
from bptrain.config.training import TrainingConfig as TrainingConfig
from bptrain.config.written_tables import (
    Comment,
    Delimiter,
    Encoding,
    FormatName,
    Header,
    Index,
    Markers,
    NumberMark,
    Quote,
    SheetOfWorkbook,
)
from bptrain.errors import WARNINGS
from bptrain.formats import Holds, formats, holds, listed
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import BelowOne


def _number_or_text(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<number>"


def _format(value: Any) -> int:
    if value == 1 and type(value) is int:  # a Literal[1] takes true for 1
        return 1
    raise PydanticCustomError("wrong_choice", "wrong_choice", {"allowed": ("1",)})


def _list_or_text(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<list>"


def _start(value: Any) -> bool | float:
    """true, false, or an initial value as a float."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and -1e300 < value < 1e300:
        return float(value)
    raise PydanticCustomError("wrong_type", "wrong_type", {"expected": "true, false or an initial value"})


ONE_ARRAY, ARRAYS = listed("array", ", "), listed("arrays", ", ")  # formats that hold these
FewEnough = at_most(MAX_ENTRIES)
FilePath = Annotated[str, Field(pattern=r"^[^\x00]+$")]
Columns = Annotated[tuple[Column, ...], MinLen(1)]
Auto = Annotated[Literal["auto"], Tag("<text>")]
Units = Annotated[int, Interval(ge=1, le=1_000_000), Tag("<number>")]

Size = Annotated[Auto | Units, Discriminator(_number_or_text)]
Start = Annotated[bool | float, PlainValidator(_start), WithJsonSchema({"type": ["boolean", "number"]})]
AutoOrBool = Annotated[Auto | Annotated[bool, Tag("<number>")], Discriminator(_number_or_text)]
Features = Annotated[
    Annotated[Column, Tag("<text>")] | Annotated[Columns, Tag("<list>")], Discriminator(_list_or_text)
]

Activation = Annotated[PartConfig, part.part(activations), forms.part_of("activation")]
Initializer = Annotated[PartConfig, part.part(initializers, also=("auto",)), forms.part_of("initializer")]
Loss = Annotated[PartConfig, part.part(losses), forms.part_of("loss")]
Metric = Annotated[PartConfig, part.part(metrics), forms.part_of("metric")]
Optimizer = Annotated[PartConfig, part.part(methods), forms.part_of("optimizer")]
TargetScaler = Annotated[PartConfig, part.part(scalers, also=("auto",)), forms.part_of("target_scaler")]
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


class Source(Section):
    """A data file, several that are one table, or one file with the inputs and one with the targets."""

    inputs: Annotated[tuple[FilePath, ...], MinLen(1), FewEnough, forms.one_or_list] = Field(
        description="path, relative to the config file; of tables also several, or a pattern such as parts/*.csv"
    )
    target: FilePath | None = Field(
        default=None, description="file with the targets, if it is a separate one"
    )

    @property
    def holds(self) -> Holds | None:
        """What the file holds, by its name; of several files, what the first holds."""
        return holds(self.inputs[0])


class GivenInPython(Section):
    """Rows that were given in Python: the config of their run says how many there were, and nothing reads it."""

    arrays: Annotated[str, Field(pattern=r"^\d+ x \d+$")] = Field(description="rows x columns")

    @property
    def holds(self) -> Literal["memory"]:
        """What a run's config cannot say any more."""
        return "memory"


def _file_or_arrays(value: Any) -> str:
    given = isinstance(value, GivenInPython) or (isinstance(value, dict) and "arrays" in value)
    return "<arrays>" if given else "<file>"


RowsFrom = Annotated[
    Annotated[Source, Tag("<file>")] | Annotated[GivenInPython, Tag("<arrays>")],
    Discriminator(_file_or_arrays),
    forms.first_branch,
]


class SplitConfig(Section):
    """How the rows of `train` are split."""

    validation: BelowOne = Field(
        default=0.15, description="share of rows used to choose the best weights; may be 0"
    )
    test: BelowOne = Field(default=0.15, description="share of rows kept for the final evaluation; may be 0")
    stratify: AutoOrBool = Field(
        default="auto", description="keep the proportions of the classes in every split"
    )
    shuffle: bool = Field(default=True, description="true: random rows; false: the last rows")


class DataConfig(Section):
    """Where the data comes from, and how it is prepared."""

    train: Annotated[RowsFrom, forms.or_path] = Field(description=listed())
    validation: Annotated[RowsFrom, forms.or_path] | None = Field(
        default=None, description="file used instead of the validation share of split"
    )
    test: Annotated[RowsFrom, forms.or_path] | None = Field(
        default=None, description="file used instead of the test share of split"
    )
    format: FormatName | None = Field(
        default=None,
        description="how the files are to be read, whatever their names; default: by their names",
    )
    delimiter: Delimiter | None = Field(
        default=None,
        description="what is between cells: one character, tab, or whitespace for runs of blanks",
    )
    encoding: Encoding | None = Field(
        default=None, description="text encoding, such as latin-1 or utf-16; default: utf-8"
    )
    header: Header | None = Field(
        default=None,
        description="false: none, columns are x1 … xn; a number of lines: the last has the names",
    )
    comment: Comment | None = Field(default=None, description="what lines that are no rows begin with")
    quote: Quote | None = Field(default=None, description='character around cells; "": none; default: "')
    decimal: NumberMark | None = Field(default=None, description="decimal mark of numbers")
    thousands: NumberMark | None = Field(default=None, description="mark between groups of digits")
    missing_markers: Annotated[Markers, forms.one_or_list] | None = Field(
        default=None,
        description="cells that are read as empty, in place of the default list, which `default` stands for",
    )
    index: Index | None = Field(
        default=None, description="whether the first column, or which one, only numbers the rows"
    )
    sheet: SheetOfWorkbook | None = Field(
        default=None, description="of Excel files: the name of the sheet, or its number from 1"
    )
    target: Annotated[Columns, forms.one_or_list, forms.of_places, forms.or_place] | None = Field(
        default=None,
        description=f"target column or columns; a path ({ONE_ARRAY}); an array name ({ARRAYS})",
        json_schema_extra=forms.without_default,
    )
    features: Annotated[Features, forms.of_places] = Field(
        default="all", description=f"all, a list of columns, or an array name ({ARRAYS})"
    )
    exclude: Annotated[tuple[Column, ...], forms.of_places] = Field(
        default=(), description="columns that are not used as inputs"
    )
    columns: dict[Column, Annotated[ColumnConfig, forms.or_kind]] = Field(
        default={},
        description="NAME: its kind, or a mapping with kind, scale, unknown …; overrides what is inferred",
    )
    split: SplitConfig = Field(default_factory=lambda: SplitConfig())
    scale: Scaler = Field(
        default_factory=lambda: part.default(scalers, "standard"),
        description="scaling of numeric inputs, fitted on the training rows",
    )
    scale_target: TargetScaler = Field(
        default=PartConfig("auto", {}),
        description="scaling of regression targets, fitted on the training rows",
    )
    weight: Annotated[Column, forms.or_place] | None = Field(
        default=None, description=f"column (or {ARRAYS} array) with row weights, in loss and metrics"
    )
    missing: Missing = Field(
        default="error",
        description="how empty cells are handled; or a mapping, one way per column, such as {fill: median}",
    )

    def holds(self, source: Source | GivenInPython) -> Holds | Literal["memory"] | None:
        """What a source of rows holds, by `format` or else by its name."""
        if isinstance(source, Source) and self.format is not None:
            return formats.get(self.format)().holds
        return source.holds

    @property
    def shares(self) -> tuple[float, float]:
        """The shares of validation and test that are cut from `train`: 0 where a file replaces one."""
        validation = 0.0 if self.validation else self.split.validation
        return validation, 0.0 if self.test else self.split.test


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
    seed: Annotated[int, Interval(ge=0, le=2**63 - 1)] = Field(
        default=0, description="seeds initial weights, split, shuffling, dropout and noise"
    )
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
    checkpoint: Annotated[CheckpointConfig, forms.or_empty] = Field(
        default_factory=lambda: CheckpointConfig()
    )
    silence: Annotated[tuple[WarningName, ...], FewEnough, forms.one_or_list] = Field(
        default=(), description="warnings to suppress, by name"
    )

"""The settings of the data room: plain records, filled in from the config by the caller."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from bptrain.data.sources import DataSource
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.parts.losses import Outputs
from bptrain.parts.scalers import Scaler, standard

Unknown = Literal[
    "ignore", "error", "bucket"
]  # what is done about a category that the training rows did not have

SplitBy = Literal["", "column", "group", "time", "hash"]  # what a column that splits rows says

BUCKETS = 64  # of a hash, where the config says no number


class ColumnOptions(NamedTuple):
    """What a config says of one column beside its kind; the defaults are what it is without a word."""

    scale: Scaler | None = None  # None: that of all columns
    order: tuple[str, ...] = ()  # the levels of an ordinal, from the lowest
    form: str = ""  # of dates: ymd | dmy | mdy | time
    unknown: Unknown = "ignore"
    min_count: int = 1  # a level of fewer training rows is a rare one
    buckets: int = 0  # of a hash; 0: one input per level


class Fill(NamedTuple):
    """What stands in for the missing cells of a column."""

    policy: str  # mean | median | most_frequent | constant
    value: float | str | bool | None = None  # of constant
    indicator: bool = False  # one more input: 1 where the cell was missing


class IndexFile(NamedTuple):
    """A file with the numbers of the test rows."""

    path: Path
    line: int | None = None  # counted from 1; None: the only one


class RowSplit(NamedTuple):
    """How the rows of the training file are split, beside the shares."""

    by: SplitBy = ""  # "": they are drawn, or stay in the order of the file
    column: str = ""  # that decides by its cells
    test_rows: IndexFile | None = None  # that names them; validation is cut from the others
    fold: tuple[int, int] | None = None  # the fold, from 1, that is the test set, and of how many; likewise
    seed: int | None = None  # None: that of the run
    validation_fold: tuple[int, int] | None = (
        None  # the fold, from 1, of the rows that no test has, and of how many
    )


class DataSettings(NamedTuple):
    """The `data` section of a config, with `task`."""

    train: DataSource
    validation: DataSource | None = None
    test: DataSource | None = None
    target: str | tuple[str, ...] | None = None  # column names; for npz an array name, "y" by default
    features: str | tuple[str, ...] = (
        "all"  # "all" or column names; for npz also an array name, "X" by default
    )
    exclude: tuple[str, ...] = ()
    columns: Mapping[str, str] = MappingProxyType({})  # name -> its kind, where one is declared
    column_options: Mapping[str, ColumnOptions] = MappingProxyType({})  # name -> what else is said of it
    validation_share: float = 0.15
    test_share: float = 0.15
    split: RowSplit = RowSplit()
    stratify: bool | None = None  # None is auto
    shuffle: bool = True
    scale: Scaler = standard()
    scale_target: Scaler | None = None  # None is auto
    clip_predictions: bool = False
    missing: str | Mapping[str, str | Fill] = "error"  # error | mean | median | most_frequent | drop
    task: str = "auto"  # auto | classification | regression
    weight: str | None = None  # the column, or the array of an npz file, that says what each row weighs
    class_weight: str | Mapping[object, float] | None = None  # "balanced", or label -> weight
    conventions: Conventions = RECOGNIZED  # what the config says of how cells are written

    def policy(self, name: str) -> str:
        """What is done about a missing cell in a column."""
        said = self.missing if isinstance(self.missing, str) else self.missing.get(name, "error")
        return said.policy if isinstance(said, Fill) else said

    def fill(self, name: str) -> Fill:
        """What stands in for a missing cell in a column that is filled."""
        said = self.missing if isinstance(self.missing, str) else self.missing.get(name, "error")
        return said if isinstance(said, Fill) else Fill(said)

    def options(self, name: str) -> ColumnOptions:
        """What is said of a column beside its kind."""
        return self.column_options.get(name, ColumnOptions())


class NetworkFacts(NamedTuple):
    """What the data room needs to know of the rest of the config."""

    loss_name: str
    loss_outputs: Outputs
    smoothing: float = 0.0  # Loss.smoothing
    n_inputs: int | None = None  # n_0, None where the data decides
    n_outputs: int | None = None  # n_L, likewise
    output_range: tuple[float, float] | None = (
        None  # Activation.range of layer L, None where it is the default
    )
    scale_is_none: bool = False  # data.scale is none

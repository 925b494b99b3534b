"""The section `data` of a config: where rows come from, how they are read, split and prepared."""

from typing import Annotated, Any, Literal

from annotated_types import Interval, MinLen
from pydantic import Discriminator, Field, Tag

from bptrain.config import forms, part
from bptrain.config.columns import ColumnConfig, Missing, Scaler
from bptrain.config.memory_size import MemorySize, bytes_of
from bptrain.config.part import PartConfig
from bptrain.config.section import Auto, Column, Count, FewEnough, Section, Seed, number_or_text
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
from bptrain.formats import Holds, formats, holds, listed
from bptrain.parts.scalers import scalers
from bptrain.parts.types import BelowOne

# The keys of `split` that name how rows are split, and those that then do nothing.
COLUMN_WAYS: tuple[Literal["column", "group", "time", "hash"], ...] = ("column", "group", "time", "hash")
NAME_TEST_ROWS = ("index", "fold")  # from the rest, `group` or the shuffle takes validation rows
IDLE = {
    "": frozenset[str](),
    "column": frozenset({"validation", "test", "stratify", "shuffle", "seed"}),
    "group": frozenset({"stratify", "shuffle"}),
    "time": frozenset({"stratify", "shuffle", "seed"}),
    "hash": frozenset({"stratify", "shuffle"}),
    "index": frozenset({"test"}),
}


def _list_or_text(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<list>"


ONE_ARRAY, ARRAYS = listed("array", ", "), listed("arrays", ", ")  # formats that hold these
FilePath = Annotated[str, Field(pattern=r"^[^\x00]+$")]
Columns = Annotated[tuple[Column, ...], MinLen(1)]
SplitColumn = Annotated[Column, forms.or_place]

AutoOrBool = Annotated[Auto | Annotated[bool, Tag("<number>")], Discriminator(number_or_text)]
Features = Annotated[
    Annotated[Column, Tag("<text>")] | Annotated[Columns, Tag("<list>")], Discriminator(_list_or_text)
]
TargetScaler = Annotated[PartConfig, part.part(scalers, also=("auto",)), forms.part_of("target_scaler")]


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
    """How the rows of `train` are split: drawn by `shuffle` and `stratify`, or in the one way that is named."""

    validation: BelowOne = Field(
        default=0.15, description="share of rows used to choose the best weights; may be 0"
    )
    test: BelowOne = Field(default=0.15, description="share of rows kept for the final evaluation; may be 0")
    stratify: AutoOrBool = Field(
        default="auto", description="keep the proportions of the classes in every split"
    )
    shuffle: bool = Field(default=True, description="true: random rows; false: the last rows")
    column: SplitColumn | None = Field(
        default=None, description="column that names each row's split: train, validation (val, dev) or test"
    )
    group: SplitColumn | None = Field(
        default=None, description="column whose rows of one value, such as a person, stay in one split"
    )
    time: SplitColumn | None = Field(
        default=None,
        description="column of dates or numbers: the newest rows are test rows, those before them validation",
    )
    hash: SplitColumn | None = Field(
        default=None,
        description="column whose text decides by its hash: a row stays where it is as rows come",
    )
    index: FilePath | None = Field(
        default=None, description="file with the numbers of the test rows, from 0, one split per line"
    )
    line: Count | None = Field(default=None, description="line of the index file, from 1")
    folds: Annotated[int, Interval(ge=2, le=1_000_000)] | None = Field(
        default=None, description="number of folds of cross-validation, of which `fold` is tested"
    )
    fold: Count | None = Field(
        default=None,
        description="the fold, from 1, that is the test set in place of the share; the others train and validate",
    )
    validation_folds: Annotated[int, Interval(ge=2, le=1_000_000)] | None = Field(
        default=None, description="number of folds of the rows to train, of which `validation_fold` validates"
    )
    validation_fold: Count | None = Field(
        default=None,
        description="the fold, from 1, that is the validation set in place of the share",
    )
    seed: Seed | None = Field(
        default=None, description="seed of the split alone; default: seed; of hash, which has none: its salt"
    )

    @property
    def ways(self) -> tuple[str, ...]:
        """The keys that name how rows are split, where it is not by shares alone."""
        return tuple(way for way in (*COLUMN_WAYS, *NAME_TEST_ROWS) if getattr(self, way) is not None)

    @property
    def by(self) -> Literal["", "column", "group", "time", "hash"]:
        """The key that names a column; "" where rows are drawn, or stay in the order of the file."""
        return next((way for way in COLUMN_WAYS if getattr(self, way) is not None), "")

    @property
    def agree(self) -> bool:
        """Whether no two ways are named that exclude each other."""
        return len(self.ways) <= 1 or (
            self.by == "group" and len(self.ways) == 2 and self.ways[1] in NAME_TEST_ROWS
        )

    @property
    def idle(self) -> frozenset[str]:
        """The keys that do nothing beside the others."""
        keys = IDLE[self.by] | (IDLE["index"] if self.index else {"line"})
        keys |= {"validation"} if self.validation_fold else set()
        return frozenset(keys if self.by or self.shuffle else {*keys, "seed"})


class DataConfig(Section):
    """Where the data comes from, and how it is prepared."""

    train: Annotated[RowsFrom, forms.or_path] = Field(description=listed())
    validation: Annotated[RowsFrom, forms.or_path] | None = Field(
        default=None, description="file used instead of the validation share of split"
    )
    test: Annotated[RowsFrom, forms.or_path] | None = Field(
        default=None, description="file used instead of the test share of split"
    )
    root: FilePath | None = Field(
        default=None,
        description="directory that relative paths of data start from, in place of the config file's own",
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
    clip_predictions: bool = Field(
        default=False,
        description="of a regression: clip predictions to the range of the training rows' targets",
    )
    weight: Annotated[Column, forms.or_place] | None = Field(
        default=None, description=f"column (or {ARRAYS} array) with row weights, in loss and metrics"
    )
    missing: Missing = Field(
        default="error",
        description="how empty cells are handled; or a mapping, one way per column, such as {fill: median}",
    )
    memory: Annotated[MemorySize | None, forms.or_none] = Field(
        default=None,
        description="bound on memory, such as 200MB: larger data is converted once to mapped files; default: none",
    )
    cache: FilePath | None = Field(
        default=None,
        description="directory of converted data; default: the user's cache directory",
    )

    def holds(self, source: Source | GivenInPython) -> Holds | Literal["memory"] | None:
        """What a source of rows holds, by `format` or else by its name."""
        if isinstance(source, Source) and self.format is not None:
            return formats.get(self.format)().holds
        return source.holds

    @property
    def memory_bound(self) -> int | None:
        """`memory` in bytes; None where all data is in memory."""
        return None if self.memory is None else bytes_of(self.memory)

    @property
    def shares(self) -> tuple[float, float]:
        """The shares of validation and test that are cut from `train`: 0 where a file, or the data, says which rows."""
        split, idle = self.split, self.split.idle
        validation = 0.0 if self.validation or "validation" in idle else split.validation
        return validation, 0.0 if self.test or split.fold or "test" in idle else split.test

"""What is asked of `bptrain predict`, and what it tells while it works."""

from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.predict.predicted_files import ChosenModel
from bptrain.commands.predict.prediction_columns import PREDICTION
from bptrain.data.drift import ColumnDrift
from bptrain.errors import Warned

BLANK, ERROR = "blank", "error"


class PredictOptions(NamedTuple):
    """What is asked of the command beside the words of its line."""

    checkpoint: str = "best"
    out: str | None = None  # None: stdout
    format: str | None = None
    overwrite: bool = False
    keep: tuple[str, ...] = ()  # columns; "all" alone: all
    name: str = PREDICTION
    proba: bool = False
    on_bad_row: str = ERROR
    threshold: float | None = None
    cost: Path | None = None
    interval: float | None = None  # the level of the intervals of predicted numbers
    split: str | None = None  # of the run's own rows, in place of data
    data_root: Path | None = None  # where the run's data lies now
    shard: str | None = None  # I/N, of the files or row groups
    spread: bool = False  # whether the standard deviation of the members of an ensemble is written
    fail_on_drift: float | None = None  # the largest drift of a column that is no verdict against it


class Chosen(NamedTuple):
    """Who predicts."""

    by: ChosenModel


class Noted(NamedTuple):
    """A line about how a file was read."""

    text: str


class Left(NamedTuple):
    """A file that was there, and is left as it is."""

    out: Path


class Printed(NamedTuple):
    """Predictions for stdout."""

    text: str


class Advanced(NamedTuple):
    """Some more rows were predicted."""

    rows: int


class PredictedFile(NamedTuple):
    """A file whose rows were predicted, or which is left since its predictions were there."""

    data: str  # its path, or the name of a split
    out: Path | None
    rows: int = 0
    unknown: int = 0  # cells of unknown categories
    filled: int = 0  # cells that were missing and filled in
    left: bool = False

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**self._asdict(), "out": None if self.out is None else str(self.out)}


class PredictionSummary(NamedTuple):
    """All that was predicted."""

    run: Path | None
    checkpoint: Path
    files: tuple[PredictedFile, ...]
    seconds: float
    drifted: tuple[ColumnDrift, ...] | None = (
        None  # columns with more drift than is allowed; None: nobody asked
    )

    @property
    def rows(self) -> int:
        """Those that were predicted now."""
        return sum(file.rows for file in self.files)

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "run": None if self.run is None else str(self.run),
            "checkpoint": str(self.checkpoint),
            "files": [file.record() for file in self.files],
            "rows": self.rows,
            "unknown": sum(file.unknown for file in self.files),
            "filled": sum(file.filled for file in self.files),
            "seconds": self.seconds,
            **({} if self.drifted is None else {"fail_on_drift": [one.name for one in self.drifted]}),
        }


PredictEvent = Chosen | Noted | Warned | Left | Printed | Advanced | PredictionSummary

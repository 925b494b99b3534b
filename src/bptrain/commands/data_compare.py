"""What `bptrain data compare` does: the drift of each column of a file from the training rows of a run."""

from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import conventions_for
from bptrain.data.compared_file import compared_columns
from bptrain.data.drift import ColumnDrift, drift_of
from bptrain.data.joined_files import source_of_paths
from bptrain.errors import Warned
from bptrain.model.load import load_model
from bptrain.store.plain import plain


class DataComparison(NamedTuple):
    """A file compared with the training rows of a run."""

    checkpoint: Path
    file: Path
    rows: int  # of the file
    training_rows: int
    columns: tuple[ColumnDrift, ...]  # the one that has drifted most first
    warnings: tuple[Warned, ...]  # about the model

    def drifted(self, most: float) -> list[ColumnDrift]:
        """The columns whose drift is above a bound."""
        return [column for column in self.columns if column.psi > most]

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {
            "checkpoint": str(self.checkpoint),
            "file": str(self.file),
            "rows": self.rows,
            "training_rows": self.training_rows,
            "columns": [plain(column.record()) for column in self.columns],
        }


def compare_data(run: Path, file: Path, target: Path | None = None) -> DataComparison:
    """Compares a file with the training rows of a run or checkpoint; it need not have the target.

    Raises DataError, and CheckpointError where the run keeps no statistics.
    """
    model = load_model(run)
    statistics = model.training_statistics()
    settings = model.config.data
    source = source_of_paths([file], target, conventions_for(settings, file))
    blocks = compared_columns(source, model.schema, settings.features, settings.target)
    columns = [drift for block in blocks for drift in drift_of(statistics, block)]
    columns.sort(key=lambda one: -one.psi)
    return DataComparison(
        model.stored.path, file, blocks[0].rows, statistics.rows, tuple(columns), model.warnings
    )

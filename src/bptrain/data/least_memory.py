"""The anonymous memory that preparing a table takes even where its matrices lie in files: some numbers for each row."""

from bptrain.data.storage import Storage
from bptrain.data.table import Table
from bptrain.errors import DataError, Problem

FOR_ALL = (
    40_000_000  # bytes for blocks of the file, parts of matrices, and memory that was let go a moment ago
)
OF_A_ROW = 32  # bytes: its number where rows are drawn, a column that is fitted, and what becomes of both
ROUND = 10_000_000


def least_bound(rows: int) -> int:
    """The bytes that a data set of so many rows takes at least, in steps of 10 MB."""
    return -(-(FOR_ALL + OF_A_ROW * rows) // ROUND) * ROUND


def in_megabytes(bound: int) -> str:
    """A bound as the config has it."""
    return f"{bound // 1_000_000}MB"


def refuse_small_bound(table: Table, storage: Storage) -> None:
    """Raises DataError where what has a number for each row does not fit into the bound of a storage."""
    rows, bound = table.features.rows, storage.bound
    if bound is not None and bound < OF_A_ROW * rows:
        message = (
            f"the {rows:,} rows of {table.features.origin.file} take some {OF_A_ROW} bytes of memory each, whatever "
            f"lies on the disk: data.memory: {in_megabytes(least_bound(rows))} is the least that holds"
        )
        raise DataError(Problem("memory_bound", message, path="data.memory"))

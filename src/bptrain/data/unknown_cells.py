"""Cells of categories that the training rows did not have: counted, told, or refused."""

from collections.abc import Iterable, Sequence

from bptrain.data.features import Feature
from bptrain.data.levels import Levels
from bptrain.data.table import ColumnBlock
from bptrain.errors import Problem, Warned
from bptrain.formats.problems import ErrorList, some_of
from bptrain.parts.types import Array

ALL_UNSEEN = 2  # so many cells, all of unknown categories, are an error
REMEMBERED = 10_000  # different unknown categories of a column, for the message


class UnknownCells:
    """What the categorical columns of some rows hold beside the categories of the training rows, piece by piece."""

    def __init__(self, features: Sequence[Feature], file: str) -> None:
        self.file = file
        self._features = [one for one in features if one.kind == "categorical" and not one.buckets]
        self._there = {one.name: 0 for one in self._features}  # cells that are not missing
        self._unknown = {one.name: 0 for one in self._features}
        self._levels: dict[str, dict[str, None]] = {one.name: {} for one in self._features}

    @property
    def total(self) -> int:
        """The cells of unknown categories, of all columns."""
        return sum(self._unknown.values())

    def add(self, block: ColumnBlock, rows: Array) -> None:
        """Counts the cells of these rows of a block."""
        for feature in self._features:
            counts = block.texts[feature.name][rows].counts()
            self._there[feature.name] += len(rows) - counts.get(None, 0)
            unknown = unknown_categories(feature, counts)
            if unknown:
                self._unknown[feature.name] += sum(map(counts.__getitem__, unknown))
                known = self._levels[feature.name]
                known |= dict.fromkeys(sorted(unknown)[: REMEMBERED - len(known)])

    def warnings(self, where: str) -> list[Warned]:
        """One for each column with unknown categories."""
        warnings = []
        for feature in self._features:
            n = self._unknown[feature.name]
            if not n:
                continue
            become = "share one input" if feature.unknown == "bucket" else "are encoded as zeros"
            message = (
                f"column {feature.name}: {n} cells in {where} hold categories that the training rows "
                f"do not have ({some_of(sorted(self._levels[feature.name]), 5)}); they {become}"
            )
            warnings.append(Warned("unseen_category", message))
        return warnings

    def refuse_all(self) -> None:
        """Raises DataError for a column in which every cell is a category that the training rows did not have.

        One row may be new in this way, but several look like a column that was read as something else.
        """
        errors = ErrorList()
        for feature in self._features:
            there, unknown = self._there[feature.name], self._unknown[feature.name]
            if feature.unknown == "bucket" or there < ALL_UNSEEN or unknown < there:
                continue
            levels = self._levels[feature.name]
            message = (
                f"column {feature.name}: none of its {there:,} cells is a category of the training rows (here "
                f"{some_of(sorted(levels), 3)}; there {some_of(feature.categories, 3)})"
            )
            known = {level.lstrip("0") for level in feature.categories if level != level.lstrip("0")}
            if known & levels.keys():
                message += ": leading zeros are lost; read the column as text"
            errors.add(Problem("unseen_categories", message, file=self.file))
        errors.raise_if_any()


def unknown_categories(feature: Feature, cells: Iterable[str | None]) -> frozenset[str]:
    """The categories among some cells that the training rows did not have."""
    levels = Levels((*feature.categories, *feature.rare))
    return frozenset(cell for cell in cells if cell is not None and levels[cell] < 0)


def refuse_unknown(features: Sequence[Feature], block: ColumnBlock, rows: Array) -> None:
    """Raises DataError for unknown categories in columns for which such are an error."""
    errors = ErrorList()
    for feature in features:
        if feature.kind != "categorical" or feature.buckets or feature.unknown != "error":
            continue
        cells = block.texts[feature.name][rows]
        unknown = unknown_categories(feature, cells.counts())
        for row in rows[cells.are(unknown)].tolist() if unknown else ():
            cell = block.texts[feature.name][row]
            message = f"column {feature.name} is {cell!r} here, which no training row has (unknown: error)"
            errors.add(block.origin.problem("unknown_category", row, message), row)
    errors.raise_if_any()


def unseen(features: Sequence[Feature], block: ColumnBlock, rows: Array, where: str) -> list[Warned]:
    """A warning for each column with categories that the training rows did not have.

    Raises DataError for those of a column for which such are an error.
    """
    refuse_unknown(features, block, rows)
    found = UnknownCells(features, block.origin.file)
    found.add(block, rows)
    return found.warnings(where)


def refuse_all_unseen(features: Sequence[Feature], block: ColumnBlock, rows: Array) -> None:
    """Raises DataError for a column of these rows with unknown categories alone."""
    found = UnknownCells(features, block.origin.file)
    found.add(block, rows)
    found.refuse_all()

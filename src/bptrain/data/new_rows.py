"""Rows of a file that a trained model is to predict, piece by piece: encoded by its schema, and what is odd about them.

Targets and weights are not needed, and not read where they are there. What is said of the rows is said once for the
file, when its last piece has come.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data.array_columns import block_without_markers, feature_block
from bptrain.data.cell_counts import bounded, counts_of_filled, said_of_filled
from bptrain.data.cell_notes import CellReading, cell_notes, merged
from bptrain.data.column_kinds import read_as
from bptrain.data.column_roles import by_schema
from bptrain.data.drift import DriftCounts
from bptrain.data.raw_columns import is_plain
from bptrain.data.readers import pick
from bptrain.data.schema import Schema
from bptrain.data.sheet_columns import block_of, texts_of
from bptrain.data.table import ColumnBlock, Table
from bptrain.data.training_range import OutsideRange
from bptrain.data.unknown_cells import UnknownCells, refuse_unknown
from bptrain.errors import DataError, Problem, Warned
from bptrain.formats import NamedArrays, Sheet
from bptrain.formats.base import Cells, Contents
from bptrain.formats.names import own_spelling
from bptrain.formats.problems import ErrorList, FaultyRows, Origin, nearest, some_of
from bptrain.parts.types import Array

ALL = "all"


class KeptColumn(NamedTuple):
    """A column of the file as it was written."""

    name: str
    cells: Cells
    typed: bool = False  # whether its texts are numbers by their type, as those of JSON are


class EncodedPiece(NamedTuple):
    """Some rows of a file."""

    rows: int  # N
    X: Array  # those of them that can be predicted, × n_0; none where the outputs are there
    unfit: Array | None  # which of the N rows cannot be predicted, true and false; None where all can
    kept: tuple[KeptColumn, ...]  # N each
    outputs: Array | None = None  # X_L of the rows


class NewRows:
    """The rows of one file."""

    def __init__(
        self,
        schema: Schema,
        dtype: DTypeLike,
        file: str,
        *,
        array: str = "X",
        keep: Sequence[str] | str = (),
        blank: bool = False,
        drift: DriftCounts | None = None,
        forward: Callable[[Array], Array | None] = lambda raw: None,
    ) -> None:
        """
        array   the array of the inputs, in a file of several
        keep    columns to hand on as they are written, or all
        blank   whether a row that cannot be predicted is marked as such, and no error
        drift   where the rows are counted, too
        forward X_L of many rows of numbers alone, raw and in the schema's order; None where it takes encoded rows
        """
        self.schema, self.dtype, self.file, self.array = schema, dtype, file, array
        self.keep, self.blank, self.drift, self.forward = keep, blank, drift, forward
        self.rows = 0  # that have come
        self.unfit = 0  # of these, that cannot be predicted
        self.unknown = UnknownCells(schema.features, file)
        self.filled: Counter[str] = Counter()
        self._outside = OutsideRange(schema.statistics, schema.numeric)
        self._extra: list[Warned] = []
        self._reading = CellReading({}, {}, {})
        self._notes: dict[str, None] = {}
        self._a_fault: Problem | None = (
            None  # not of the first such row: columns are looked at one after another
        )

    def take(self, piece: Contents) -> EncodedPiece:
        """The next rows. Raises DataError for missing columns; FaultyRows for cells, unless these may be blank."""
        names, kept, n = self._kept(piece)
        if not self.rows and names is not None:
            self._extra = self._extra_columns(names, [one.name for one in kept])
        plain = self._plain(piece)
        outputs = None if plain is None else self.forward(plain.numbers)
        if plain is not None and outputs is not None:
            self._count(plain, n)
            return EncodedPiece(n, self._no_rows(), None, kept, outputs)
        block, X, unfit = self._encoded(piece, n)
        if block is not None:
            rows = np.arange(block.rows)
            self.unknown.add(block, rows)
            self.filled += counts_of_filled(block, rows, self.schema.features)
            self._reading = merged([self._reading, block.reading])
            self._notes |= dict.fromkeys(block.origin.notes)
        self._count(block, n)
        self.unfit += int(unfit.sum())
        return EncodedPiece(n, X, unfit if unfit.any() else None, kept)

    def _plain(self, piece: Contents) -> ColumnBlock | None:
        """An array of numbers alone, in the order of the schema, as it is; None for any other piece."""
        if isinstance(piece, Sheet):
            return None
        array, names = self._array(piece), tuple(feature.name for feature in self.schema.features)
        if array.ndim != 2 or array.shape[1] != len(names) or not is_plain(array, self.schema):
            return None
        numbered = {f"x{k + 1}": k for k in range(len(names))}
        if numbered.keys() >= {*names} and [*numbered] != [*names]:  # columns go by their names
            return None
        return ColumnBlock(Origin(self.file), names, array, names, {})

    def _count(self, block: ColumnBlock | None, n: int) -> None:
        """Counts n rows, of which those that can be predicted are a block."""
        self.rows += n
        if block is not None:
            self._outside.add(block)
            if self.drift is not None:
                self.drift.add(block)

    def warnings(self) -> tuple[Warned, ...]:
        """What is odd about all rows that have come. Raises DataError for a column of unknown categories alone."""
        self.unknown.refuse_all()
        odd = [*self._outside.warnings(self.file), *self._extra, *self.unknown.warnings(self.file)]
        if self.unfit and self._a_fault is not None:
            message = (
                f"{self.unfit:,} of {self.rows:,} rows of {self.file} cannot be predicted, and their predictions are "
                f"empty, such as {_in_words(self._a_fault)}"
            )
            odd.append(Warned("blank_predictions", message))
        return bounded(odd)

    def notes(self) -> tuple[str, ...]:
        """How the file is written, and what was done to its cells."""
        filled = said_of_filled(self.filled, self.schema.features, self.file)
        return (*self._notes, *cell_notes([self._reading]), *(f"missing: {said}" for said in filled))

    def _kept(self, piece: Contents) -> tuple[tuple[str, ...] | None, tuple[KeptColumn, ...], int]:
        """The names of all columns (None of an array), those to keep, and the number of rows."""
        if isinstance(piece, Sheet):
            n = len(piece.cells[piece.names[0]])
            wanted = self._wanted(piece.names)
            kept = tuple(KeptColumn(name, piece.cells[name], name in piece.typed) for name in wanted)
            return piece.names, kept, n
        array = self._array(piece)
        if not self.keep:
            return None, (), len(array)
        block = self._array_block(array)
        kept = tuple(KeptColumn(name, block.number(name)) for name in self._wanted(block.names))
        return None, kept, len(array)

    def _wanted(self, names: Sequence[str]) -> list[str]:
        """The columns to keep, as the file spells them. Raises DataError for those that it lacks."""
        if self.keep == ALL:
            return list(names)
        own, errors, known = own_spelling(names), ErrorList(), frozenset(names)
        found = [own(name) for name in self.keep]
        for name in found:
            if name not in known:
                message = f"there is no column {name!r} to keep; the data has {some_of(names)}"
                errors.add(
                    Problem("unknown_column", message, file=self.file, suggestion=nearest(name, names))
                )
        errors.raise_if_any()
        return found

    def _extra_columns(self, names: Sequence[str], kept: Sequence[str]) -> list[Warned]:
        """A warning of columns that neither the training file has nor somebody wants."""
        schema, own = self.schema, own_spelling(names)
        used = {own(feature.name) for feature in schema.features} | set(kept)
        used |= {own(name) for name in (*schema.target.names, schema.weight) if name is not None}
        others = [name for name in names if name not in used]
        known = others if schema.left_out is None else frozenset(schema.left_out)
        extra = [name for name in others if name not in known]
        if not extra:
            return []
        message = (
            f"{self.file} has columns that are not in the training file, and are not read: {some_of(extra)}"
        )
        return [Warned("extra_columns", message)]

    def _encoded(self, piece: Contents, n: int) -> tuple[ColumnBlock | None, Array, Array]:
        """The rows that can be predicted, as columns and as X, and which of all cannot, true and false."""
        unfit = np.zeros(n, bool)
        part = piece
        while True:
            try:
                block = self._block(part)
                self._refuse_missing(block)
                refuse_unknown(self.schema.features, block, np.arange(block.rows))
                return block, self.schema.encode_features(Table(block), self.dtype), unfit
            except FaultyRows as fault:
                if not self.blank:
                    raise
                self._a_fault = self._a_fault or fault.problems[0]
                unfit[np.flatnonzero(~unfit)[sorted(fault.rows)]] = True
            if unfit.all():
                return None, self._no_rows(), unfit
            part = self._rows_of(piece, np.flatnonzero(~unfit))

    def _no_rows(self) -> Array:
        return np.empty((0, self.schema.n_inputs), self.dtype)

    def _rows_of(self, piece: Contents, rows: Array) -> Contents:
        """Some rows of a piece, with the columns that the model reads."""
        if not isinstance(piece, Sheet):
            return self._array(piece)[rows]
        own, lines = own_spelling(piece.names), piece.origin.lines
        cells: dict[str, Cells] = {}
        for name in (own(feature.name) for feature in self.schema.features):
            found = piece.cells[name]
            cells[name] = (
                found[rows]
                if isinstance(found, np.ndarray)
                else [*map(texts_of(found).__getitem__, rows.tolist())]
            )
        origin = piece.origin._replace(lines=None if lines is None else lines[rows])
        return piece._replace(origin=origin, cells=cells)

    def _block(self, piece: Contents) -> ColumnBlock:
        """The columns that the model reads, under its names and of its kinds."""
        schema = self.schema
        kinds = {feature.name: read_as(feature.kind) for feature in schema.features}
        in_order = not isinstance(piece, Sheet)
        choose = by_schema(kinds, (), {}, self.file, None, None if in_order else 1, schema.cells)
        if isinstance(piece, Sheet):
            choice = choose([name for name in piece.names if name not in piece.targets], None)
            block = block_of(piece, choice.features, choice.kinds, infer=False, rules=choice.rules)
        else:
            block = self._array_block(self._array(piece))
            choice = choose(block.names, ())
            block = block_without_markers(block, choice.rules)
            block = pick(block, choice.features, choice.kinds, choice.infer)
        return schema.with_kinds(Table(block.renamed(tuple(kinds)))).features

    def _array(self, piece: Array | NamedArrays) -> Array:
        """The array of the inputs. Raises DataError where there is none of its name."""
        if isinstance(piece, np.ndarray):
            return piece
        if self.array not in piece.names:
            message = f"{self.file} has no array named {self.array}; it has {some_of(piece.names) or 'none'}"
            close = nearest(self.array, piece.names)
            raise DataError(Problem("unknown_array", message, file=self.file, suggestion=close))
        return piece.get(self.array)

    def _array_block(self, array: Array) -> ColumnBlock:
        return feature_block(array, self.file, begin=self.rows)

    def _refuse_missing(self, block: ColumnBlock) -> None:
        """Raises FaultyRows for missing cells that nothing stands in for."""
        filled = {feature.name for feature in self.schema.features if feature.fill is not None}
        errors = ErrorList()
        for name, mask in block.missing():
            if name not in filled:  # "drop" too: a prediction is asked for every row
                message = f"column {name} has no value here; the model has nothing to fill in for it"
                errors.add_rows("missing_cell", block.origin, np.flatnonzero(mask), message)
        errors.raise_if_any()


def _in_words(problem: Problem) -> str:
    """A problem in a sentence: its line, where it has one, and what is wrong."""
    return (f"line {problem.line}: " if problem.line is not None else "") + problem.message

"""One column of a source by itself, whether a model reads it or not: what its rows are grouped by."""

from collections.abc import Sequence

import numpy as np

from bptrain.data.array_columns import feature_block, target_block
from bptrain.data.column_kinds import read_as
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.schema import Schema
from bptrain.data.sheet_columns import block_of, plain_numbers
from bptrain.data.sources import DataSource, FileSource
from bptrain.data.table import ColumnBlock
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet
from bptrain.formats.names import own_spelling
from bptrain.formats.problems import nearest, some_of
from bptrain.parts.types import Array


def column_of(
    source: DataSource,
    name: str,
    schema: Schema,
    features: str | Sequence[str] = "all",
    target: str | Sequence[str] | None = None,
) -> Array:
    """The column `name` of every row of a source, N: numbers with NaN, or texts with None, where a cell is missing.

    `features` and `target` name the arrays of an npz file, as the config has them. A column that the model reads as
    numbers is such; another is where all its cells are plain numbers. Raises DataError where there is no such column.
    """
    if isinstance(source, FileSource | JoinedFiles):
        names = (feature.name for feature in schema.features)
        source = source.for_columns((*names, *schema.target.names))
    contents = source.read("", features, target, schema.weight)
    if isinstance(contents, Sheet):
        known: Sequence[str] = contents.names
        name = own_spelling(known)(name)
        if name in known:
            return _of_sheet(contents, name, schema)
    else:
        (place, target_place), own = contents.places, contents.names
        blocks = [
            feature_block(contents.X, place, own.features),
            target_block(contents.y, target_place, own.target),
        ]
        known = [column for block in blocks for column in block.names]
        name = own_spelling(known)(name)
        for block in blocks:
            if name in block.names:
                return _of_block(block, name)
    message = f"the column {name!r} is missing; the data has {some_of(known)}"
    raise DataError(Problem("missing_column", message, file=source.name, suggestion=nearest(name, known)))


def _of_sheet(sheet: Sheet, name: str, schema: Schema) -> Array:
    kinds = {feature.name: read_as(feature.kind) for feature in schema.features}
    kind = kinds.get(own_spelling(kinds)(name))
    if kind is None and plain_numbers(sheet.cells[name], schema.cells) is not None:
        kind = "numeric"
    return _of_block(
        block_of(sheet, (name,), {name: kind or "categorical"}, infer=False, rules=schema.cells), name
    )


def _of_block(block: ColumnBlock, name: str) -> Array:
    return block.texts[name].objects() if name in block.texts else np.asarray(block.number(name), np.float64)

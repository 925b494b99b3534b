"""The column that splits rows: its cells as texts, or as numbers where they are times, and what they say."""

import numpy as np

from bptrain.data.cells import CellRules, value_of
from bptrain.data.column_kinds import ColumnKind, with_kinds
from bptrain.data.levels import lone_key
from bptrain.data.sheet_columns import block_of, coded_texts
from bptrain.data.splitting import TEST, TRAIN, VALIDATION, Split, split_of
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.data.table import ColumnBlock, as_texts
from bptrain.data.text_cells import TextCells
from bptrain.errors import short
from bptrain.formats import Sheet
from bptrain.formats.problems import ErrorList, nearest
from bptrain.parts.types import Array

PARTS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}


def texts_block(sheet: Sheet, name: str, rules: CellRules, storage: Storage = IN_MEMORY) -> ColumnBlock:
    """A column as the texts of its cells, in one spelling of each value, which no other cell has a say in.

    It is in Unicode NFC and without blanks around it; 1.0 is 1, TRUE is true, and a date has no midnight.
    """
    cells = coded_texts(sheet.cells[name])
    keys = (None if value_of(text, rules) is None else lone_key(text) for text in cells.texts)
    texts = TextCells.meaning(keys, cells.codes, storage)
    return ColumnBlock(sheet.origin, (name,), np.empty((len(texts), 0)), (), {name: texts})


def times_block(
    sheet: Sheet, name: str, declared: ColumnKind | None, rules: CellRules, storage: Storage = IN_MEMORY
) -> ColumnBlock:
    """A column as numbers, of dates days since 1970 with the texts beside them. Raises DataError for other cells."""
    read_as = {} if declared is None else {name: "numeric" if declared.kind == "numeric" else "categorical"}
    written = block_of(sheet, (name,), read_as, infer=True, rules=rules, storage=storage)
    block, kinds = with_kinds(written, {} if declared is None else {name: declared}, infer=True, rules=rules)
    if name in block.texts:
        errors, cells = ErrorList(), block.texts[name]
        values = {cell: np.nan if cell is None else value_of(cell, rules) for cell in cells.texts}
        bad = [cell for cell, value in values.items() if not isinstance(value, float)]
        for row in np.flatnonzero(cells.are(bad)).tolist() if bad else ():
            message = (
                f"column {name} orders the rows by time, but {cells[row]!r} is neither a date nor a number"
            )
            errors.add(sheet.origin.problem("not_a_time", row, message))
        errors.raise_if_any()
        times = {cell: value for cell, value in values.items() if isinstance(value, float)}
        numbers = cells.looked_up(lambda cell: times.get(cell, np.nan), np.float64, storage)
        block = block._replace(numbers=numbers[:, None], number_names=(name,))
    if name in kinds or written.texts:
        texts = written.texts[name] if written.texts else as_texts(written.number(name), storage)
        block = block._replace(texts={name: texts.without(np.isnan(block.number(name)))})
    return block


def shown_time(block: ColumnBlock, rows: Array) -> str:
    """The newest moment of these rows, as it was written."""
    (name,) = block.names
    row = rows[block.number(name)[rows].argmax()]
    return str(block.texts[name][row]) if block.texts else short(float(block.number(name)[row]))


def block_of_array(features: ColumnBlock, name: str, by: str) -> ColumnBlock:
    """A column of an array, as texts or, of times, as numbers."""
    column = features.number(name)
    if by == "time":
        return features._replace(names=(name,), numbers=column[:, None], number_names=(name,))
    empty = np.empty((features.rows, 0))
    return features._replace(names=(name,), numbers=empty, number_names=(), texts={name: as_texts(column)})


def split_by_words(block: ColumnBlock, rows: Array) -> Split:
    """The split that the cells of these rows name. Raises DataError with the line of every other word."""
    (name,) = block.names
    errors = ErrorList()
    cells = block.texts[name][rows]
    part_of = cells.looked_up(lambda cell: PARTS.get(str(cell).casefold(), -1), np.int64)
    for row in rows[part_of < 0].tolist():
        cell = str(block.texts[name][row])
        message = f"column {name} is {cell!r}, which is no split: train, validation (val, valid, dev) or test"
        errors.add(block.origin.problem("unknown_split", row, message, nearest(cell, PARTS)))
    errors.raise_if_any()
    return split_of(part_of)


def group_codes(block: ColumnBlock, rows: Array) -> Array:
    """A number for each group of these rows, N; a row without a value is a group of its own."""
    (name,) = block.names
    cells = block.texts[name][rows]
    there = sorted(text for text in cells.counts() if text is not None)
    code_of: dict[str | None, int] = {text: code for code, text in enumerate(there)}
    codes = cells.looked_up(lambda text: code_of.get(text, -1), np.int64)
    alone = codes < 0
    codes[alone] = len(code_of) + np.arange(alone.sum())
    return codes

"""A column as it was written: what its cells say, what kind of column they make, and in which notation."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np

from bptrain.data.cell_notes import CellReading
from bptrain.data.cells import (
    MAY_BE_NUMBER,
    NAME,
    RULES,
    WHOLE,
    CellRules,
    Notation,
    Value,
    number_of,
    value_of,
    without_sign,
)
from bptrain.data.levels import BOOLEAN, are_whole, one_spelling
from bptrain.data.notations import PLAIN, Recognized, recognize
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.data.text_cells import TextCells, looked_up
from bptrain.formats.coded_texts import CodedTexts
from bptrain.parts.types import Array

MOSTLY_NUMBERS = 0.9  # from this share on, the cells of a column that are no numbers look like mistakes
ENOUGH_NUMBERS = 5
GROUPS = re.compile(
    r"[-+]?[1-9][0-9]{0,2}(?:\.[0-9]{3})?"
)  # may also be thousands, where decimals have a comma

DecimalMark = Callable[[], str | None]


class ReadColumn(NamedTuple):
    """The cells of a column, and what they say."""

    cells: CodedTexts
    counts: dict[str, int]  # by text
    values: dict[str, Value]  # by text
    kind: str
    recognized: Recognized
    levels: dict[str, str | None]  # of categories, by text: the spelling of its level

    def numbers(self, storage: Storage = IN_MEMORY) -> Array:
        """The numbers, N, NaN where one is missing."""
        values = map(self.values.__getitem__, self.cells.texts)
        numbers = [value if isinstance(value, float) else math.nan for value in values]
        return looked_up(np.array(numbers, np.float64), self.cells.codes, storage)

    def categories(self, storage: Storage = IN_MEMORY) -> TextCells:
        """The spellings of the levels, N, None where one is missing."""
        return TextCells.meaning(map(self.levels.__getitem__, self.cells.texts), self.cells.codes, storage)

    def marked(self) -> dict[str, int]:
        """Markers of missing values -> cells; empty cells are none."""
        missing = {cell: n for cell, n in self.counts.items() if self.values[cell] is None and cell.strip()}
        found: Counter[str] = Counter()
        for cell, n in missing.items():
            found[cell.strip()] += n
        return dict(found)

    def tell(self, name: str, reading: CellReading) -> None:
        """Note what is worth a line."""
        if self.recognized.notation is not None:
            reading.recognized[name] = self.recognized
        if marked := self.marked():
            reading.marked[name] = marked
        if len(set(self.levels.values()) - {None}) == len(self.levels) - list(self.levels.values()).count(
            None
        ):
            return
        of_level: dict[str, dict[str, None]] = {}
        for cell, level in self.levels.items():
            if level is not None:
                of_level.setdefault(level, {})[cell.strip()] = None
        if several := [sorted(found) for found in of_level.values() if len(found) > 1]:
            reading.spellings[name] = several


def read_column(
    cells: CodedTexts,
    rules: CellRules = RULES,
    name: str = "",
    declared: str | None = None,
    infer: bool = True,
    target: bool = False,
    elsewhere: DecimalMark = lambda: None,
) -> ReadColumn:
    """What the cells of a column are: as declared, or inferred; `elsewhere` tells the decimal mark of other columns."""
    counts = cells.counts()
    notation = None if infer else rules.notation_of(name)
    values = {cell: value_of(cell, rules, notation) for cell in counts}
    recognized = PLAIN
    if infer and declared != "categorical":
        recognized = _recognized(values, counts, rules, elsewhere)
        if recognized.notation is not None:
            bare = _without_signs(counts, rules, recognized.notation)
            if declared == "numeric" or _settled(bare, counts, declared, target, rules)[1] == "numeric":
                values = {cell: value_of(cell, rules, recognized.notation) for cell in counts}
            else:
                recognized = PLAIN
        if recognized.doubt is not None and declared in recognized.doubt.declare:
            recognized = recognized._replace(doubt=None)
    values, kind = _settled(values, counts, declared, target, rules, known=not infer)
    # To a model that knows its columns, true among numbers is 1 whatever else the rows at hand say.
    if kind == "boolean" or (kind == "numeric" and (_are_booleans(values) or not (infer or target))):
        values = {cell: _boolean(value) for cell, value in values.items()}
    levels: dict[str, str | None] = {}
    if kind == "categorical":
        there = {cell: n for cell, n in counts.items() if values[cell] is not None}
        levels = dict.fromkeys(counts) | (
            one_spelling(there) if infer else {cell: cell.strip() for cell in there}
        )
    return ReadColumn(cells, counts, values, kind, recognized, levels)


def _without_signs(cells: Iterable[str], rules: CellRules, notation: Notation) -> dict[str, Value]:
    """The values of cells in a notation, whatever sign stands beside a number."""
    plain = notation._replace(sign="")
    values: dict[str, Value] = {}
    for cell in cells:
        value = value_of(cell, rules, notation)
        number = number_of(without_sign(value)[1], plain) if isinstance(value, str) else None
        values[cell] = value if number is None else number
    return values


def _recognized(
    values: Mapping[str, Value], counts: Mapping[str, int], rules: CellRules, elsewhere: DecimalMark
) -> Recognized:
    """The notation of the numbers of a column, by the other columns where it does not say by itself."""
    texts: Counter[str] = Counter()
    for cell, value in values.items():
        if isinstance(value, float):
            texts[cell.strip()] += counts[cell]
        elif value is not None and MAY_BE_NUMBER.fullmatch(value):
            texts[value] += counts[cell]
    found = recognize(texts, rules)
    in_doubt = found.doubt is not None and found.doubt.mark
    if in_doubt or (found == PLAIN and all_grouped(texts)):
        mark = elsewhere()
        if in_doubt or mark == ",":
            return recognize(texts, rules, mark)
    return found


def _settled(
    values: dict[str, Value],
    counts: Mapping[str, int],
    declared: str | None,
    target: bool,
    rules: CellRules,
    known: bool = False,
) -> tuple[dict[str, Value], str]:
    """The values and the kind, where - and the like among numbers are missing.

    Where the column is `known`, as that of a trained model, its numbers need not be among the cells.
    """
    signs = {
        cell
        for cell, value in values.items()
        if isinstance(value, str) and value in rules.markers.among_numbers
    }
    if signs:
        without = {cell: None if cell in signs else value for cell, value in values.items()}
        kind = kind_of(without, counts, declared, target)
        among_numbers = known and declared is not None
        if kind != "categorical" and (among_numbers or any(value is not None for value in without.values())):
            return without, kind
    return values, kind_of(values, counts, declared, target)


def kind_of(values: dict[str, Value], counts: Mapping[str, int], declared: str | None, target: bool) -> str:
    """The kind of a column: as declared, or by what most cells are."""
    present = {cell: value for cell, value in values.items() if value is not None}
    if declared == "categorical":
        # Class labels that are whole numbers, written plainly, stay numbers: the user reads 3 back, not "3".
        return "numeric" if target and are_whole(cell.strip() for cell in present) else "categorical"
    if declared is not None:
        return declared
    if target and _are_booleans(values):
        return "boolean"
    written = [cell.strip() for cell in present]
    if all(map(WHOLE.fullmatch, written)) and any(map(NAME.fullmatch, written)):
        return "categorical"  # 01 is not 1, and a float would make one number of several long ones
    n_numbers = sum(counts[cell] for cell, value in present.items() if isinstance(value, float))
    n_present = sum(counts[cell] for cell in present)
    mostly = n_numbers >= ENOUGH_NUMBERS and n_numbers >= MOSTLY_NUMBERS * n_present
    return "numeric" if n_numbers == n_present or mostly else "categorical"


def _are_booleans(values: Mapping[str, Value]) -> bool:
    """Whether all that are there are true or false."""
    there = [value for value in values.values() if value is not None]
    return bool(there) and all(isinstance(value, str) and value.lower() in BOOLEAN for value in there)


def _boolean(value: Value) -> Value:
    """0 or 1 for false or true; anything else as it is."""
    return BOOLEAN.get(value.lower(), value) if isinstance(value, str) else value


def all_grouped(texts: Iterable[str]) -> bool:
    """Whether some numbers have a point, and in each of these it may stand between thousands."""
    pointed = (text for text in texts if "." in text)
    return (first := next(pointed, None)) is not None and all(
        GROUPS.fullmatch(text.strip()) for text in chain([first], pointed)
    )

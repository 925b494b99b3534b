"""Which columns of a file are inputs, and why others are not."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bptrain.data.column_kinds import HOW
from bptrain.data.profile import Column
from bptrain.data.settings import BUCKETS

FEW = 20  # up to this many different texts are categories in any file
ROWS_OF_EACH = 10  # a category has, on average; with fewer, the texts rather identify the rows
HASHED = 100  # more categories than this become the buckets of a hash
MOSTLY_MISSING = 0.5
ALIKE = 8  # in fewer rows, unique texts may be chance
ID = re.compile(
    r"(.*[_\- .])?(id|uuid|guid|index|key|nr|no|number)|.*[a-z](ID|Id)|row(_?(id|num|number|names?))?",
    re.IGNORECASE,
)
CODES = 10  # up to this many different whole numbers may be codes


class InputCandidate(NamedTuple):
    """A column that is not a target, and whether it becomes an input."""

    column: Column
    why_not: str | None  # None: it is an input

    @property
    def inputs(self) -> int:
        """How many inputs it makes."""
        if self.why_not is not None:
            return 0
        if self.column.dates is not None:
            return 1 + 2 * len(self.column.cycles)
        if self.is_hashed:
            return BUCKETS
        return 1 if self.column.kind == "numbers" else self.column.distinct

    @property
    def is_hashed(self) -> bool:
        """Whether it has too many categories for an input each."""
        column = self.column
        return column.kind == "texts" and column.dates is None and column.distinct > HASHED

    @property
    def about(self) -> str:
        """What it is, in words."""
        column = self.column
        if column.dates is not None:
            what = f"dates ({HOW[column.dates.form]}), such as {column.counts[0][0]}"
        elif column.kind == "numbers":
            what = f"numbers from {column.span}"
            if column.whole and column.distinct <= CODES:
                what = f"{column.distinct} whole numbers from {column.span}"
        else:
            what = f"{column.distinct} categories: {', '.join(text for text, _ in column.counts[:4])}"
            what += ", …" if column.distinct > 4 else ""
        return what + (f"; {column.missing:,} of {column.rows:,} are missing" if column.missing else "")


def choose_inputs(columns: Iterable[Column]) -> tuple[InputCandidate, ...]:
    """The columns, each with the reason if it is not an input."""
    return tuple(InputCandidate(column, why_not(column)) for column in columns)


def why_not(column: Column) -> str | None:
    """Why a column says nothing about new rows; None if it may."""
    present, distinct = column.present, column.distinct
    if column.kind == "empty":
        return "it has no values"
    if column.kind == "mixed":
        return f"its cells are numbers, but {column.odd}: correct that, or declare it under data.columns"
    if distinct == 1:
        return f"it is always {column.counts[0][0]}"
    if column.missing > MOSTLY_MISSING * column.rows:
        return f"{column.missing:,} of {column.rows:,} cells are missing"
    if column.dates is not None:
        return None
    if column.kind == "numbers":
        if column.serial:
            return f"it is a row number, from {column.span}"
        if column.whole and distinct == present >= ALIKE and ID.fullmatch(column.name):
            return "all values are unique (looks like an id)"
        return None
    if distinct == present >= ALIKE:
        return "all values are unique (looks like an id)"
    many = FEW < distinct <= HASHED and distinct * ROWS_OF_EACH > present
    if many or (distinct > present / 2 and present >= ALIKE):
        return f"{distinct:,} different texts in {present:,} rows"
    return None

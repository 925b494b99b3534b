"""Which columns of a file are inputs, and why others are not."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bptrain.data.profile import Column

FEW = 20  # up to this many different texts are categories in any file
ROWS_OF_EACH = 10  # a category has, on average; with fewer, the texts rather identify the rows
MOST_CATEGORIES = 1000
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
        return 1 if self.column.kind == "numbers" else self.column.distinct

    @property
    def about(self) -> str:
        """What it is, in words."""
        column = self.column
        if column.kind == "numbers":
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
    if column.dates:
        return "dates are not used; add numeric columns such as year, month, age"
    if column.kind == "numbers":
        if column.serial:
            return f"it is a row number, from {column.span}"
        if column.whole and distinct == present >= ALIKE and ID.fullmatch(column.name):
            return "all values are unique (looks like an id)"
        return None
    if distinct == present >= ALIKE:
        return "all values are unique (looks like an id)"
    many = distinct > FEW and distinct * ROWS_OF_EACH > present
    if many or distinct > MOST_CATEGORIES or (distinct > present / 2 and present >= ALIKE):
        return f"{distinct:,} different texts in {present:,} rows"
    return None

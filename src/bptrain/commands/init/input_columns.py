"""Which columns of a file are inputs, and why others are not."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bptrain.data.checks.identifiers import ID
from bptrain.data.column_kinds import HOW
from bptrain.data.profile import Column
from bptrain.data.settings import BUCKETS
from bptrain.errors import short
from bptrain.formats.problems import some_of

FEW = 20  # up to this many different texts are categories in any file
ROWS_OF_EACH = 10  # a category has, on average; with fewer, the texts rather identify the rows
HASHED = 100  # more categories than this become the buckets of a hash
MOSTLY_MISSING = 0.5
ALIKE = 8  # in fewer rows, unique texts may be chance
CONSTANT = "it is always"
ODD_CELLS = 3  # different texts among numbers, up to which leaving their rows out is offered
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
    def is_embedded(self) -> bool:
        """Whether it is a number or a date, of which an embedding makes inputs."""
        return self.why_not is None and (self.column.kind == "numbers" or self.column.dates is not None)

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


def what_they_make(columns: int, inputs: int) -> str:
    """How many inputs so many columns make, in words."""
    said = f"{columns} column makes" if columns == 1 else f"{columns} columns make"
    return f"{said} {inputs:,} {'input' if inputs == 1 else 'inputs'}"


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
        return f"{CONSTANT} {short(column.counts[0][0])}"
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


def left_out_lines(candidates: Iterable[InputCandidate], constants: int = 3, most: int = 12) -> Iterator[str]:
    """What is left out and why, one line per column; constant columns, and those of a wide table, together."""
    why = {one.column.name: one.why_not for one in candidates if one.why_not is not None}
    constant = [name for name, reason in why.items() if reason.startswith(CONSTANT)]
    if len(constant) > constants:
        yield f"{len(constant)} columns are constant: {some_of(constant, 5)}"
        why = {name: reason for name, reason in why.items() if name not in frozenset(constant)}
    yield from (f"{name}: {reason}" for name, reason in [*why.items()][:most])
    if len(why) > most:
        yield f"{len(why) - most} more columns, which the config lists: {some_of([*why][most:], 5)}"


def without_odd_rows(column: Column) -> str | None:
    """How to use a column of numbers without the few rows whose cell is a text, as YAML of the section `data`."""
    if column.kind != "mixed" or len(column.odd_cells) > ODD_CELLS:
        return None
    markers = ", ".join(json.dumps(cell, ensure_ascii=False) for cell in column.odd_cells)
    name = json.dumps(column.name, ensure_ascii=False)
    return f"missing_markers: [default, {markers}], missing: {{{name}: drop}}"

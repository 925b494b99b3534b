"""How a file writes its rows and its cells, where somebody has said so."""

from typing import NamedTuple


class Conventions(NamedTuple):
    """What the keys of `data` say about how tables are written; None where it is to be recognized."""

    format: str | None = None  # a name of the registry of formats
    delimiter: str | None = None  # one character between cells
    encoding: str | None = None
    header: bool | int | None = None  # the lines of the header, the last of which has the names; False: none
    comment: str | None = None  # what lines that are no rows begin with
    quote: str | None = None  # the character around cells; "": none
    decimal: str | None = None  # the decimal mark
    thousands: str | None = None  # the mark between groups of digits
    missing_markers: tuple[str, ...] | None = None  # cells that stand for a missing value
    index_column: bool | str | None = None  # `data.index`: the column that only counts the rows; False: none
    sheet: str | int | None = None  # of a spreadsheet


RECOGNIZED = Conventions()

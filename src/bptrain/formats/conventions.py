"""How a file writes its rows and its cells, where somebody has said so."""

from collections.abc import Sequence
from typing import NamedTuple

BLANKS = "whitespace"  # the delimiter of cells that runs of blanks and tabs separate
DELIMITERS = {  # names of delimiters, beside the characters themselves
    "comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|", "colon": ":", "space": " ",
    BLANKS: BLANKS,
}  # fmt: skip
MOST_HEADER_LINES = 100
NO_TEXTS = ("undefined", "idna", "punycode")  # encodings for something else than the texts of files


class Conventions(NamedTuple):
    """What the keys of `data` say about how tables are written; None where it is to be recognized."""

    format: str | None = None  # a name of the registry of formats
    delimiter: str | None = None  # one character between cells, or BLANKS
    encoding: str | None = None
    header: bool | int | None = None  # the lines of the header, the last of which has the names; False: none
    comment: str | None = None  # what lines that are no rows begin with
    quote: str | None = None  # the character around cells; "": none
    decimal: str | None = None  # the decimal mark
    thousands: str | None = None  # the mark between groups of digits
    missing_markers: tuple[str, ...] | None = None  # cells that stand for a missing value
    index_column: bool | str | None = None  # `data.index`: the column that only counts the rows; False: none
    sheet: str | int | None = None  # of a spreadsheet
    needed: tuple[str, ...] = ()  # the columns that a trained model reads, by which its files are understood
    kept: tuple[str, ...] = ()  # further ones that are wanted, which objects of JSON lines may lack

    def are_names(self, cells: Sequence[str]) -> bool:
        """Whether the columns of a trained model are among the cells of a line, which then has the names."""
        return bool(self.needed) and {cell.strip() for cell in cells}.issuperset(self.needed)


RECOGNIZED = Conventions()


def is_text_encoding(name: str) -> bool:
    """Whether Python reads texts in an encoding of this name."""
    import codecs

    try:
        "a".encode(name)
        return codecs.lookup(name).name not in NO_TEXTS
    except (LookupError, ValueError):
        return False

"""What separates the cells of a table: as declared, as a `sep=` line says, or told by the first lines."""

import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from bptrain.errors import Problem
from bptrain.formats.conventions import BLANKS, Conventions
from bptrain.formats.header_row import is_number
from bptrain.formats.problems import UndeclaredConvention

SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", BLANKS: "blanks"}
KEYS = {";": '";"', "\t": "tab", "|": '"|"', ",": '","', BLANKS: BLANKS}  # as a config writes them
QUOTE = '"'
LEAST_HEAD = 1 << 16  # characters that are looked at, at least as many as LINES take
LINES = 5
LOOKED_AT = 50  # rows
MOST_TITLES = 10  # lines above the names of the columns
SEP = re.compile(r'"?sep=(.)"?[ \t]*(\r\n|\r|\n)', re.IGNORECASE)  # what Excel writes and reads
COMMENT_OR_BLANK = re.compile(r"[ \t]*+(#[^\r\n]*+)?+(?>\r\n|\r|\n)")


class Separation(NamedTuple):
    """How the cells of a table are separated, and what its first rows look like."""

    text: str  # of the table, with blank lines for what stands above the header
    delimiter: str
    note: str  # what was decided, if anything
    extra: bool = False  # whether each row has one cell more than the header
    blanks: bool = False  # whether runs of blanks separated them, each of which is one blank now


def separation_of(text: str, conventions: Conventions, usual: str, file: str) -> Separation:
    """How a text is separated; `usual` is what the file's name says. Runs of blanks become one blank each.

    Raises UndeclaredConvention where it could be read in two ways.
    """
    found = _separation_of(text, conventions, usual, file)
    if found.delimiter != BLANKS:
        return found
    quote = QUOTE if conventions.quote is None else conventions.quote
    return found._replace(text=with_single_blanks(found.text, quote), delimiter=" ", blanks=True)


def _separation_of(text: str, conventions: Conventions, usual: str, file: str) -> Separation:
    said = SEP.match(text)
    if said is not None:
        text = blank_lines(said.group()) + text[said.end() :]
    declared = conventions.delimiter or (said.group(1) if said is not None else None)
    comments = leading_comments(text) if conventions.comment is None else ""
    if comments:
        table = blank_lines(comments) + text[len(comments) :]
        found = _told(table, conventions, usual, declared, file)
        return found._replace(text=_with_header(text, table, comments, found, conventions, file))
    return _told(text, conventions, usual, declared, file)


def leading_comments(text: str) -> str:
    """The lines from the first on that are blank or begin with #, up to the last of the latter."""
    end = at = 0
    while (line := COMMENT_OR_BLANK.match(text, at)) is not None:
        at = line.end()
        end = at if line[1] else end
    return text[:end]


def blank_lines(lines: str) -> str:
    """As many lines, without anything in them."""
    return "\n" * len(re.findall(r"\r\n|\r|\n", lines))


def _told(text: str, conventions: Conventions, usual: str, declared: str | None, file: str) -> Separation:
    above = max(int(conventions.header or 1) - 1, 0)
    if declared is not None:
        rows = first_rows(text, declared, conventions)[above:]
        width, extra = _width(rows)
        if not width and conventions.header is None:
            _refuse_titles(rows, file)
        return Separation(text, declared, "", extra)
    shapes: dict[str, tuple[int, bool]] = {}  # sign -> width, and whether the header has one less
    for sign in dict.fromkeys((usual, *SIGNS)):
        if sign == BLANKS and (shapes.keys() - {"\t"} or usual in shapes):
            break  # blanks may also stand within cells
        rows = first_rows(text, sign, conventions)[above:]
        width, extra = _width(rows)
        if width and not (sign == BLANKS and shapes.get("\t", (0,))[0] >= width):  # tabs are blanks, too
            shapes[sign] = (width, extra)
    even = [sign for sign, (_, extra) in shapes.items() if not extra] or [*shapes]
    if even[1:]:
        heads = {sign: first_rows(text, sign, conventions)[above:][0] for sign in even}
        even = [sign for sign in even if conventions.are_names(heads[sign])] or even
    if len(even) == 1:
        (sign,) = even
        note = f"reading: the cells of {file} are separated by {SIGNS[sign]} (data.delimiter: {KEYS[sign]})"
        return Separation(text, sign, "" if sign == usual else note, shapes[sign][1])
    if even:
        names = " or ".join(SIGNS[sign] for sign in even)
        keys = " or ".join(f"data.delimiter: {KEYS[sign]}" for sign in even)
        widest = max(even, key=lambda sign: shapes[sign][0])
        raise UndeclaredConvention(
            Problem("delimiter", f"cells may be separated by {names}: give {keys}", file=file),
            "delimiter",
            widest,
            f"{names} separate all lines",
        )
    if conventions.header is None:
        rows = first_rows(text, usual, conventions)
        _refuse_titles(rows, file)
        others = [sign for sign in SIGNS if sign not in (usual, BLANKS)]
        for sign in others if rows and len(rows[-1]) == 1 else ():
            _refuse_titles(first_rows(text, sign, conventions), file)
    return Separation(text, usual, "")


def not_separated(names: Sequence[str]) -> str:
    """The end of a sentence about the one name that a header has, where a sign in it could separate several."""
    signs = [sign for sign in SIGNS if sign != BLANKS and len(names) == 1 and sign in names[0]]
    if not signs:
        return ""
    sign = max(signs, key=names[0].count)
    return f", as one name: {SIGNS[sign]} would separate it (data.delimiter: {KEYS[sign]})"


def _width(rows: Sequence[Sequence[str]]) -> tuple[int, bool]:
    """The one width of some rows, at least 2, and whether that of the first is one less; 0 where there is none."""
    widths = {len(row) for row in rows[1:]} or {len(row) for row in rows}
    (width,) = widths if len(widths) == 1 else (0,)
    if width < 2 or len(rows[0]) == width:
        return (width if width >= 2 else 0), False
    return (width, True) if len(rows[0]) == width - 1 >= 2 and rows[2:] else (0, False)


def _refuse_titles(rows: Sequence[Sequence[str]], file: str) -> None:
    """Raises UndeclaredConvention where all rows but the first few have one width, as below a title."""
    width = len(rows[-1]) if rows else 0
    above = next((k for k, row in enumerate(rows) if len(row) == width), 0)
    below = rows[above:]
    if width < 2 or not 0 < above <= MOST_TITLES or len(below) <= above:
        return
    if any(len(row) >= width for row in rows[:above]) or any(len(row) != width for row in below):
        return
    if any(is_number(cell.strip()) for cell in below[0]):
        return  # which would be no names
    last = rows[above - 1]
    if len(last) == 1 and any(last[0].count(sign) == width - 1 for sign in SIGNS):
        return  # a header that is separated otherwise
    why = f"the first {above} lines have other numbers of cells" if above > 1 else "the first line is a title"
    message = (
        f"{above} of the first lines {'have' if above > 1 else 'has'} another number of cells than the rows below: "
        f"data.header: {above + 1} if the names are in the last of {above + 1} lines"
    )
    raise UndeclaredConvention(Problem("titles", message, file=file, line=1), "header", above + 1, why)


def _with_header(
    text: str, table: str, comments: str, found: Separation, conventions: Conventions, file: str
) -> str:
    """The text with the last of the lines that begin with # where that has the names of the columns.

    Raises UndeclaredConvention where it may have them.
    """
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", comments)
    last = lines[-1]
    rows = first_rows(table, found.delimiter, conventions)
    names = first_rows(last.lstrip("# \t"), found.delimiter, conventions)
    if (
        conventions.header is False
        or not rows
        or not names
        or len(names[0]) != len(rows[0])
        or not rows[0][1:]
    ):
        return table
    if conventions.are_names(rows[0]):
        return table
    as_it_is = first_rows(last, found.delimiter, conventions)[0]
    known = conventions.are_names(names[0]) or conventions.are_names(as_it_is)
    if conventions.header is None and not known and not any(is_number(cell.strip()) for cell in rows[0]):
        message = (
            "this line begins with #, and may have the names of the columns: data.comment: '#' if it is a comment; "
            "data.header: true if it has the names"
        )
        why = "a line above the first row begins with #; header: true if it has the names"
        problem = Problem("no_header", message, file=file, line=len(lines))
        raise UndeclaredConvention(problem, "comment", "#", why)
    stripped = len(as_it_is) != len(rows[0]) or (known and not conventions.are_names(as_it_is))
    kept = last.lstrip("# \t") if stripped else last
    return blank_lines("".join(lines[:-1])) + kept + text[len(comments) :]


def first_rows(text: str, delimiter: str, conventions: Conventions) -> list[list[str]]:
    """The first rows that are not blank; none where they cannot be read so."""
    import csv

    if delimiter == conventions.quote:
        return []
    newline = "\n" if "\n" in text else "\r"
    end = -1
    for _ in range(LINES):
        end = text.find(newline, end + 1)
        if end < 0:
            break
    head = text[: max(end + 1, LEAST_HEAD)] if end >= 0 else text
    whole = len(head) == len(text)
    try:
        reader = csv_reader(head, delimiter, conventions, strict=False)
        rows = [*islice((row for row in reader if row[1:] or (row and row[0].strip())), LOOKED_AT + 1)]
    except csv.Error:
        return []
    return rows[:LOOKED_AT] if whole or len(rows) > LOOKED_AT else rows[:-1]  # the last may be cut


def csv_reader(text: str, delimiter: str, conventions: Conventions, strict: bool = True) -> Any:
    """A reader of the csv module; lines that are comments come as blank ones."""
    import csv

    quote = QUOTE if conventions.quote is None else conventions.quote
    if delimiter == BLANKS:
        text, delimiter = with_single_blanks(text, quote), " "
    lines: Any = io.StringIO(text, newline="")
    if conventions.comment is not None:
        lines = UncommentedLines(lines, conventions.comment)
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=strict,
        skipinitialspace=delimiter != " ",
    )
    return CommentedReader(reader, lines) if isinstance(lines, UncommentedLines) else reader


def with_single_blanks(text: str, quote: str) -> str:
    """A text in which each run of blanks and tabs outside of quoted cells is one blank, and none is at a line's end."""
    q = re.escape(quote)
    quoted = rf"(?:(?<=[ \t\r\n])|\A){q}(?:[^{q}]|{q}{q})*{q}(?=[ \t\r\n]|\Z)|" if quote else ""
    pattern = re.compile(rf"{quoted}[ \t]*(?P<end>\r\n|\r|\n|\A|\Z)[ \t]*|[ \t]+")

    def single(match: re.Match[str]) -> str:
        found = match.group()
        if quote and found.startswith(quote):
            return found
        return match.group("end") if match.group("end") is not None else " "

    return pattern.sub(single, text)


class UncommentedLines:
    """Lines, with blank ones for comments; a line within a quoted cell is none."""

    def __init__(self, lines: Iterator[str], sign: str) -> None:
        self._lines, self._sign = lines, sign
        self.row_begins = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if self.row_begins and line.lstrip(" \t").startswith(self._sign):
            return "\n"
        self.row_begins = False
        return line


class CommentedReader:
    """A csv reader that tells its lines where a row begins."""

    def __init__(self, reader: Any, lines: UncommentedLines) -> None:
        self._reader, self._lines = reader, lines

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._reader:
            self._lines.row_begins = True
            yield row

    @property
    def line_num(self) -> int:
        """The lines that were read."""
        return int(self._reader.line_num)

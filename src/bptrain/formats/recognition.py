"""The format of a table whose name does not say it, told by its first lines."""

import re
from collections import Counter
from pathlib import Path

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, format_of, formats, listed, listed_suffixes, says_nothing
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.files import encoding_of, read_head, refuse_text
from bptrain.formats.separators import SEP, SIGNS, blank_lines, first_rows, leading_comments

DELIMITED = frozenset(["csv", "tsv"])
LOOKED_AT = 50  # lines


def known_format(path: Path, key: str, conventions: Conventions = RECOGNIZED) -> Format:
    """The format of a file, as declared, by its name, or by its content. Raises DataError where none of them says."""
    if conventions.format is not None:
        declared = formats.get(conventions.format)()
        if (declared.holds != "table" or declared.extra) and path.is_file():
            refuse_text(path, key, conventions.format)
        return declared
    by_name = format_of(path.name)
    if by_name is None and conventions.delimiter is not None:
        return formats.get("csv")()
    return by_name or told_format(path, key, conventions)


def told_format(path: Path, key: str, conventions: Conventions = RECOGNIZED) -> Format:
    """The format of a file whose name is that of no format. Raises DataError where its content does not tell, either.

    Arrays are told by their names alone: what other keys of a config mean depends on them.
    """
    if not says_nothing(path.name):
        if path.is_file():
            read_head(path, key)  # which knows some foreign files
        raise unknown_name(path, key)
    return told_by_head(*read_head(path, key), path, key, conventions)


def told_by_head(head: bytes, whole: bool, path: Path, key: str, conventions: Conventions) -> Format:
    """The same by the first bytes of the content, which `whole` says are all of it."""
    text = head.decode(conventions.encoding or encoding_of(head), "replace").removeprefix("\ufeff")
    lines = re.split(r"\r\n|\r|\n", text)
    lines = (lines if whole or len(lines) == 1 else lines[:-1])[:LOOKED_AT]  # the last may go on
    first = "\n".join(lines)
    if not first.strip():
        message = "the file is empty; it needs a header and rows"
        raise DataError(Problem("empty_file", message, file=str(path)))
    said = SEP.match(f"{first}\n")
    if said is not None:
        return formats.get("csv")()
    comments = leading_comments(f"{first}\n") if conventions.comment is None else ""
    first = blank_lines(comments) + first[len(comments) :]
    made = {name: formats.get(name)() for name in formats}
    fit = [name for name, form in made.items() if form.looks is not None and form.looks(first)]
    if fit and DELIMITED.issuperset(fit):
        return made["csv"]  # whose reader finds the delimiter
    if len(fit) == 1:
        return made[fit[0]]
    if fit:
        keys = " or ".join(f"data.format: {name}" for name in fit)
        message = f"the content of {path} may be {' or '.join(fit)}: declare {keys}"
        raise DataError(Problem("unknown_format", message, path=key))
    above = max(int(conventions.header or 1) - 1, 0)
    if any(_mostly_even(first_rows(first, sign, conventions)[above:]) for sign in SIGNS):
        return made["csv"]
    message = f"{_unknown(path)}; and its content does not look like {listed('table')} (rows of one width)"
    raise DataError(Problem("unknown_format", message, path=key))


def unknown_name(path: Path, key: str) -> DataError:
    """That a name is that of no format."""
    return DataError(Problem("unknown_format", f"{_unknown(path)}; or declare data.format", path=key))


def _unknown(path: Path) -> str:
    return f"the name of {path} does not show its format; supported are {listed_suffixes()}"


def _mostly_even(rows: list[list[str]]) -> bool:
    """Whether most of some rows have one width, at least 2."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths.values(), default=0) * 2 > len(rows)

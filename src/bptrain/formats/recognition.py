"""The format of a table whose name does not say it, told by its first lines."""

import re
from pathlib import Path

from bptrain.errors import DataError, Problem
from bptrain.formats.base import Format, formats, listed, listed_suffixes, says_nothing
from bptrain.formats.files import read_head

OTHER_SEPARATORS = {"semicolons": ";", "bars": "|", "blanks": " "}
LOOKED_AT = 50  # lines


def told_format(path: Path, key: str) -> Format:
    """The format of a file whose name is that of no format. Raises DataError where its content does not tell, either.

    Arrays are told by their names alone: what other keys of a config mean depends on them.
    """
    unknown = f"the name of {path} does not show its format; supported are {listed_suffixes()}"
    if not says_nothing(path.name):
        if path.is_file():
            read_head(path, key)  # which knows some foreign files
        raise DataError(Problem("unknown_format", unknown, path=key))
    head, whole = read_head(path, key)
    text = head.decode("utf-8-sig", "replace")
    lines = re.split(r"\r\n|\r|\n", text)
    lines = (lines if whole or len(lines) == 1 else lines[:-1])[:LOOKED_AT]  # the last may go on
    first = "\n".join(lines)
    if not first.strip():
        message = "the file is empty; it needs a header and rows"
        raise DataError(Problem("empty_file", message, file=str(path)))
    made = {name: formats.get(name)() for name in formats}
    fit = [name for name, form in made.items() if form.looks is not None and form.looks(first)]
    if len(fit) == 1:
        return made[fit[0]]
    if fit:
        message = f"the content of {path} may be {' or '.join(fit)}: give it the suffix that is meant"
        raise DataError(Problem("unknown_format", message, path=key))
    filled = [line for line in lines if line.strip()]
    for name, sign in OTHER_SEPARATORS.items():
        widths = {len(line.split(None if sign == " " else sign)) for line in filled}
        if len(widths) == 1 and widths != {1}:
            message = (
                f"the columns of {path} are separated by {name}: save it with commas as .csv, or tabs as .tsv"
            )
            raise DataError(Problem("unknown_format", message, path=key))
    message = f"{unknown}; and its content does not look like {listed('table')} (rows of one width)"
    raise DataError(Problem("unknown_format", message, path=key))

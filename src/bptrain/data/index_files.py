"""Published splits: a file with the numbers of the test rows, counted from 0, one split per line."""

import re

import numpy as np

from bptrain.data.settings import IndexFile
from bptrain.errors import DataError, Problem
from bptrain.formats.delimited import NUMBER
from bptrain.formats.files import read_text
from bptrain.formats.problems import ErrorList
from bptrain.parts.types import Array

KEY = "data.split.index"
WORD = re.compile(r"[^\s,;]+")  # between blanks, commas or semicolons
MOST_DIGITS = 15  # of a number of a row


def read_test_rows(file: IndexFile, n: int) -> Array:
    """The numbers of the test rows of a table of n rows, in order.

    Raises DataError, with line and column, for what is no number of a row and for one that is there twice.
    """
    errors, places = ErrorList(), dict[int, str]()
    for line, text in lines_of_split(file):
        for word in WORD.finditer(text):
            row, why = row_number(word[0]), ""
            if row is None:
                why = f"{word[0]!r} is no number of a row; rows are counted from 0"
            elif row >= n:
                why = f"there is no row {row}: the table has {n:,} rows, from 0 to {n - 1}"
            elif row in places:
                why = f"row {row} is here a second time, after {places[row]}"
            if why:
                errors.add(Problem("index", why, KEY, str(file.path), line, word.start() + 1))
            elif row is not None:
                places[row] = f"line {line}, column {word.start() + 1}"
    errors.raise_if_any()
    return np.array(sorted(places), np.int64)


def lines_of_split(file: IndexFile) -> list[tuple[int, str]]:
    """The line that is meant, with its number; of a file with one number in each line all lines, which are one split.

    Raises DataError where there is no such line, or several and nobody says which.
    """
    lines = [*enumerate(read_text(file.path, KEY).splitlines(), start=1)]
    there = [(number, text) for number, text in lines if WORD.search(text)]
    if file.line is not None:
        chosen = [(number, text) for number, text in there if number == file.line]
    else:
        alone = all(len(WORD.findall(text)) == 1 for _, text in there)
        chosen = there if alone or len(there) == 1 else []
    if chosen:
        return chosen
    n, path = len(lines), "data.split.line" if there else KEY
    if not there:
        message = f"{file.path} is empty: it must have the numbers of the test rows, from 0"
    elif file.line is None:
        message = f"{file.path} has {n} lines, each the test rows of one split: say which one, from 1 to {n}"
    elif file.line > n:
        message = f"{file.path} has {n} line{'' if n == 1 else 's'}, so there is no line {file.line}"
    else:
        message = (
            f"line {file.line} of {file.path} is empty: it must have the numbers of the test rows, from 0"
        )
    raise DataError(Problem("index", message, path=path))


def row_number(word: str) -> int | None:
    """The number of a row, also as NumPy saves it (`1.2e+01`); None for anything else."""
    if not NUMBER.fullmatch(word):
        return None
    number = float(word)
    return int(number) if number.is_integer() and 0 <= number < 10**MOST_DIGITS else None

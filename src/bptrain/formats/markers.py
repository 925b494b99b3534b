"""Cells that stand for a missing value."""

from collections.abc import Iterable
from typing import NamedTuple

# In any column. "none" is no marker: it is the name of a category more often than not.
DEFAULT = (
    *(
        "",
        "?",
        "NA",
        "N/A",
        "n/a",
        "na",
        "#N/A",
        "#NA",
        "#N/A N/A",
        "<NA>",
        "NULL",
        "Null",
        "null",
        "None",
        "NaT",
    ),
    *("NaN", "nan", "NAN", "-NaN", "-nan", "1.#QNAN", "-1.#QNAN", "1.#IND", "-1.#IND"),
)
# In a column whose other cells are numbers; among texts, such as + and -, they are texts.
AMONG_NUMBERS = ("-", "--", ".", "..")
OLDER = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "?")  # of a model that says nothing of its markers


class MissingMarkers(NamedTuple):
    """The texts that stand for a missing value, without blanks around them; an empty cell always does."""

    anywhere: frozenset[str] = frozenset(DEFAULT)
    among_numbers: frozenset[str] = frozenset(AMONG_NUMBERS)
    numbers: frozenset[float] = frozenset()  # those of the former that are numbers: -9999 is -9999.0, too


def markers_of(given: Iterable[str] | None) -> MissingMarkers:
    """The markers of `data.missing_markers`, where `default` stands for the default list."""
    if given is None:
        return MissingMarkers()
    listed = [text.strip() for text in given]
    texts = [text for text in listed if text != "default"]
    return of_texts([*texts, *(DEFAULT if "default" in listed else ())], "default" in listed)


def of_texts(texts: Iterable[str], also_default: bool) -> MissingMarkers:
    """Markers of these texts alone, and those among numbers where the default ones are meant."""
    anywhere = frozenset(texts) | {""}
    numbers = frozenset(number for text in anywhere if (number := _number(text)) is not None)
    return MissingMarkers(anywhere, frozenset(AMONG_NUMBERS if also_default else ()), numbers)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number and "_" not in text else None

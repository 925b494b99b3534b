"""Texts that are values and hardly names: dates, times of day, percentages, amounts, grouped digits."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import islice

CURRENCIES = "$€£¥"
MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
CLOCK = (
    r"(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2}(?:[.,]\d{1,9})?))?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?))?"
)
WRITTEN = (
    rf"(?:(?P<iso>\d{{4}})([-/.])(?P<m>\d{{1,2}})(?:\2(?P<d>\d{{1,2}}))?"
    rf"|(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\6(?P<c>\d{{4}}|\d{{2}})"
    rf"|(?P<first>\d{{1,2}})[ .-]{{0,2}}{MONTH}[ ,-]{{0,2}}(?P<year>\d{{4}}|\d{{2}})"
    rf"|{MONTH.replace('month', 'month_2')} (?P<second>\d{{1,2}}),? (?P<year_2>\d{{4}})"
    rf"|(?P<digits>\d{{7,8}}))"
    rf"(?:[T ]{{1,2}}{CLOCK})?"
)
SIGN = r"[-+−]?"
DIGITS = r"\d[\d.,'’ \u00a0\u202f]*"
AMOUNT = rf"{SIGN}[{CURRENCIES}] ?{SIGN}{DIGITS}|{SIGN}{DIGITS}[{CURRENCIES}]"
GROUPED = rf"{SIGN}\d{{1,3}}(?:([,.'’ \u00a0\u202f])\d{{3}})(?:\1\d{{3}})*(?:[.,]\d+)?"
SAMPLE = 50  # cells that are compared with a name
MOSTLY = 0.9  # of them


@cache
def written() -> "re.Pattern[str]":
    """Dates as people write them, compiled when a cell with a digit asks for it."""
    return re.compile(WRITTEN)


@cache
def clock() -> "re.Pattern[str]":
    """Times of day."""
    return re.compile(CLOCK)


@cache
def _patterns() -> "tuple[re.Pattern[str], ...]":
    """What a name is compared with; each of these begins or ends with a digit, or with a sign of its own."""
    return (
        written(),
        clock(),
        re.compile(rf"{SIGN}{DIGITS}%"),
        re.compile(AMOUNT),
        re.compile(GROUPED),
    )


def is_written_like(name: str, cells: Sequence[str], blank: frozenset[str]) -> bool:
    """Whether a name is a date, a time of day, a percentage, an amount or grouped digits, and so are its cells.

    The cells say that it is no name: tables also have a column for each day, and one for 25%. Cells in `blank` say
    nothing.
    """
    if not any(map(str.isdigit, name)):
        return False
    for pattern in _patterns():
        if pattern.fullmatch(name) is not None:
            first = [*islice((text for cell in cells if (text := cell.strip()) not in blank), SAMPLE)]
            alike = sum(pattern.fullmatch(text) is not None for text in first)
            if first and alike >= MOSTLY * len(first):
                return True
    return False

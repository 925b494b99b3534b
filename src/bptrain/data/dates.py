"""Dates and times as numbers: a cell to days since 1970, a column to the form in which it is written, days to cycles.

A form says how a day, a month and a year follow each other where a cell does not say it itself: `ymd`, `dmy` or `mdy`;
or it is `time`, a time of day without a date. Dates that begin with a year of four digits, and dates with the name of a
month, read alike in every form.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from bptrain.data.different_values import different_values
from bptrain.data.text_cells import TextCells, parts
from bptrain.formats.value_texts import clock, written
from bptrain.parts.types import Array

FORMS = ("ymd", "dmy", "mdy", "time")
ALIKE = ("ymd", "dmy", "mdy")  # the forms in which 2021-01-15 and 15 Jan 2021 read alike
CYCLES = ("year", "week", "day")
EPOCH = date(1970, 1, 1).toordinal()
MOMENT_0 = datetime(1970, 1, 1)
MOSTLY, ENOUGH = 0.9, 5  # from this share on, and so many, the cells that are no dates look like mistakes
DISTINCT = 5  # so many whole numbers must be dates before a column of numbers is one of dates
DIGIT = frozenset("0123456789")
SAMPLE = 20  # cells by which a column of other texts is passed over
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class DateForm(NamedTuple):
    """The form in which a column is written, or the forms in which it may be."""

    form: str
    also: str | None = None  # another form in which every cell is a date, too, perhaps a different one


def days_of(cell: str, form: str) -> float | None:
    """A cell as days since 1970-01-01, or of a `time` as a part of a day; None for what is no date in this form.

    A time zone is taken into account: what is kept is UTC.
    """
    text = cell.strip()
    quick = None if form == "time" else iso_days(text)
    return read_days(text, form) if quick is None else quick


def iso_days(text: str) -> float | None:
    """The same for the most frequent ways, 2021-01-15 and 2021-01-15 10:30:00, which read alike in every form.

    None says that `read_days` must look, which takes several times as long.
    """
    if len(text) not in (10, 19) or text[4] != "-" or text[7] != "-":
        return None
    try:
        if len(text) == 10:
            return float(date.fromisoformat(text).toordinal() - EPOCH)
        if text[10] not in " T" or text[13] != ":" or text[16] != ":" or text[11:13] == "24":
            return None
        since = datetime.fromisoformat(text) - MOMENT_0
    except ValueError:
        return None
    return since.days + since.seconds / 86400


def read_days(text: str, form: str) -> float | None:
    """The same for every way."""
    if form == "time":
        of_day = clock().fullmatch(text)
        return None if of_day is None else _part_of_day(of_day)
    found = written().fullmatch(text)
    return None if found is None else _moment(found, form)


def _moment(found: "re.Match[str]", form: str) -> float | None:
    """The days since 1970-01-01 of what looks like a date."""
    day = _day(found, form)
    clock_part = 0.0 if found["h"] is None else _part_of_day(found)
    return None if day is None or clock_part is None else day + clock_part


def _day(found: "re.Match[str]", form: str) -> int | None:
    """The day of a date, counted from 1970-01-01."""
    if found["iso"] is not None:
        if found["d"] is None and (found[2] != "-" or found["h"] is not None):
            return None
        year, month, day = int(found["iso"]), int(found["m"]), int(found["d"] or 1)
    elif found["a"] is not None:
        year, month, day = _ordered((found["a"], found["b"], found["c"]), form)
    elif found["digits"] is not None:
        digits = found["digits"].zfill(8) if form != "ymd" else found["digits"]
        if len(digits) != 8:
            return None
        cut = (4, 6) if form == "ymd" else (2, 4)
        year, month, day = _ordered((digits[: cut[0]], digits[cut[0] : cut[1]], digits[cut[1] :]), form)
    else:
        name = (found["month"] or found["month_2"]).lower()
        month = next((k + 1 for k, full in enumerate(MONTHS) if name == full[: len(name)]), 0)
        year = _year(found["year"] or found["year_2"])
        day = int(found["first"] or found["second"])
    try:
        return date(year, month, day).toordinal() - EPOCH
    except ValueError:
        return None


def _ordered(three: tuple[str, str, str], form: str) -> tuple[int, int, int]:
    """Year, month and day of three groups of digits; year 0, which no date has, where they do not fit the form."""
    first, second, third = three
    year, month, day = {
        "ymd": (first, second, third),
        "dmy": (third, second, first),
        "mdy": (third, first, second),
    }[form]
    if len(day) > 2 or len(year) not in (2, 4):
        return 0, 0, 0
    return _year(year), int(month), int(day)


def _year(digits: str) -> int:
    """A year; of two digits 1969 to 2068, as POSIX has it."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 69 else 2000)


def _part_of_day(found: "re.Match[str]") -> float | None:
    hour, minute = int(found["h"]), int(found["min"])
    second = float((found["s"] or "0").replace(",", "."))
    if found["half"] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    if hour > 23 or minute > 59 or second >= 61:
        return None
    seconds = 3600 * hour + 60 * minute + second
    zone = found["zone"]
    if zone is not None and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        east = 3600 * int(digits[:2]) + 60 * int(digits[2:])
        seconds -= east if zone[0] == "+" else -east
    return seconds / 86400


def form_of_texts(cells: TextCells) -> DateForm | None:
    """The form of a column of texts, where they are dates but for a few."""
    there = np.flatnonzero(~cells.missing())
    sample = [str(cells[row]) for row in there[:: max(1, len(there) // SAMPLE)].tolist()]
    if 2 * sum(bool(forms_of(cell)) for cell in sample) < len(sample) or not sample:
        return None
    counts = {text: n for text, n in cells.counts().items() if text is not None}
    return _best(counts, len(there))


def forms_of(cell: str) -> tuple[str, ...]:
    """The forms in which a text is a date and surely meant as one: not so are 1.2.10, 10-11-12 or 20210115."""
    if DIGIT.isdisjoint(cell):
        return ()
    text = cell.strip()
    if iso_days(text) is not None:
        return ALIKE
    found = written().fullmatch(text)
    if found is None:
        return ("time",) if read_days(text, "time") is not None else ()
    if found["digits"] is not None:
        return ()
    if found["a"] is None:
        return ALIKE if _moment(found, "ymd") is not None else ()
    separator, two = found[6], len(found["c"]) == 2
    meant = ("dmy", "mdy") if separator == "/" or (separator == "-" and not two) else () if two else ("dmy",)
    return tuple(form for form in meant if _moment(found, form) is not None)


def form_of_numbers(column: Array) -> DateForm | None:
    """The form of a column of whole numbers such as 20210115, where every one of some is a date."""
    there = (
        different_values(column[~np.isnan(column)]) if column.dtype.kind == "f" else different_values(column)
    )
    if len(there) < DISTINCT or there[0] < 1_01_1000 or there[-1] > 31_12_2199 or (there % 1 != 0).any():
        return None
    texts = [str(int(value)) for value in there.tolist()]
    if there[0] >= 1700_01_01 and there[-1] <= 2199_12_31 and all(_is_day(text, "ymd") for text in texts):
        return DateForm("ymd")
    years = there % 10000
    if years.min() < 1900 or years.max() > 2099:
        return None
    forms = [form for form in ("dmy", "mdy") if all(_is_day(text, form) for text in texts)]
    return DateForm(forms[0], *forms[1:]) if forms else None


def _is_day(text: str, form: str) -> bool:
    return days_of(text, form) is not None


def _best(counts: Mapping[str, int], total: int) -> DateForm | None:
    """The form in which most cells are dates, and another if it reads as many, some of them as other days."""
    forms = {cell: forms_of(cell) if iso_days(cell) is None else ALIKE for cell in counts}
    cells: Counter[tuple[str, ...]] = Counter()
    for cell, read in forms.items():
        cells[read] += counts[cell]
    sizes = {form: sum(n for read, n in cells.items() if form in read) for form in FORMS}
    most = max(sizes.values())
    if most < total and (most < MOSTLY * total or most < ENOUGH):
        return None
    best = [form for form in FORMS if sizes[form] == most]
    ordered = [cell for cell, read in forms.items() if best[0] in read and read != ALIKE]
    other = [
        form for form in best[1:] if any(days_of(cell, form) != days_of(cell, best[0]) for cell in ordered)
    ]
    return DateForm(best[0], other[0] if other else None)


def cycles_that_vary(days: Array, form: str) -> tuple[str, ...]:
    """The cycles in which the dates of the training rows have different places: year, week, day."""
    found: dict[str, list[Array]] = {name: [] for name in (("day",) if form == "time" else CYCLES)}
    for part in parts(len(days)):
        there = days[part][~np.isnan(days[part])]
        for name in found if len(there) else ():
            phases = phase(there, name)
            found[name] += [phases.min(), phases.max()]
    return tuple(name for name, bounds in found.items() if bounds and min(bounds) < max(bounds))


def phase(days: Array, cycle: str) -> Array:
    """The place of each moment in a cycle, 0 to 1, N.

    year: (day of the year − 1) / days of this year. week: whole days since Monday / 7. day: the time of day.
    """
    whole = np.floor(days)
    if cycle == "day":
        return days - whole
    if cycle == "week":
        return np.mod(whole + 3, 7) / 7  # 1970-01-01 was a Thursday
    dates = whole.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    starts, ends = years.astype("datetime64[D]"), (years + np.timedelta64(1, "Y")).astype("datetime64[D]")
    passed: Array = (dates - starts).astype(np.float64) / (ends - starts).astype(np.float64)
    return passed


def circle(days: Array, cycles: Sequence[str]) -> Array:
    """sin 2πφ and cos 2πφ of the place φ in each cycle, N × 2k."""
    angles = [2 * np.pi * phase(days, cycle) for cycle in cycles]
    return np.column_stack([wave(angle) for angle in angles for wave in (np.sin, np.cos)])

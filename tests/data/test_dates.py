"""Dates: what a cell says, in which form a column is written, and the circles."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.dates import (
    DateForm,
    circle,
    cycles_that_vary,
    days_of,
    form_of_numbers,
    form_of_texts,
    phase,
)
from bptrain.data.text_cells import TextCells

DAY = (date(2021, 1, 15) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2021-01-15", "ymd"),
        ("2021/1/15", "dmy"),
        ("2021.01.15", "mdy"),
        (" 2021-01-15 00:00:00 ", "ymd"),
        ("2021-01-15T00:00:00Z", "ymd"),
        ("2021-01-15T02:00:00+02:00", "ymd"),
        ("2021-01-14 19:00-0500", "ymd"),
        ("15.1.2021", "dmy"),
        ("15/01/21", "dmy"),
        ("1/15/2021", "mdy"),
        ("01-15-21", "mdy"),
        ("21-01-15", "ymd"),
        ("15 Jan 2021", "ymd"),
        ("15-Jan-21", "mdy"),
        ("January 15, 2021", "dmy"),
        ("15. Januar 2021", "dmy"),
        ("20210115", "ymd"),
        ("15012021", "dmy"),
        ("1152021", "mdy"),
        ("1/15/2021 12:00 AM", "mdy"),
    ],
)
def test_one_day_in_many_forms(cell: str, form: str) -> None:
    assert days_of(cell, form) == DAY


@pytest.mark.parametrize(
    ("cell", "form", "hours"),
    [
        ("2021-01-15 18:30", "ymd", 18.5),
        ("2021-01-15T06:00:00.000", "ymd", 6),
        ("1/15/2021 3:45 PM", "mdy", 15.75),
        ("2021-01-15 12:15 am", "ymd", 0.25),
    ],
)
def test_the_time_of_day_is_a_part_of_the_day(cell: str, form: str, hours: float) -> None:
    assert days_of(cell, form) == DAY + hours / 24


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2021-02-30", "ymd"),
        ("2021-13-01", "ymd"),
        ("31.04.2021", "dmy"),
        ("15/01/2021", "mdy"),
        ("2021-01-15 25:00", "ymd"),
        ("2021-01-15 13:00 PM", "ymd"),
        ("2021/01", "ymd"),
        ("2021-01/15", "ymd"),
        ("15 Foo 2021", "ymd"),
        ("1152021", "ymd"),
        ("12:30", "ymd"),
        ("2021-01-15", "time"),
        ("later", "ymd"),
        ("", "ymd"),
    ],
)
def test_what_is_no_date(cell: str, form: str) -> None:
    assert days_of(cell, form) is None


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_every_day_reads_in_every_form(day: date) -> None:
    days = float((day - date(1970, 1, 1)).days)
    assert days_of(day.isoformat(), "dmy") == days
    assert days_of(day.strftime("%d.%m.") + f"{day.year:04}", "dmy") == days
    assert days_of(day.strftime("%m/%d/") + f"{day.year:04}", "mdy") == days
    assert days_of(f"{day.year:04}" + day.strftime("%m%d"), "ymd") == days


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2021-01-15", "2020-12-31 08:00"], DateForm("ymd")),
        (["2021-01", "2021-02"], DateForm("ymd")),
        (["13/02/2021", "01/02/2021"], DateForm("dmy")),
        (["02/13/2021", "01/02/2021"], DateForm("mdy")),
        (["01/02/2021", "03/02/2021"], DateForm("dmy", "mdy")),
        (["01/01/2021", "02/02/2021"], DateForm("dmy")),  # the same days in both
        (["1.2.2021", "3.2.2021"], DateForm("dmy")),  # nobody writes the month first with dots
        (["15 Jan 2021", "Feb 3, 2021"], DateForm("ymd")),
        (["12:30", "1:05:10"], DateForm("time")),
        (["2021-01-15"] * 9 + ["soon"], DateForm("ymd")),
        (["2021-01-15"] * 4 + [None] * 9, DateForm("ymd")),
        (["2021-01-15"] * 8 + ["soon", "later"], None),
        (["1.2.10", "1.2.11"], None),  # versions
        (["10-11-12", "9-9-9"], None),  # sizes
        (["20210115"] * 9, None),  # texts of digits alone are read as numbers before
        (["red", "blue"], None),
        ([None, None], None),
    ],
)
def test_the_form_of_a_column(cells: list[str | None], form: DateForm | None) -> None:
    assert form_of_texts(TextCells.of(cells)) == form


@pytest.mark.parametrize(
    ("numbers", "form"),
    [
        ([20210115 + k for k in range(9)], DateForm("ymd")),
        ([20210115.0, np.nan, 20201231, 19991231, 20240229, 20210116], DateForm("ymd")),
        ([10062018, 25062018, 11062018, 1072018, 2072018], DateForm("dmy")),
        ([6102018, 6252018, 6112018, 7012018, 7022018], DateForm("mdy")),
        ([1022018, 2032018, 3042018, 4052018, 5062018], DateForm("dmy", "mdy")),
        ([20210001 + k for k in range(9)], None),  # numbers of invoices
        ([20210115 + k for k in range(4)], None),  # too few to be sure
        ([20210115.5 + k for k in range(9)], None),
        ([20210228 + k for k in range(9)], None),  # 20210229
        ([1e30, 2, 3, 4, 5, 6], None),
    ],
)
def test_the_form_of_whole_numbers(numbers: list[float], form: DateForm | None) -> None:
    assert form_of_numbers(np.array(numbers)) == form


def test_places_on_the_circles() -> None:
    """1 January 1970 was a Thursday; 2 July is the middle of a year of 365 days; 2020 had 366."""
    july = float((date(2021, 7, 2) - date(1970, 1, 1)).days)
    leap = float((date(2020, 12, 31) - date(1970, 1, 1)).days)
    np.testing.assert_allclose(phase(np.array([0.0, july, leap]), "year"), [0, 182 / 365, 365 / 366])
    np.testing.assert_allclose(phase(np.array([0.0, 4, -3.0]), "week"), [3 / 7, 0, 0])
    np.testing.assert_allclose(phase(np.array([0.25, 7.5]), "day"), [0.25, 0.5])
    x = circle(np.array([0.25, 7.5]), ("day",))
    np.testing.assert_allclose(x, [[1, 0], [0, -1]], atol=1e-15)
    assert math.isnan(circle(np.array([np.nan]), ("week",))[0, 0])


def test_circles_that_say_nothing_are_left_out() -> None:
    weeks = np.arange(5) * 7.0
    assert cycles_that_vary(weeks, "ymd") == ("year",)
    assert cycles_that_vary(weeks + np.arange(5) / 10, "ymd") == ("year", "day")
    assert cycles_that_vary(np.array([0.1, np.nan, 0.2]), "time") == ("day",)
    assert cycles_that_vary(np.array([3.0, 3.0]), "ymd") == ()

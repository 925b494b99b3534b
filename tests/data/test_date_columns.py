"""Columns of dates: as numbers and as texts one meaning through every door; their fills, cycles and readings."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data.dates import ALIKE, FORMS, DateForm, days_of, form_of_texts, forms_of, iso_days, read_days
from bptrain.data.prepare import encode_columns, encode_file, prepare
from bptrain.data.prepared import KeptSchema
from bptrain.data.profile import profile
from bptrain.data.settings import ColumnOptions, Fill
from bptrain.data.text_cells import TextCells
from bptrain.parts.scalers import none
from data.helpers import SQUARED, prepared, problems, whole, write

WHOLE = [20210101 + k for k in range(9)]


def table(cells: Sequence[object]) -> str:
    return "d,x,y\n" + "".join(f"{'' if d is None else d},{k % 3},{k * 1.5}\n" for k, d in enumerate(cells))


@pytest.mark.parametrize(
    "cells",
    [
        [f"{day}.0" for day in WHOLE],
        [f"{day}." for day in WHOLE],
        [f"{day / 1e7:.7f}e+07" for day in WHOLE],
        [f"+{day}" for day in WHOLE],
        [f"{day:_}" for day in WHOLE],
        [f"{day:,}".replace(",", " ") for day in WHOLE],
        [*WHOLE[:-2], "-", f"{WHOLE[-1]}.0"],  # a dash among numbers is a missing cell
        [*WHOLE[:-2], None, f"{WHOLE[-1]}.0"],
    ],
)
def test_whole_numbers_that_are_dates_are_so_through_every_door(cells: list[object], tmp_path: Path) -> None:
    """pandas writes 20210101.0 where a column of whole numbers has gaps."""
    source = write(tmp_path, table(cells))
    later = write(tmp_path, table(cells), "later.csv")
    settings = whole(source, missing="median", validation=later, test=later)
    p = prepared(settings)
    X, schema = p.splits["train"].X, p.schema
    assert schema.features[0].form == "ymd"
    for split in ("validation", "test"):
        np.testing.assert_array_equal(p.splits[split].X, X)
    np.testing.assert_array_equal(encode_file(later, schema, np.float64)[0].X, X)
    again = prepare(settings, SQUARED, 0, np.float64, kept_schema=KeptSchema(schema, p.digest))
    np.testing.assert_array_equal(again.splits["train"].X, X)
    [column, *_] = profile(source).columns
    assert column.dates == DateForm("ymd")
    declared = whole(
        source,
        missing="median",
        columns={"d": "datetime"},
        column_options={"d": ColumnOptions(form="ymd")},
    )
    if "_" not in str(cells[0]) and " " not in str(cells[0]):
        np.testing.assert_array_equal(prepared(declared).splits["train"].X, X)


def test_dates_from_python_as_floats_ints_and_texts(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, table([f"{day}.0" for day in WHOLE]))))
    X, x = p.splits["train"].X, [k % 3 for k in range(9)]
    days: list[Any] = [
        WHOLE,
        [float(day) for day in WHOLE],
        [f"{day}.0" for day in WHOLE],
        [*map(str, WHOLE)],
    ]
    for d in days:
        np.testing.assert_array_equal(encode_columns({"d": d, "x": x}, p.schema, np.float64), X)
        np.testing.assert_array_equal(encode_columns({"d": np.array(d), "x": x}, p.schema, np.float64), X)


@pytest.mark.parametrize("form", ["dmy", "mdy"])
def test_declared_dates_of_whole_numbers_have_the_order_that_they_show(form: str, tmp_path: Path) -> None:
    """A declaration without a format recognizes the same form as none does."""
    cells = [f"{13 + k}012021.0" if form == "dmy" else f"01{13 + k}2021.0" for k in range(7)]
    bare = prepared(whole(write(tmp_path, table(cells))))
    declared = prepared(whole(write(tmp_path, table(cells)), columns={"d": "datetime"}))
    assert bare.schema.features[0].form == declared.schema.features[0].form == form
    np.testing.assert_array_equal(bare.splits["train"].X, declared.splits["train"].X)


def test_a_number_that_is_no_date_is_named_as_it_stands(tmp_path: Path) -> None:
    schema = prepared(whole(write(tmp_path, table(WHOLE)))).schema
    for cell in ("20211301.0", "20210101.5", "1e400", "20210101.0 10:30"):
        later = write(tmp_path, table([*WHOLE[:3], cell]), "later.csv")
        with pytest.raises(
            Exception, match=r"later.csv:5: error: column d has dates .* but here it is"
        ) as caught:
            encode_file(later, schema, np.float64)
        assert repr(cell) in str(caught.value)


@pytest.mark.parametrize("policy", ["mean", "median"])
def test_a_filled_date_brings_no_cycle_of_the_day(policy: str, tmp_path: Path) -> None:
    """The day between two whole ones is a whole one: where no cell has a time of day, no fill has one."""
    cells = [
        "2021-01-04",
        "2021-01-07",
        None,
        "2021-01-11",
        "2021-01-19",
    ]  # mean and median end in a fraction
    [feature, _] = prepared(whole(write(tmp_path, table(cells)), missing=policy)).schema.features
    assert feature.cycles == ("year", "week")
    assert isinstance(feature.fill, float)
    assert feature.fill.is_integer()
    with_times = ["2021-01-04 06:00", "2021-01-05 12:00", None, "2021-01-05 18:00", "2021-01-08"]
    [feature, _] = prepared(whole(write(tmp_path, table(with_times)), missing=policy)).schema.features
    assert feature.cycles == ("year", "week", "day")
    assert isinstance(feature.fill, float)
    assert not feature.fill.is_integer()


def test_cycles_are_those_of_the_cells_that_are_there(tmp_path: Path) -> None:
    """Mondays, filled with a moment of a Thursday."""
    cells = ["2021-01-04", "2021-01-11", None, "2021-01-18"]
    fill = {"d": Fill("constant", "2021-01-14 10:30", True)}
    [feature, _] = prepared(whole(write(tmp_path, table(cells)), missing=fill)).schema.features
    assert feature.cycles == ("year",)
    times = ["10:30", "11:45", None, "13:10"]
    [feature, _] = prepared(whole(write(tmp_path, table(times)), missing="mean")).schema.features
    assert (feature.cycles, feature.form) == (("day",), "time")
    assert 0.4 < feature.fill < 0.55  # type: ignore[operator]  # a mean is a number


@pytest.mark.parametrize(
    "cells",
    [
        [f"{2 + k} {'Marine' if k % 2 else 'Decor'} {2001 + k}" for k in range(9)],
        [f"{2 + k} Janitor {2001 + k}" for k in range(9)],
        [f"Market {2 + k} {2001 + k}" for k in range(9)],
        [f"Maybe {2 + k} {2001 + k}" for k in range(9)],
    ],
)
def test_words_that_begin_like_a_month_are_no_month(cells: list[str], tmp_path: Path) -> None:
    [feature, _] = prepared(whole(write(tmp_path, table(cells)))).schema.features
    assert feature.kind == "categorical"


@pytest.mark.parametrize("name", ["Sep", "sept", "Sept.", "SEPTEMBER", "Septem"])
def test_months_and_their_abbreviations(name: str) -> None:
    assert days_of(f"5 {name} 2003", "ymd") == days_of("2003-09-05", "ymd")
    assert days_of(f"{name} 5, 2003", "ymd") == days_of("2003-09-05", "ymd")


DIGITS = st.text("0123456789", min_size=1, max_size=4)
LIKE_ISO = st.one_of(
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
    st.dates().map(str),
    st.from_regex(r"\A\d{4}[-/]\d{2}-\d{2}(?:[T x]\d{2}[:.]\d{2}:\d{2})?\Z"),
    st.from_regex(r"\A[0-9W+-]{10}\Z"),
    st.sampled_from(["2021-01-15 24:00:00", "2021-01-15 23:59:60", "2021-W01-1", "٢٠٢١-٠١-١٥", "0000-01-01"]),
    st.tuples(DIGITS, DIGITS, DIGITS, st.sampled_from(["-", "/", "."])).map(
        lambda parts: parts[3].join(parts[:3])
    ),
    st.sampled_from(["10:30", "3:45 PM", "5 Jan 2021", "20210115", "20210115.0", "soon", "", " 2021-01-15 "]),
)


@given(LIKE_ISO)
def test_the_quick_way_reads_what_the_slow_one_does(cell: str) -> None:
    """An ISO cell is parsed once for all forms; the definition parses it with the pattern for each form."""
    quick = iso_days(cell)
    if quick is not None:
        assert all(read_days(cell, form) == quick for form in ALIKE)
    for form in FORMS:
        assert days_of(cell, form) == read_days(cell.strip(), form)
    meant = forms_of(cell)
    assert all(read_days(cell.strip(), form) is not None for form in meant)
    if iso_days(cell.strip()) is not None:
        assert meant == ALIKE


def slow_form(cells: Sequence[str]) -> DateForm | None:
    """The definition, cell by cell and form by form."""
    most = {form: sum(form in forms_of(cell) for cell in cells) for form in FORMS}
    top = max(most.values())
    if not cells or (top < len(cells) and (top < 0.9 * len(cells) or top < 5)):
        return None
    best = [form for form in FORMS if most[form] == top]
    read = [cell for cell in cells if best[0] in forms_of(cell)]
    others = [form for form in best[1:] if any(read_days(c, form) != read_days(c, best[0]) for c in read)]
    return DateForm(best[0], others[0] if others else None)


DATES = st.one_of(
    st.dates().map(str),
    st.tuples(st.integers(1, 28), st.integers(1, 12), st.sampled_from(["/", "-", "."])).map(
        lambda p: f"{p[0]}{p[2]}{p[1]}{p[2]}2021"
    ),
    st.sampled_from(["10:30", "x", "2021-01-15 10:30:00"]),
)


@given(
    st.lists(DATES, min_size=1, max_size=15).filter(lambda c: 2 * sum(map(bool, map(forms_of, c))) >= len(c))
)
def test_the_form_of_a_column_is_that_of_its_definition(cells: list[str]) -> None:
    assert form_of_texts(TextCells.of(cells)) == slow_form(cells)


def test_many_moments_are_read_rightly(tmp_path: Path) -> None:
    """300 moments, worked out with datetime alone."""
    moments = [datetime(2020, 2, 27) + timedelta(seconds=7919 * k) for k in range(300)]
    X = prepared(whole(write(tmp_path, table(moments)), scale=none())).splits["train"].X
    since = [(moment - datetime(1970, 1, 1)) / timedelta(days=1) for moment in moments]
    np.testing.assert_allclose(X[:, 0], since, rtol=1e-15)
    assert Counter(np.floor(X[:, 0])).total() == 300


def test_a_level_that_marks_a_missing_cell_never_occurs(tmp_path: Path) -> None:
    """NA is a missing cell, unless it stands in quotes or the markers say otherwise."""
    options: dict[str, Any] = {
        "columns": {"d": "ordinal"},
        "column_options": {"d": ColumnOptions(order=("NA", "high"))},
    }
    text = table(["high", "NA", "high", "NA"])
    for more in ({}, {"missing": "median"}):
        [problem] = problems(whole(write(tmp_path, text), **options, **more))
        assert (problem.code, problem.path) == ("marker_in_order", "data.columns.d.order.0")
        assert "data.missing_markers" in problem.message
    quoted = table(["high", '"NA"', "high", '"NA"'])
    assert prepared(whole(write(tmp_path, quoted), **options)).splits["train"].X[:, 0].tolist() == [
        1,
        0,
        1,
        0,
    ]


def test_a_dash_among_other_dates_is_no_missing_cell(tmp_path: Path) -> None:
    cells = [*(f"2021-01-{10 + k}" for k in range(10)), "-"]
    [problem] = problems(whole(write(tmp_path, table(cells)), missing="median"))
    assert (problem.code, problem.line) == ("not_a_date", 12)

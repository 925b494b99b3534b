"""Scaling by logarithms: numbers alone have it, and what fills their missing cells has a logarithm, too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.prepare import encode_file
from bptrain.data.settings import ColumnOptions, Fill
from bptrain.errors import DataError
from bptrain.parts.scalers import log, log1p, minmax, standard
from data.helpers import prepared, problems, whole, write

KINDS = "born,size,flag,p,y\n1958-05-11,low,true,1,0\n1998-07-11,high,false,2,1\n1973-05-11,low,true,3,2\n"
DECLARED: dict[str, Any] = {
    "columns": {"size": "ordinal", "flag": "boolean"},
    "column_options": {"size": ColumnOptions(order=("low", "high"))},
}


@pytest.mark.parametrize("scaler", [log(), log1p()])
def test_logarithms_of_all_are_those_of_the_numbers(scaler: Any, tmp_path: Path) -> None:
    """Days before 1970 and the lowest level have none: places and days are standardized, truth stays 0 and 1."""
    source = write(tmp_path, KINDS)
    standardized = prepared(whole(source, scale=standard(), **DECLARED)).splits["train"].X
    p = prepared(whole(source, scale=scaler, **DECLARED))
    np.testing.assert_array_equal(p.splits["train"].X[:, :-1], standardized[:, :-1])
    assert [feature.function for feature in p.schema.features] == ["identity"] * 3 + [
        scaler(np.ones((1, 1))).function
    ]
    others = prepared(whole(source, scale=minmax(), **DECLARED)).splits["train"].X
    np.testing.assert_allclose([others[:, 0].min(), others[:, 0].max()], [0, 1])


@pytest.mark.parametrize("name", ["born", "size", "flag"])
def test_logarithms_of_what_is_no_amount_are_refused(name: str, tmp_path: Path) -> None:
    options = DECLARED["column_options"]
    own = options | {name: options.get(name, ColumnOptions())._replace(scale=log1p())}
    settings = whole(write(tmp_path, KINDS), columns=DECLARED["columns"], column_options=own)
    [problem] = problems(settings)
    assert (problem.code, problem.path) == ("scaled_kind", f"data.columns.{name}.scale")
    kept = options | {name: options.get(name, ColumnOptions())._replace(scale=minmax())}
    assert prepared(settings._replace(column_options=kept)).schema.features[0].kind == "datetime"


@pytest.mark.parametrize("cells", [[1, 2, 3], [1, None, 3]])  # a cell that is missing in a later file alone
@pytest.mark.parametrize(("scaler", "value"), [(log(), 0), (log(), -1), (log1p(), -0.5)])
def test_a_constant_without_a_logarithm_is_refused(
    scaler: Any, value: float, cells: list[int | None], tmp_path: Path
) -> None:
    text = "p,y\n" + "".join(f"{'' if p is None else p},{k}\n" for k, p in enumerate(cells)) + "4,9\n"
    source = write(tmp_path, text.replace("\n,", "\nNA,"))
    missing = {"p": Fill("constant", str(value), True)}
    own = {"p": ColumnOptions(scale=scaler)}
    for settings in (
        whole(source, missing=missing, column_options=own),
        whole(source, missing=missing, scale=scaler),
    ):
        [problem] = problems(settings)
        assert (problem.code, problem.path) == ("fill_value", "data.missing.p.value")
        assert f"filled with {value:g}" in problem.message
        good = settings._replace(missing={"p": Fill("constant", "1", True)})
        assert prepared(good).schema.features[0].fill == 1


def test_a_fill_that_cannot_be_scaled_is_said_as_it_is(tmp_path: Path) -> None:
    """A model of an earlier version may have such a fill."""
    schema = prepared(whole(write(tmp_path, "p,y\n1,1\n2,2\n3,3\n"), scale=log())).schema
    older = schema._replace(features=(schema.features[0]._replace(fill=0.0),))
    with pytest.raises(
        DataError, match=r"later.csv:3: error: column p has no value here and is filled with 0, and"
    ):
        encode_file(write(tmp_path, "p,y\n1,1\nNA,2\n", "later.csv"), older, np.float64)
    with pytest.raises(DataError, match=r"later.csv:3: error: column p is -2, and the scaling log"):
        encode_file(write(tmp_path, "p,y\n1,1\n-2,2\n", "later.csv"), older, np.float64)

"""Categories that the training rows did not have: a warning for some cells, an error for a whole column of them."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from bptrain.data.prepare import encode_columns, encode_file
from bptrain.data.raw_columns import encode_rows
from bptrain.data.settings import ColumnOptions
from bptrain.errors import DataError, DataWarning
from command import bptrain as command
from data.helpers import prepared, problems, whole, write

ZIPS = "zip,x,y\n" + "".join(f"0{1001 + k % 4},{k},{k}\n" for k in range(12))
CONFIG: dict[str, Any] = {
    "data": {"target": "y", "columns": {"code": "categorical"}},
    "network": {"sizes": ["auto", 3, "auto"]},
    "loss": "cross_entropy",
    "training": {"epochs": 1, "engine": "numpy"},
}
ROWS: dict[str, list[Any]] = {
    "flag": ["TRUE", "FALSE"] * 15,
    "code": [0, 1, 2] * 10,
    "x": [k / 7 for k in range(30)],
    "y": ["no", "yes"] * 15,
}


@pytest.fixture
def model(workplace: Path) -> bptrain.Model:
    return bptrain.load(bptrain.fit(CONFIG, data=ROWS).path)


def test_single_cells_are_a_warning_of_python(model: bptrain.Model) -> None:
    row: dict[str, list[Any]] = {"flag": ["maybe"], "code": ["9"], "x": [1]}
    for call in (model.predict, model.outputs):
        with pytest.warns(DataWarning) as caught:
            call(row)
        assert [str(one.message) for one in caught] == [
            "column flag: 1 cells in these rows hold categories that the training rows do not have (maybe); they are "
            "encoded as zeros [unseen_category]",
            "column code: 1 cells in these rows hold categories that the training rows do not have (9); they are "
            "encoded as zeros [unseen_category]",
        ]
        assert {Path(one.filename) for one in caught} == {Path(__file__)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.predict({"flag": [True, "false"], "code": [1.0, "2"], "x": [1, 2]})) == 2


def test_the_warning_can_be_silenced(workplace: Path) -> None:
    model = bptrain.load(bptrain.fit({**CONFIG, "silence": ["unseen_category"]}, data=ROWS).path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict({"flag": ["maybe"], "code": [0], "x": [1]})


def test_a_whole_column_of_them_is_an_error(model: bptrain.Model) -> None:
    for code in ([7, 8], ["7", "8", "9"], np.full(20_000, 9)):
        columns = {"flag": ["TRUE"] * len(code), "code": code, "x": [1.0] * len(code)}
        with pytest.raises(
            DataError, match=rf"column code: none of its {len(code):,} cells is a category"
        ) as caught:
            model.predict(columns)
        assert caught.value.problems[0].code == "unseen_categories"
        rows = np.array(list(zip(*columns.values(), strict=True)), object)
        with pytest.raises(DataError, match="column code: none of its"):
            model.predict(rows)
    half = {"flag": ["TRUE"] * 2, "code": [7, 1], "x": [1.0] * 2}
    with pytest.warns(DataWarning, match="column code: 1 cells"):
        model.predict(half)


def test_in_the_commands_as_in_python(model: bptrain.Model, workplace: Path) -> None:
    rows = "flag,code,x,y\n" + "".join(f"{'TRUE' if k % 2 else 'false'},{7 + k},1,no\n" for k in range(5))
    Path("later.csv").write_text(rows)
    done = command("eval", "runs/model/001", "--data", "later.csv")
    assert done.code == 3
    assert "later.csv: error: column code: none of its 5 cells is a category of the training rows" in done.err
    Path("later.csv").write_text(rows + "TRUE,2.0,1,no\n")
    done = command("eval", "runs/model/001", "--data", "later.csv")
    assert done.code == 0
    assert "column code: 5 cells" in done.err
    Path("later.csv").write_text("\n".join(rows.splitlines()[:2]) + "\n")
    assert command("eval", "runs/model/001", "--data", "later.csv").code == 0  # one row may be new


def test_lost_zeros_are_named(tmp_path: Path) -> None:
    source = write(tmp_path, ZIPS)
    p = prepared(whole(source))
    assert p.schema.features[0].categories == ("01001", "01002", "01003", "01004")
    with pytest.raises(DataError, match="leading zeros are lost; read the column as text"):
        encode_columns({"zip": [1001, 1002], "x": [1, 2]}, p.schema, np.float64)
    later = write(tmp_path, ZIPS.replace("\n0", "\n"), "later.csv")
    with pytest.raises(DataError, match="leading zeros are lost"):
        encode_file(later, p.schema, np.float64)
    assert problems(whole(source, validation=later))[0].code == "unseen_categories"


def test_missing_cells_are_not_unknown(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, ZIPS), missing="most_frequent"))
    columns: dict[str, Any] = {"zip": [None, "", "NA"], "x": [1, 2, 3]}
    X, odd = encode_rows(columns, p.schema, np.float64)
    assert (X[:, 0].tolist(), odd) == ([1, 1, 1], [])


def test_a_split_of_the_training_file_is_no_other_file(tmp_path: Path) -> None:
    """By chance its few rows may all be new."""
    text = "c,y\n" + "".join(f"{'ab'[k % 2] if k < 8 else 'z'},{k}\n" for k in range(10))
    p = prepared(whole(write(tmp_path, text), test_share=0.2, shuffle=False))
    assert [name for name, _ in p.warnings] == ["unseen_category"]


def test_a_policy_that_expects_them(tmp_path: Path) -> None:
    options = {"zip": ColumnOptions(unknown="bucket")}
    p = prepared(whole(write(tmp_path, ZIPS), columns={"zip": "categorical"}, column_options=options))
    X = encode_columns({"zip": ["a", "b"], "x": [1, 2]}, p.schema, np.float64)
    assert X[:, :5].tolist() == [[0, 0, 0, 0, 1]] * 2

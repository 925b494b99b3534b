"""The keys of one column, and of what fills it: short and long forms, written back as they were."""

from typing import Any

import pytest

from bptrain.build.data import column_options, missing_cells
from bptrain.config import from_plain, to_plain
from bptrain.config.columns import ColumnConfig
from bptrain.config.schema import Config
from bptrain.data.settings import ColumnOptions, Fill
from bptrain.errors import UsageError
from bptrain.store.run_settings import setting_differences


def config(**data: Any) -> Config:
    given: dict[str, Any] = {
        "data": {"train": "a.csv", "target": "y", **data},
        "network": {"sizes": ["auto", "auto"]},
        "loss": "half_squared_error",
    }
    return from_plain(given, "test")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("numeric", "numeric"),
        ("text", "text"),
        ({"kind": "numeric", "scale": "log"}, "numeric"),
        ({"scale": {"name": "minmax", "low": 0.0, "high": None, "to": [0.0, 1.0]}}, None),
        ({"order": ["low", "3", "0.5", "true"]}, "ordinal"),
        ({"kind": "datetime", "format": "dmy"}, "datetime"),
        ({"format": "time"}, "datetime"),
        ({"unknown": "error", "min_count": 5}, "categorical"),
        ({"kind": "categorical", "encode": "hash", "buckets": 9}, "categorical"),
    ],
)
def test_a_column_is_written_back_as_it_was(written: Any, kind: str | None) -> None:
    made = config(columns={"c": written})
    assert made.data.columns["c"].meant == kind
    plain = to_plain(made)
    assert plain["data"]["columns"]["c"] == written
    assert from_plain(plain, "again") == made


@pytest.mark.parametrize(
    ("section", "wrong", "meant"),
    [
        ("columns", "type", "kind"),
        ("columns", "dtype", "kind"),
        ("columns", "levels", "order"),
        ("columns", "handle_unknown", "unknown"),
        ("missing", "fill_value", "value"),
    ],
)
@pytest.mark.parametrize("name", ["c", "optimizer", "a.b"])
def test_a_key_of_another_tool_is_known(section: str, wrong: str, meant: str, name: str) -> None:
    """Whatever the column is called."""
    with pytest.raises(UsageError) as caught:
        config(**{section: {name: {"fill" if section == "missing" else "scale": "mean", wrong: "numeric"}}})
    found = {problem.path.rpartition(".")[2]: problem.suggestion for problem in caught.value.problems}
    assert found[wrong] == meant


def test_what_columns_have_is_suggested_there_alone() -> None:
    with pytest.raises(UsageError) as caught:
        config(handle_unknown="bucket")
    assert [problem.suggestion for problem in caught.value.problems] == [None]


def test_levels_are_texts() -> None:
    order = config(columns={"c": {"order": ["low", 3, 0.5, True]}}).data.columns["c"].order
    assert order == ("low", "3", "0.5", "true")


@pytest.mark.parametrize("written", ["median", {"fill": "median", "indicator": True}, {"fill": "mean"}])
def test_a_fill_is_written_back(written: Any) -> None:
    made = config(missing={"c": written})
    plain = to_plain(made)["data"]["missing"]["c"]
    assert plain == (written if isinstance(written, str) else {"indicator": False, **written})
    assert from_plain(to_plain(made), "again") == made


def test_the_config_of_an_older_run_says_the_same() -> None:
    old, new = (
        to_plain(config(columns={"c": "numeric"})),
        to_plain(config(columns={"c": {"kind": "numeric"}})),
    )
    assert setting_differences(old, new) == []
    changed = to_plain(config(columns={"c": {"kind": "numeric", "scale": "log"}}))
    assert len(setting_differences(old, changed)) == 1


def test_what_the_data_room_is_told() -> None:
    columns = config(columns={"a": "numeric", "b": {"encode": "hash"}, "c": {"min_count": 3}}).data.columns
    assert column_options(columns["a"]) == ColumnOptions()
    assert column_options(columns["b"]).buckets == 64
    assert column_options(columns["c"]) == ColumnOptions(min_count=3)
    assert column_options(ColumnConfig(kind="categorical", encode="one_hot")).buckets == 0
    filled = config(missing={"a": "drop", "b": {"fill": "constant", "value": 3}}).data.missing
    assert missing_cells(filled) == {"a": "drop", "b": Fill("constant", "3", False)}
    assert missing_cells("median") == "median"


@pytest.mark.parametrize(
    "data",
    [
        {"missing": {"y": "drop", "w": "error", "a": "mean"}, "weight": "w"},
        {"missing": {"y": "error", "w": "drop", "note": "error"}, "weight": "w", "exclude": ["note"]},
        {"missing": {"a": "mean", "y": "drop"}, "features": ["a"]},
        {"columns": {"w": "numeric", "a": {"kind": "numeric", "scale": "log"}}, "weight": "w"},
        {
            "columns": {
                "d": {"kind": "datetime", "scale": "minmax"},
                "b": {"kind": "boolean", "scale": "robust"},
            }
        },
    ],
)
def test_what_is_said_of_a_column_that_it_has(data: dict[str, Any]) -> None:
    assert config(**data).data.target == ("y",)

"""A run whose schema has no version (1: numbers and categories alone) is read by that schema, never inferred again.

`run_of_schema_1` was written by commit f807728 from `goods.csv`, which lies in it: a column of numbers with gaps, one
of categories, one of dates and one of true and false, the last two one input per value. Its config says DATA in place
of the path of its data.
"""

from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.data.prepare import encode_columns
from bptrain.data.prepared import KeptSchema
from bptrain.data.schema import VERSION, Schema
from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory
from command import bptrain as command
from older_runs import copy_of, evaluates_as_it_ended

OLDER = Path(__file__).parent / "run_of_schema_1"


@pytest.fixture
def older(workplace: Path) -> Path:
    """A copy of the run, with its data beside it."""
    return copy_of(OLDER, OLDER / "goods.csv", workplace)


def test_its_schema_has_no_version_and_reads() -> None:
    kept = checkpoint.read(OLDER / "best.safetensors").facts.schema
    assert "version" not in kept
    schema = Schema.from_json(kept)
    assert [(one.name, one.kind, one.width) for one in schema.features] == [
        ("size", "numeric", 1),
        ("color", "categorical", 3),
        ("day", "categorical", 3),
        ("flag", "categorical", 2),
    ]
    features = {**kept["features"], "left_out": None}  # which it does not say
    assert schema.to_json() == {"version": VERSION, **kept, "features": features}


def test_a_schema_of_a_later_version_is_refused() -> None:
    kept = checkpoint.read(OLDER / "best.safetensors").facts.schema
    for version in (VERSION + 1, 0, "2"):
        with pytest.raises(ValueError, match="versions 1 to"):
            Schema.from_json({**kept, "version": version})


def test_it_evaluates_to_the_figures_that_it_ended_with(older: Path) -> None:
    evaluates_as_it_ended(older)
    assert command("eval", "run", "--data", "goods.csv", "--json").json["rows"] == 60


def test_it_is_inspected_and_checked(older: Path) -> None:
    seen = command("inspect", "run", "--json").json
    assert seen["sizes"] == [9, 4, 2]
    assert seen["units"]["left_out"] is None
    assert command("gradcheck", "run", "--json").json["ok"]


def test_it_resumes_by_its_own_schema(older: Path) -> None:
    config = older / "config.yaml"
    longer = ["--set", "training.epochs=6"]
    went_on = command("fit", str(config), *longer, "--resume", "run")
    assert went_on.code == 0, went_on.err
    assert "as the run was trained" in went_on.err
    assert "other_bits" in went_on.err  # trained anew, its column of dates would be read as dates
    assert "bptrain: 0.2.0 -> 0.4.0" in went_on.err
    resumed = RunDirectory(older).read_record()["result"]
    assert (resumed["epochs"], resumed["steps"]) == (6, 12)
    stored = checkpoint.read(older / "checkpoints" / "step-000000000012.safetensors")
    assert Schema.from_json(stored.facts.schema).features[2].categories == (
        "2021-01-15",
        "2021-02-15",
        "2021-03-15",
    )


def test_it_predicts(older: Path) -> None:
    model = bptrain.load(older)
    X = {"size": [2.0, 8.0], "color": ["red", "blue"], "day": ["2021-01-15"] * 2, "flag": ["TRUE", "FALSE"]}
    x_L = [[0.21799046, 0.78200954], [0.90514404, 0.09485596]]
    np.testing.assert_allclose(model.outputs(X), x_L, rtol=1e-5)
    found = encode_columns(X, model.schema, np.float64)
    np.testing.assert_array_equal(found[:, 1:], [[0, 0, 1, 1, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0, 1, 0]])


def test_a_kept_schema_serves_its_own_data_alone(older: Path) -> None:
    """Where the data has changed, the message is that, and not about some cell."""
    data = older.parent / "goods.csv"
    data.write_text(data.read_text().replace("red", "purple"), encoding="utf-8")
    refused = command("eval", "run")
    assert refused.code == 3
    assert "the data of run has changed since it was trained" in refused.err
    assert KeptSchema._fields == ("schema", "digest")

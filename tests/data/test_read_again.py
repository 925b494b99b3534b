"""What is said of data that is read by the schema of a run is known when the run begins."""

from pathlib import Path

import pytest

from bptrain.data.prepare import prepare
from bptrain.data.prepared import KeptSchema, Prepared, ReadingNotes
from bptrain.data.settings import DataSettings, NetworkFacts, RowSplit
from data.helpers import BINARY, CROSS, SQUARED, prepared, write


def mixed(folder: Path) -> DataSettings:
    lines = ["day,size,color,y"]
    for row in range(60):
        size = "" if row % 7 == 0 else str(row * 1.5)
        lines.append(
            f"2024-{row % 12 + 1:02}-{row % 28 + 1:02},{size},{'red' if row % 3 else 'blue'},{row * 1e6}"
        )
    lines.append("2024-01-01,5,green,1")  # a color that may be in one split alone
    return DataSettings(write(folder, "\n".join(lines)), target="y", missing={"size": "mean"})


def dropped(folder: Path) -> DataSettings:
    lines = ["size,y"] + [f"{'' if row % 5 == 0 else row},{'yes' if row % 2 else 'no'}" for row in range(40)]
    return DataSettings(write(folder, "\n".join(lines)), target="y", missing="drop")


def files(folder: Path) -> DataSettings:
    rows = [f"{row};{row % 3}" for row in range(40)]
    train = write(folder, "\n".join(["size;y", *rows]), "train.csv")
    test = write(folder, "\n".join(["size;y", *rows[:10], "900;1"]), "test.csv")
    return DataSettings(train, test=test, target="y", task="classification", split=RowSplit(seed=3))


def read_again(found: Prepared, settings: DataSettings, facts: NetworkFacts) -> Prepared:
    return prepare(settings, facts, 0, "float64", kept_schema=KeptSchema(found.schema, found.digest))


@pytest.mark.parametrize(("make", "facts"), [(mixed, SQUARED), (dropped, BINARY), (files, CROSS)])
def test_what_is_said_of_data_that_is_read_again(make: object, facts: NetworkFacts, tmp_path: Path) -> None:
    assert callable(make)
    settings = make(tmp_path)
    found = prepared(settings, facts)
    again = read_again(found, settings, facts)
    assert found.read_again == again.read_again == ReadingNotes(again.notes, again.warnings)
    assert found.notes != again.notes

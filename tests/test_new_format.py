"""Adding a data format needs one file: config, init, validate, fit, eval, messages and schema find it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bptrain.config.json_schema import schema_text
from bptrain.formats import Format, NamedArrays, Sheet, formats, listed
from bptrain.formats.conventions import Conventions
from bptrain.formats.files import read_bytes
from bptrain.formats.problems import Origin
from bptrain.formats.streams import pieces
from command import bptrain

IRIS = Path(__file__).parent.parent / "data" / "iris.csv"


def read_semicolons(path: Path, key: str, conventions: Conventions) -> Sheet:
    """A table with semicolons, without quotes."""
    first, *rows = [line.split(";") for line in read_bytes(path, key).decode().split()]
    cells = {name: [row[k] for row in rows] for k, name in enumerate(first)}
    return Sheet(Origin(str(path), np.arange(2, 2 + len(rows))), tuple(first), cells)


def read_json_arrays(path: Path, key: str, conventions: Conventions) -> NamedArrays:
    """A JSON object of arrays."""
    found = json.loads(read_bytes(path, key))
    return NamedArrays(tuple(found), lambda name: np.array(found[name]))


@pytest.fixture
def toys() -> Iterator[None]:
    """A format of tables and one of arrays, registered for one test."""

    @formats.add("ssv")
    def ssv() -> Format:
        """Values separated by semicolons."""
        return Format("table", (".ssv",), read_semicolons, gz=True)

    @formats.add("jar")
    def jar() -> Format:
        """Arrays in JSON."""
        return Format("arrays", (".jar",), read_json_arrays)

    yield
    formats.remove("ssv")
    formats.remove("jar")


@pytest.fixture
def ssv(workplace: Path) -> Path:
    """Iris with semicolons."""
    file = workplace / "iris.ssv"
    file.write_text(IRIS.read_text().replace(",", ";"))
    return file


@pytest.mark.usefixtures("toys")
def test_a_new_table_format(ssv: Path) -> None:
    assert bptrain("init", "--data", ssv, "--target", "species").code == 0
    assert bptrain("validate", "config.yaml").code == 0
    fit = bptrain("fit", "config.yaml", "--set", "training.epochs=5", "--json")
    assert fit.code == 0, fit.err
    assert bptrain("eval", fit.json["run"]).code == 0
    there = bptrain("eval", fit.json["run"], "--data", ssv, "--json")
    assert there.json["rows"] == 150
    parts = [part for part in pieces(ssv, rows=60) if isinstance(part, Sheet)]
    assert [part.origin.place(0) for part in parts] == ["line 2", "line 62", "line 122"]
    predicted = bptrain("predict", fit.json["run"], ssv, "--out", "p.csv", "--json")
    assert predicted.json["rows"] == 150
    Path("iris.csv").write_text(IRIS.read_text())
    like = bptrain(
        "fit", "config.yaml", "--set", "training.epochs=5", "--set", "data.train=iris.csv", "--json"
    )
    assert like.json["final"] == fit.json["final"]


@pytest.mark.usefixtures("toys")
def test_a_new_format_of_arrays(workplace: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    file = workplace / "rows.jar"
    file.write_text(json.dumps({"X": X.tolist(), "y": X.sum(axis=1).tolist(), "w": [1.0, 2.0] * 30}))
    assert bptrain("init", "--data", file).code == 0
    fit = bptrain("fit", "config.yaml", "--set", "training.epochs=5", "--set", "data.weight=w", "--json")
    assert fit.code == 0, fit.err
    assert bptrain("eval", fit.json["run"], "--data", file).code == 0
    wrong = bptrain("fit", "config.yaml", "--set", "data.target=z")
    assert (wrong.code, "no array named z; it has X, y, w" in wrong.err) == (3, True)


@pytest.mark.usefixtures("toys")
def test_messages_know_it(workplace: Path, ssv: Path) -> None:
    unknown = bptrain("init", "--data", "t.ods", "--target", "y")
    assert unknown.code == 3
    assert ".ssv (each also with .gz)" in unknown.err
    assert ".jar" in unknown.err
    config = workplace / "c.yaml"
    config.write_text(f"data: {{train: {ssv}}}\nnetwork: {{sizes: [auto, auto]}}\nloss: cross_entropy\n")
    assert "must be given: the target column" in bptrain("validate", config).err
    several = bptrain("validate", config, "--set", "data.train=a.npz", "--set", "data.target=[a, b]")
    assert "only a csv, tsv, jsonl, ssv, arrow, xlsx or parquet file can have several targets" in several.err
    weight = bptrain(
        "validate", config, "--set", "data.train={inputs: a.npy, target: b.npy}", "--set", "data.weight=w"
    )
    assert (
        "a column of a csv, tsv, jsonl, ssv, arrow, xlsx or parquet file, or an array of an npz or jar file"
        in weight.err
    )


@pytest.mark.usefixtures("toys")
def test_its_paths_are_told_from_columns(workplace: Path, ssv: Path) -> None:
    """A run keeps absolute paths; the target of a table is none."""
    config = workplace / "c.yaml"
    config.write_text(
        "data: {train: iris.ssv, target: species}\nnetwork: {sizes: [auto, auto]}\nloss: cross_entropy\n"
        "training: {epochs: 1}\n"
    )
    run = bptrain("fit", config, "--json").json["run"]
    text = (Path(run) / "config.yaml").read_text()
    assert f"train: {ssv}" in text
    assert "target: species" in text


def test_it_is_gone_when_it_is_removed(ssv: Path) -> None:
    gone = bptrain("init", "--data", ssv, "--target", "species")
    assert (gone.code, "does not show its format" in gone.err) == (3, True)


def test_the_schema_lists_the_formats() -> None:
    assert listed() == "csv, tsv, idx, jsonl, npy, npz, arrow, xlsx or parquet"
    assert f'"{listed()}"' in schema_text()

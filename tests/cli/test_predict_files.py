"""`bptrain predict` of several files, of a directory, of shards, and of the standard input."""

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain as package
import bptrain.commands.predict.predict as predict_command
from command import SCRIPT, bptrain
from conftest import ROOT
from terminal import in_terminal

PENGUINS = ROOT / "data" / "penguins.csv"
CONFIG = f"""
data: {{train: {PENGUINS}, target: species, missing: median}}
network: {{sizes: [auto, 6, auto]}}
loss: cross_entropy
training: {{epochs: 4, engine: numpy}}
"""


@pytest.fixture(scope="module")
def species(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three classes by numbers and categories, missing cells filled in."""
    folder = tmp_path_factory.mktemp("species")
    (folder / "c.yaml").write_text(CONFIG)
    assert bptrain("fit", folder / "c.yaml", "--out", folder / "run", "--quiet").code == 0
    return folder / "run"


def table(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text))]


def predicted(*arguments: object) -> list[dict[str, str]]:
    shown = bptrain("predict", *arguments)
    assert shown.code == 0, shown.err
    return table(shown.out)


def parts(n: int, folder: str = "parts") -> list[str]:
    """The penguins in so many files; their names."""
    head, *lines = PENGUINS.read_text().splitlines()
    Path(folder).mkdir()
    names = [f"{folder}/{chr(97 + k)}.csv" for k in range(n)]
    for k, name in enumerate(names):
        Path(name).write_text("\n".join([head, *lines[k * 20 : k * 20 + 10], ""]))
    return names


def test_several_files_are_one_after_the_other(species: Path, workplace: Path) -> None:
    names = parts(3)
    each = [row for name in names for row in predicted(species, name, "--keep", "island")]
    assert predicted(species, *names, "--keep", "island") == each
    assert predicted(species, "parts/*.csv", "--keep", "island") == each
    assert bptrain("predict", species, "parts/*.csv", "--keep", "island", "--out", "all.csv").code == 0
    assert table(Path("all.csv").read_text()) == each
    assert bptrain("predict", species, *names, names[0]).code == 3  # named twice
    assert bptrain("predict", species, "nothing/*.csv").code == 3
    Path("parts/c.csv").write_text(
        Path("parts/c.csv").read_text().replace("year,", "jahr,").replace("year\n", "jahr\n")
    )
    shown = bptrain("predict", species, "parts/*.csv", "--out", "some.csv")
    assert (shown.code, "parts/c.csv" in shown.err, Path("some.csv").exists()) == (3, True, False)


def test_other_columns_in_a_later_file(species: Path, workplace: Path) -> None:
    names = parts(2)
    head, *lines = Path(names[1]).read_text().splitlines()
    Path(names[1]).write_text("\n".join([f"{head},more", *(f"{line},1" for line in lines), ""]))
    shown = bptrain("predict", species, *names, "--keep", "all", "--out", "p.csv")
    assert (shown.code, "more" in shown.err, Path("p.csv").exists()) == (3, True, False)


def test_a_file_per_input(species: Path, workplace: Path) -> None:
    names = parts(3)
    Path("parts/c.csv").rename("parts/c.tsv")
    Path("parts/c.tsv").write_text(Path("parts/c.tsv").read_text().replace(",", "\t"))
    shown = bptrain("predict", species, "parts/*", "--out", "out/", "--format", "jsonl", "--json")
    assert shown.code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert [file["rows"] for file in shown.json["files"]] == [10, 10, 10]
    first = [json.loads(line) for line in Path("out/a.jsonl").read_text().splitlines()]
    assert first == predicted(species, names[0])
    Path("out/b.jsonl").unlink()
    Path("out/a.jsonl").write_text("kept")
    again = bptrain("predict", species, "parts/*", "--out", "out", "--format", "jsonl", "--json")
    assert [file["left"] for file in again.json["files"]] == [True, False, True]
    assert again.json["rows"] == 10
    assert "out/a.jsonl is complete and left as it is" in again.err
    assert Path("out/a.jsonl").read_text() == "kept"
    all_over = bptrain("predict", species, "parts/*", "--out", "out", "--format", "jsonl", "--overwrite")
    assert all_over.code == 0
    assert Path("out/a.jsonl").read_text() != "kept"
    parts(1, "others")
    clash = bptrain("predict", species, "parts/a.csv", "others/a.csv", "--out", "both/")
    assert (clash.code, "both be written" in clash.err, Path("both").exists()) == (2, True, False)
    same = bptrain("predict", species, "parts/a.csv", "--out", "parts/")
    assert (same.code, "is the file that is predicted" in same.err) == (2, True)
    assert bptrain("predict", species, "parts/a.csv", "parts/b.csv", "--out", "plain").code == 0
    assert sorted(path.name for path in Path("plain").iterdir()) == ["a.csv", "b.csv"]


def test_a_stop_says_which_files_are_complete(
    species: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, whole = parts(3), predict_command.predict_file

    def until_b(path: Path, *given: Any) -> Any:
        if path.name == "b.csv":
            raise KeyboardInterrupt
        return whole(path, *given)

    monkeypatch.setattr(predict_command, "predict_file", until_b)
    stopped = bptrain("predict", species, *names, "--out", "out/")
    assert stopped.code == 130
    said = " ".join(stopped.err.split())
    assert (
        "stopped; 1 of 3 files of predictions is complete, and the same command goes on with the others"
        in said
    )
    assert [path.name for path in Path("out").iterdir()] == ["a.csv"]
    at_once = bptrain("predict", species, "parts/b.csv", "--out", "b.csv")
    assert at_once.code == 130
    assert "nothing was changed" in at_once.err


def test_shards_of_files(species: Path, workplace: Path) -> None:
    names = parts(5)
    at_once = predicted(species, "parts/*.csv", "--proba")
    shards = [predicted(species, "parts/*.csv", "--proba", "--shard", f"{i}/2") for i in (1, 2)]
    assert shards[0] == [row for name in names[0::2] for row in predicted(species, name, "--proba")]
    assert sorted(map(str, at_once)) == sorted(map(str, shards[0] + shards[1]))
    for i in range(1, 4):
        assert (
            bptrain("predict", species, "parts/*.csv", "--proba", "--shard", f"{i}/3", "--out", "out/").code
            == 0
        )
    joined = [row for name in names for row in table(Path("out", Path(name).name).read_text())]
    assert joined == at_once
    none = bptrain("predict", species, "parts/*.csv", "--shard", "7/7", "--out", "none/", "--json")
    assert (none.code, none.json["files"], none.json["rows"]) == (0, [], 0)
    for shard in ("0/2", "3/2", "1", "a/b", "1/0", "-1/2"):
        assert bptrain("predict", species, "parts/*.csv", "--shard", shard).code == 2
    one = bptrain("predict", species, names[0], "--shard", "1/2")
    assert (one.code, "row groups" in one.err) == (2, True)


def test_shards_of_row_groups(species: Path, workplace: Path) -> None:
    csv_of, pq = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(csv_of.read_csv(PENGUINS), "p.parquet", row_group_size=50)
    at_once = predicted(species, "p.parquet", "--keep", "year", "--proba")
    assert [row["prediction"] for row in at_once] == [
        row["prediction"] for row in predicted(species, PENGUINS)
    ]
    shards = [
        predicted(species, "p.parquet", "--keep", "year", "--proba", "--shard", f"{i}/3") for i in (1, 2, 3)
    ]
    groups = [at_once[begin : begin + 50] for begin in range(0, len(at_once), 50)]
    for i, shard in enumerate(shards):
        assert shard == [row for group in groups[i::3] for row in group]
    for i in (1, 2, 3):
        assert bptrain("predict", species, "p.parquet", "--shard", f"{i}/3", "--out", "out/").code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [f"p.{i}-of-3.csv" for i in (1, 2, 3)]
    assert bptrain("predict", species, "p.parquet", "--shard", "8/8", "--out", "e.csv").code == 0
    assert not Path("e.csv").exists()


@pytest.mark.parametrize("later", [[2**60 + 1, 2**60 + 3], [2**60 + 1, None]])
def test_numbers_that_the_first_rows_did_not_announce(
    species: Path, workplace: Path, later: list[int | None]
) -> None:
    """A column of whole numbers is one of float64 while cells are missing, which does not hold all of them."""
    csv_of, pq = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    rows = csv_of.read_csv(PENGUINS).slice(0, 4)
    pq.write_table(rows.append_column("id", [[None, None, *later]]), "p.parquet", row_group_size=2)
    shown = bptrain("predict", species, "p.parquet", "--keep", "id", "--out", "out.parquet")
    assert (shown.code, "column id" in shown.err, "write csv" in shown.err) == (3, True, True)
    assert [path.name for path in Path().iterdir()] == ["p.parquet"]
    assert "Traceback" not in shown.err
    assert predicted(species, "p.parquet", "--keep", "id")[2]["id"] == str(2**60 + 1)


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_whole_numbers_that_an_array_would_round(workplace: Path, name: str) -> None:
    pa = pytest.importorskip("pyarrow")
    csv_of, pq = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
    Path("train.csv").write_text("x,y\n" + "".join(f"{k},{2 * k}\n" for k in range(20)))
    Path("c.yaml").write_text(
        "{data: {train: train.csv, target: y}, network: {sizes: [1, 1]}, loss: half_squared_error}\n"
    )
    assert bptrain("fit", "c.yaml", "--out", "run", "--quiet").code == 0
    for number, code in ((2**53, 0), (2**53 + 1, 3), (-(2**53) - 1, 3)):
        rows = pa.table({"x": [1.0, 2.0], "id": [1, number]})
        (pq.write_table if name == "new.parquet" else csv_of.write_csv)(rows, name)
        shown = bptrain("predict", "run", name, "--keep", "id", "--out", "p.npy", "--overwrite")
        assert (shown.code, "column id holds" in shown.err) == (code, code == 3)
    Path("new.csv").write_text(f"x,id\n1,1\n2,{'9' * 400}\n")
    huge = bptrain("predict", "run", "new.csv", "--keep", "id", "--out", "q.npy")
    assert (huge.code, "column id holds" in huge.err) == (3, True)


class Stdin(io.TextIOWrapper):
    """Bytes as the standard input."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))


def test_the_standard_input(species: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = predicted(species, PENGUINS, "--keep", "island")
    content = PENGUINS.read_bytes()
    monkeypatch.setattr(sys, "stdin", Stdin(content))
    assert predicted(species, "-", "--keep", "island") == expected
    monkeypatch.setattr(sys, "stdin", Stdin(content))
    assert bptrain("predict", species, "-", "--keep", "island", "--out", "out/").code == 0
    assert table(Path("out/stdin.csv").read_text()) == expected
    lines = content.splitlines(keepends=True)
    lines[3] = lines[3].replace(b"40.3", b"wide")
    monkeypatch.setattr(sys, "stdin", Stdin(b"".join(lines)))
    shown = bptrain("predict", species, "-")
    assert shown.code == 3
    assert "standard input:4: error: column bill_length_mm is numeric, but here it is 'wide" in shown.err
    assert bptrain("predict", species, "-", "-").code == 3


def test_a_named_pipe(species: Path, workplace: Path) -> None:
    os.mkfifo("rows")
    writer = threading.Thread(target=lambda: Path("rows").write_bytes(PENGUINS.read_bytes()))
    writer.start()
    found = predicted(species, "rows")
    writer.join()
    assert found == predicted(species, PENGUINS)


def test_arrays(workplace: Path) -> None:
    """Many rows of an NPY file go in parts, whose predictions are those of all at once, to rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 3)).clip(-1, 1).astype(np.float32)
    np.savez("t.npz", X=X[:200], y=X[:200, 0] - X[:200, 1] ** 2)
    Path("c.yaml").write_text(
        "data: {train: t.npz}\nnetwork: {sizes: [3, 4, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 2, engine: numpy}\n"
    )
    assert bptrain("fit", "c.yaml", "--out", "run", "--quiet").code == 0
    np.save("new.npy", X)
    np.savez("new.npz", X=X, other=X[:, 0])
    assert bptrain("predict", "run", "new.npy", "--out", "p.npy").code == 0
    at_once = np.load("p.npy")
    assert at_once.shape == (len(X),)
    assert np.allclose(at_once, package.load("run").predict(X)[:, 0], rtol=1e-5, atol=1e-6)
    assert bptrain("predict", "run", "new.npz", "--out", "q.npy").code == 0
    assert np.array_equal(np.load("q.npy"), at_once)
    kept = predicted("run", "new.npy", "--keep", "x2")
    assert np.array([row["x2"] for row in kept]).astype(np.float32).tolist() == X[:, 1].tolist()
    X[12_345, 1] = np.nan
    np.save("bad.npy", X)
    shown = bptrain("predict", "run", "bad.npy", "--out", "r.npy")
    assert (shown.code, "row 12346: column x2 has no value" in shown.err) == (3, True)
    assert bptrain("predict", "run", "bad.npy", "--out", "r.npy", "--on-bad-row", "blank").code == 0
    blank = np.load("r.npy")
    assert np.flatnonzero(np.isnan(blank)).tolist() == [12_345]
    assert np.allclose(np.delete(blank, 12_345), np.delete(at_once, 12_345), rtol=1e-5, atol=1e-6)
    np.save("narrow.npy", X[:, :2])
    assert bptrain("predict", "run", "narrow.npy").code == 3


def test_a_reader_that_has_seen_enough(species: Path, workplace: Path) -> None:
    """`bptrain predict … | head -2`: two lines, and not a word on stderr about the pipe."""
    head, *rows = PENGUINS.read_text().splitlines()
    Path("many.csv").write_text("\n".join([head, *rows * 60, ""]))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "predict", str(species), "many.csv", "--proba"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    process.stdout.close()
    assert lines[0] == "prediction,p_Adelie,p_Chinstrap,p_Gentoo\n"
    _, said = process.communicate()
    assert process.returncode == 141
    assert said == ""


def test_a_bar_on_a_terminal(species: Path, workplace: Path) -> None:
    """While a file is written; not where the predictions themselves go to the terminal."""
    script = SCRIPT.replace(
        "; main()", "; import bptrain.console.predict as c; c.MOMENT = c.REFRESH_SECONDS = 0.0; main()"
    )
    seen = in_terminal(
        "predict",
        species,
        PENGUINS,
        PENGUINS.parent / "../data/penguins.csv",
        "--out",
        "p.csv",
        script=script,
    )
    assert b" rows/s" in seen.raw
    assert b"predicting" in seen.raw
    assert "predicting" not in seen.text  # gone at the end
    assert seen.cursor_shown
    shown = in_terminal("predict", species, PENGUINS, script=script)
    assert b"predicting" not in shown.raw
    assert "Adelie" in shown.text

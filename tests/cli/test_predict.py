"""`bptrain predict`: one line out for every row in, as `eval` and `Model.predict` have it."""

import csv
import io
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain as package
from bptrain.errors import UsageError
from bptrain.formats import jsonl
from bptrain.store import atomic
from bptrain.temporary import written_beside
from command import Outcome, bptrain
from conftest import ROOT

PENGUINS = ROOT / "data" / "penguins.csv"
CONFIG = f"""
data: {{train: {PENGUINS}, target: species, missing: median}}
network: {{sizes: [auto, 6, auto]}}
loss: cross_entropy
training: {{epochs: 4, engine: numpy}}
"""
NUMBERS = """
data: {train: train.csv, target: [up, down], columns: {kind: {unknown: error}}}
network: {sizes: [auto, 3, auto]}
loss: half_squared_error
training: {epochs: 3, engine: numpy}
"""
ANSWERS = """
data: {train: train.csv, target: ill, columns: {ill: categorical}}
network: {sizes: [auto, 3, auto]}
loss: LOSS
optimizer: {name: adam, learning_rate: 0.05}
training: {epochs: 30, engine: numpy}
"""


def fitted(folder: Path, text: str) -> Path:
    """The run of a config."""
    (folder / "c.yaml").write_text(text)
    assert bptrain("fit", folder / "c.yaml", "--out", folder / "run", "--quiet").code == 0
    return folder / "run"


@pytest.fixture(scope="module")
def species(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three classes by numbers and categories, missing cells filled in."""
    return fitted(tmp_path_factory.mktemp("species"), CONFIG)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two targets by two numbers and a category, in which nothing may be missing or unknown."""
    folder = tmp_path_factory.mktemp("numbers")
    lines = [f"{k},{k % 7},{'ab'[k % 2]},{k + 0.5},{-k}" for k in range(40)]
    (folder / "train.csv").write_text("\n".join(["x,z,kind,up,down", *lines, ""]))
    return fitted(folder, NUMBERS)


@pytest.fixture(scope="module", params=["cross_entropy", "binary_cross_entropy"])
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two classes, with two outputs or one."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "train.csv").write_text(
        "x,ill\n" + "".join(f"{k % 40},{int(k % 40 > 20)}\n" for k in range(120))
    )
    return fitted(folder, ANSWERS.replace("LOSS", request.param))


def table(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text))]


def predicted(*arguments: object) -> list[dict[str, str]]:
    shown = bptrain("predict", *arguments)
    assert shown.code == 0, shown.err
    return table(shown.out)


def problems(shown: Outcome) -> list[str]:
    return [line for line in shown.err.splitlines() if "error:" in line]


def no_space(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


def test_it_is_what_eval_and_the_model_predict(species: Path, workplace: Path) -> None:
    rows = predicted(species, PENGUINS, "--keep", "species", "--proba")
    report = bptrain("eval", species, "--data", PENGUINS, "--json").json
    right = sum(row["species"] == row["prediction"] for row in rows)
    assert right / len(rows) == report["metrics"]["accuracy"]
    labels = report["labels"]
    matrix = [[0] * 3 for _ in range(3)]
    for row in rows:
        matrix[labels.index(row["species"])][labels.index(row["prediction"])] += 1
    assert matrix == report["confusion_matrix"]
    model = package.load(species)
    columns = table(PENGUINS.read_text())
    frame = {name: [row[name] for row in columns] for name in columns[0]}
    assert [row["prediction"] for row in rows] == model.predict(frame).tolist()
    P = np.array([[np.float32(row[f"p_{label}"]) for label in labels] for row in rows], np.float32)
    assert P.tobytes() == model.predict_proba(frame).tobytes()  # the texts read back as the same bits


def test_several_targets(numbers: Path, workplace: Path) -> None:
    Path("new.csv").write_text("kind,z,x\na,1,2\nb,3,4.5\n")
    rows = predicted(numbers, "new.csv")
    assert [*rows[0]] == ["prediction_up", "prediction_down"]
    expected = package.load(numbers).predict({"x": [2, 4.5], "z": [1, 3], "kind": ["a", "b"]})
    assert [[float(row[name]) for name in row] for row in rows] == expected.tolist()


def test_row_by_row_is_one_batch_to_rounding(species: Path, workplace: Path) -> None:
    head, *lines = PENGUINS.read_text().splitlines()
    at_once = predicted(species, PENGUINS, "--proba")
    for k, line in enumerate(lines[:12]):
        Path("one.csv").write_text(f"{head}\n{line}\n")
        (row,) = predicted(species, "one.csv", "--proba")
        for name, cell in row.items():
            if name == "prediction":
                assert cell == at_once[k][name]
            else:
                assert math.isclose(float(cell), float(at_once[k][name]), rel_tol=1e-5)


def test_the_columns(species: Path, workplace: Path) -> None:
    first = predicted(species, PENGUINS, "--keep", "year, sex", "--name", "kind")[3]
    assert first == {"year": "2007", "sex": "", "kind": first["kind"]}
    assert [*predicted(species, PENGUINS, "--keep", "all")[0]] == [
        *PENGUINS.read_text().splitlines()[0].split(","),
        "prediction",
    ]
    clash = bptrain("predict", species, PENGUINS, "--keep", "all", "--name", "sex")
    assert (clash.code, clash.out) == (2, "")
    assert "two columns would be named sex" in clash.err
    assert bptrain("predict", species, PENGUINS, "--proba", "--name", "p_Gentoo").code == 2
    assert bptrain("predict", species, PENGUINS, "--name", " ").code == 2
    unknown = bptrain("predict", species, PENGUINS, "--keep", "yaer,place")
    assert unknown.code == 3
    assert len(problems(unknown)) == 2
    assert "did you mean year?" in unknown.err


def test_a_kept_key_that_the_first_rows_lack(
    numbers: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "OF_A_PIECE", 8)
    rows = [{"x": k, "z": 1, "kind": "a"} | ({"late": k} if k > 6 else {}) for k in range(9)]
    Path("new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = predicted(numbers, "new.jsonl", "--keep", "late,x")
    assert [row["late"] for row in found] == [*[""] * 7, "7", "8"]
    shown = bptrain("predict", numbers, "new.jsonl", "--keep", "late,latte", "--out", "p.csv")
    assert (shown.code, "'latte'" in shown.err, Path("p.csv").exists()) == (3, True, False)
    twice = bptrain("predict", numbers, "new.jsonl", "--keep", "x,x")
    assert (twice.code, "--keep names x twice" in twice.err) == (2, True)


def test_a_target_is_not_needed_and_not_read(species: Path, workplace: Path) -> None:
    lines = [line.split(",") for line in PENGUINS.read_text().splitlines()]
    place = lines[0].index("species")
    Path("without.csv").write_text(
        "".join(",".join(cell for k, cell in enumerate(line) if k != place) + "\n" for line in lines)
    )
    for line in lines[1:]:
        line[place] = "Emperor"
    Path("other.csv").write_text("".join(",".join(line) + "\n" for line in lines))
    expected = predicted(species, PENGUINS)
    for file in ("without.csv", "other.csv"):
        shown = bptrain("predict", species, file)
        assert table(shown.out) == expected
        assert "warning" not in shown.err


def test_all_missing_columns_are_one_error(species: Path, workplace: Path) -> None:
    Path("few.csv").write_text("island,year\nDream,2007\n")
    shown = bptrain("predict", species, "few.csv", "--out", "p.csv")
    assert shown.code == 3
    assert len(problems(shown)) == 5
    assert not Path("p.csv").exists()


def test_extra_columns_are_told_unless_they_are_kept(species: Path, workplace: Path) -> None:
    lines = PENGUINS.read_text().splitlines()
    Path("more.csv").write_text("".join(f"{line},{k or 'id'}\n" for k, line in enumerate(lines)))
    assert "not read: id [extra_columns]" in bptrain("predict", species, "more.csv").err
    assert "extra_columns" not in bptrain("predict", species, "more.csv", "--keep", "id").err


BAD = "x,z,kind,id\n1,2,a,p\n,2,b,q\n1,2,c,r\n1,two,a,s\n1,inf,b,t\n3,4,b,u\n"


def test_a_bad_row_is_an_error(numbers: Path, workplace: Path) -> None:
    head, *lines = BAD.splitlines()
    for at, code in ((2, "no value"), (3, "'c'"), (4, "'two'"), (5, "'inf'")):
        Path("bad.csv").write_text("\n".join([head, lines[0], lines[at - 1], lines[0]]) + "\n")
        for output in ((), ("--out", "p.csv")):
            shown = bptrain("predict", numbers, "bad.csv", *output)
            assert shown.code == 3
            assert shown.out == ""
            (problem,) = problems(shown)
            assert problem.startswith("bad.csv:3: error: column ")
            assert code in problem
            assert "--on-bad-row blank" in problem
            assert [file.name for file in Path().iterdir()] == ["bad.csv"]


def test_a_bad_row_may_be_blank(numbers: Path, workplace: Path) -> None:
    Path("bad.csv").write_text(BAD)
    shown = bptrain("predict", numbers, "bad.csv", "--on-bad-row", "blank", "--keep", "id")
    assert shown.code == 0
    rows = table(shown.out)
    assert "".join(row["id"] for row in rows) == "pqrstu"
    assert [row["prediction_up"] == row["prediction_down"] == "" for row in rows] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    (warning,) = [line for line in shown.err.splitlines() if line.startswith("warning:")]
    assert "4 of 6 rows of bad.csv cannot be predicted" in warning
    assert "are empty, such as line 5: column z is numeric, but here it is 'two'" in warning
    Path("good.csv").write_text("x,z,kind\n1,2,a\n3,4,b\n")
    good = predicted(numbers, "good.csv")
    assert [row["prediction_up"] for row in rows if row["prediction_up"]] == [
        row["prediction_up"] for row in good
    ]
    assert bptrain("predict", numbers, "bad.csv", "--on-bad-row", "blank", "--out", "p.jsonl").code == 0
    records = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    assert [record["prediction_up"] is None for record in records] == [False, True, True, True, True, False]
    assert bptrain("predict", numbers, "bad.csv", "--on-bad-row", "blank", "--out", "p.npy").code == 0
    assert np.isnan(np.load("p.npy")).tolist() == [[not row["prediction_up"]] * 2 for row in rows]
    none = BAD.splitlines()
    Path("none.csv").write_text(f"{none[0]}\n{none[2]}\n{none[4]}\n")
    assert [row["prediction_up"] for row in predicted(numbers, "none.csv", "--on-bad-row", "blank")] == [
        "",
        "",
    ]


def test_an_empty_line_is_no_row_of_csv(species: Path, workplace: Path) -> None:
    """A row with one empty cell is written as "", since readers leave out a line without any."""
    folder = workplace
    (folder / "train.csv").write_text("x,y\n" + "".join(f"{k},{2 * k}\n" for k in range(20)))
    run = fitted(
        folder, "data: {train: train.csv, target: y}\nnetwork: {sizes: [1, 1]}\nloss: half_squared_error\n"
    )
    Path("gap.csv").write_text("x,w\n1,1\n,1\n2,1\n")
    shown = bptrain("predict", run, "gap.csv", "--on-bad-row", "blank")
    assert shown.out.splitlines()[2] == '""'
    assert [len(row["prediction"]) > 0 for row in table(shown.out)] == [True, False, True]


def test_the_formats(species: Path, numbers: Path, workplace: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    expected = predicted(species, PENGUINS, "--keep", "island", "--proba")
    arguments = (species, PENGUINS, "--keep", "island", "--proba")
    for name in ("p.csv", "p.jsonl", "p.parquet", "p.txt"):
        more = ("--format", "csv") if name == "p.txt" else ()
        assert bptrain("predict", *arguments, "--out", name, *more).out == ""
    assert table(Path("p.csv").read_text()) == table(Path("p.txt").read_text()) == expected
    records = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    of_parquet = pq.read_table("p.parquet")
    assert [str(field.type) for field in of_parquet.schema] == ["string", "string", "float", "float", "float"]
    for k, row in enumerate(expected):
        for name, cell in row.items():
            found = records[k][name]
            assert (found if isinstance(found, str) else repr(found)) == cell or float(cell) == found
    assert of_parquet.column("prediction").to_pylist() == [row["prediction"] for row in expected]
    P = [float(np.float32(row["p_Gentoo"])) for row in expected]
    assert of_parquet.column("p_Gentoo").to_pylist() == P
    Path("new.csv").write_text("kind,z,x\na,1,2\nb,3,4.5\n")
    assert bptrain("predict", numbers, "new.csv", "--keep", "x", "--out", "p.npy").code == 0
    array = np.load("p.npy")
    assert array.dtype == np.float64
    assert array[:, 0].tolist() == [2, 4.5]
    text = bptrain("predict", numbers, "new.csv", "--keep", "kind", "--out", "q.npy")
    assert text.code == 3
    assert "numbers alone" in text.err
    assert bptrain("predict", species, PENGUINS, "--out", "q.npy").code == 2
    assert bptrain("predict", species, PENGUINS, "--out", "q.doc").code == 2
    assert not [*Path().glob("q.*")]


def test_labels_that_are_numbers(answers: Path, workplace: Path) -> None:
    Path("new.csv").write_text("x\n3\n35\n")
    assert [row["prediction"] for row in predicted(answers, "new.csv")] == ["0", "1"]
    assert bptrain("predict", answers, "new.csv", "--out", "p.npy").code == 0
    array = np.load("p.npy")
    assert (array.dtype, array.tolist()) == (np.int64, [0, 1])
    P = [[float(row["p_0"]), float(row["p_1"])] for row in predicted(answers, "new.csv", "--proba")]
    assert np.allclose(np.sum(P, axis=1), 1)
    assert P[0][1] < 0.5 < P[1][1]


def test_threshold(answers: Path, workplace: Path) -> None:
    Path("new.csv").write_text("x\n" + "".join(f"{k}\n" for k in range(40)))
    rows = predicted(answers, "new.csv", "--proba")
    P = [float(row["p_1"]) for row in rows]
    for t in (0.3, sorted(P)[10], 0.0, 1.0):
        found = [row["prediction"] for row in predicted(answers, "new.csv", "--threshold", t)]
        assert found == [str(int(p >= np.float32(t))) for p in P]
    assert bptrain("predict", answers, "new.csv", "--threshold", "1.5").code == 2


def test_cost(answers: Path, workplace: Path) -> None:
    """A missed illness costs 9 times a false alarm, so that 1 is predicted from a probability of 1/10 on."""
    Path("new.csv").write_text("x\n" + "".join(f"{k}\n" for k in range(40)))
    Path("cost.csv").write_text("true,1,0\n1,0,9\n0,1,0\n")
    P = [float(row["p_1"]) for row in predicted(answers, "new.csv", "--proba")]
    found = [row["prediction"] for row in predicted(answers, "new.csv", "--cost", "cost.csv")]
    assert found == [str(int(p > 0.1)) for p in P]
    assert 0 < found.count("1") < 40
    both = bptrain("predict", answers, "new.csv", "--cost", "cost.csv", "--threshold", "0.5")
    assert both.code == 2
    for text, said in (
        ("true,1\n1,0\n0,1\n", "no column 0"),
        ("true,0,1\n0,0,1\n", "no row 1"),
        ("true,0,1,2\n0,0,1,1\n1,1,0,1\n", "'2' is no label"),
        ("true,0,1\n0,0,x\n1,1,0\n", "not 'x'"),
        ("true,0,1\n0,0,nan\n1,1,0\n", "not 'nan'"),
        ("true,0,1\n0,0\n1,1,0\n", "has 1 costs"),
        ("true,0,1\n0,0,1\n0,0,1\n1,1,0\n", "is there twice"),
        ("\n", "empty"),
    ):
        Path("cost.csv").write_text(text)
        shown = bptrain("predict", answers, "new.csv", "--cost", "cost.csv")
        assert shown.code == 3
        assert said in shown.err


def test_what_a_model_cannot_decide(species: Path, numbers: Path, workplace: Path) -> None:
    Path("new.csv").write_text("kind,z,x\na,1,2\n")
    three = bptrain("predict", species, PENGUINS, "--threshold", "0.5")
    assert (three.code, "has 3" in three.err) == (2, True)
    for option in (("--proba",), ("--threshold", "0.5")):
        shown = bptrain("predict", numbers, "new.csv", *option)
        assert (shown.code, "predicts numbers" in shown.err) == (2, True)


def test_no_file_is_replaced_unasked(species: Path, workplace: Path) -> None:
    Path("p.csv").write_text("mine")
    shown = bptrain("predict", species, PENGUINS, "--out", "p.csv")
    assert (shown.code, Path("p.csv").read_text()) == (2, "mine")
    assert bptrain("predict", species, PENGUINS, "--out", "p.csv", "--overwrite").code == 0
    assert Path("p.csv").read_text().startswith("prediction\n")
    shutil.copy(PENGUINS, "new.csv")
    for output in ("new.csv", "."):
        shown = bptrain("predict", species, "new.csv", "--out", output, "--overwrite")
        assert (shown.code, "is the file that is predicted" in shown.err) == (2, True)
    assert Path("new.csv").read_bytes() == PENGUINS.read_bytes()
    assert bptrain("predict", species, PENGUINS, "--out", "/dev/null", "--overwrite").code == 2
    shutil.copy(species / "best.safetensors", "alone.safetensors")
    for arguments in ((PENGUINS,), ("--checkpoint", "alone.safetensors", PENGUINS)):
        run = ("alone.safetensors",) if len(arguments) == 1 else ()
        onto = ("--out", "alone.safetensors", "--format", "csv", "--overwrite")
        shown = bptrain("predict", *run, *arguments, *onto)
        assert (shown.code, "is the model that predicts" in shown.err) == (2, True)


def test_json(species: Path, workplace: Path) -> None:
    assert bptrain("predict", species, PENGUINS, "--json").code == 2
    record = bptrain("predict", species, PENGUINS, "--json", "--out", "p.csv").json
    assert record.keys() == {
        "schema_version", "command", "ok", "run", "checkpoint", "files", "rows", "unknown", "filled", "seconds",
    }  # fmt: skip
    assert (record["rows"], record["filled"], record["unknown"]) == (344, 19, 0)
    assert record["run"] == str(species)
    (file,) = record["files"]
    assert (file["data"], file["out"], file["rows"]) == (str(PENGUINS), "p.csv", 344)


def test_which_model(species: Path, iris: Path) -> None:
    data = ROOT / "data" / "iris.csv"
    nothing = bptrain("predict", data)
    assert nothing.code == 5
    for name in ("old", "new", "bad"):
        assert bptrain("fit", iris, "--out", f"runs/{name}", "--quiet").code == 0
    record = json.loads(Path("runs/bad/run.json").read_text())
    Path("runs/bad/run.json").write_text(json.dumps({**record, "status": "diverged"}))
    shown = bptrain("predict", data)
    assert "run: runs/new (the newest finished one)" in shown.err
    best = bptrain("predict", "runs/new/best.safetensors", data)
    assert best.out == shown.out
    assert "newest" not in best.err
    shutil.copy("runs/new/best.safetensors", "alone.safetensors")
    assert bptrain("predict", "alone.safetensors", data).out == shown.out
    bad = bptrain("predict", "runs/bad", data)
    assert (bad.code, "[diverged_run]" in bad.err) == (0, True)
    assert "/step-" in bptrain("predict", "runs/new", data, "--checkpoint", "last").err
    assert bptrain("predict", "runs/new").code == 2
    assert bptrain("predict", "runs", data).code == 5
    assert bptrain("predict", "runs/new", "nothing.csv").code == 3
    assert bptrain("predict", "nothing.safetensors", data).code == 5


def test_warnings_are_those_of_eval(species: Path, workplace: Path) -> None:
    text = PENGUINS.read_text().replace("Dream", "Madeira")
    Path("odd.csv").write_text(text)
    shown, evaluated = bptrain("predict", species, "odd.csv"), bptrain("eval", species, "--data", "odd.csv")
    said = [line for line in shown.err.splitlines() if line.startswith(("warning:", "missing:"))]
    assert said == [line for line in evaluated.err.splitlines() if line.startswith(("warning:", "missing:"))]
    assert len(said) == 2
    assert bptrain("predict", species, "odd.csv", "--out", "p.csv", "--json").json["unknown"] == 124
    Path("all.csv").write_text(text.replace("Biscoe", "Madeira").replace("Torgersen", "Madeira"))
    refused = bptrain("predict", species, "all.csv", "--out", "all_p.csv")
    assert (refused.code, "none of its 344 cells" in refused.err) == (3, True)
    assert not Path("all_p.csv").exists()


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.parquet", "p.npy"])
def test_a_failure_at_any_write_leaves_no_file(
    name: str, species: Path, numbers: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the first write, at the second, and so on, and when the file is flushed or renamed."""
    if name == "p.parquet":
        pytest.importorskip("pyarrow")
    arguments: tuple[object, ...] = ("predict", species, PENGUINS, "--keep", "island", "--out", name)
    if name == "p.npy":  # which holds numbers alone
        arguments = ("predict", numbers, numbers.parent / "train.csv", "--keep", "x", "--out", name)
    real, writes = written_beside, 0

    class Failing(io.RawIOBase):
        def __init__(self, file: Any, fail_at: int) -> None:
            self.file, self.left = file, fail_at

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            nonlocal writes
            writes += 1
            if self.left == 0:
                raise OSError(28, "No space left on device")
            self.left -= 1
            return int(self.file.write(data))

        def fileno(self) -> int:
            return int(self.file.fileno())

        def seek(
            self, offset: int, whence: int = 0
        ) -> int:  # NPY says at its beginning how many rows there are
            return int(self.file.seek(offset, whence))

    def failing_at(k: int) -> None:
        from contextlib import contextmanager

        @contextmanager
        def beside(path: Path) -> Any:
            with real(path) as file:
                yield Failing(file, k)

        monkeypatch.setattr(atomic, "written_beside", beside)

    failing_at(1000)
    assert bptrain(*arguments).code == 0
    whole, n = Path(name).read_bytes(), writes
    Path(name).unlink()
    for k in range(n):
        failing_at(k)
        shown = bptrain(*arguments)
        assert (shown.code, "No space left" in shown.err) == (6, True)
        assert [*Path().iterdir()] == []
    failing_at(n)
    for owner, call in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, call, no_space)
            assert bptrain(*arguments).code == 6
        assert [*Path().iterdir()] == []
    assert bptrain(*arguments).code == 0
    assert len(Path(name).read_bytes()) == len(whole)


def test_the_rows_of_a_split(species: Path, workplace: Path) -> None:
    lines = table(PENGUINS.read_text())
    for split in ("train", "validation", "test"):
        rows = predicted(species, "--split", split, "--proba")
        assert [*rows[0]] == ["row", "species", "prediction", "p_Adelie", "p_Chinstrap", "p_Gentoo"]
        assert [row["species"] for row in rows] == [lines[int(row["row"])]["species"] for row in rows]
        report = bptrain("eval", species, "--split", split, "--json").json
        right = sum(row["species"] == row["prediction"] for row in rows)
        assert (right / len(rows), len(rows)) == (report["metrics"]["accuracy"], report["rows"])
    assert "missing: " in bptrain("predict", species, "--split", "test").err
    record = bptrain("predict", species, "--split", "test", "--out", "p.jsonl", "--json").json
    assert (record["rows"], record["files"][0]["data"]) == (len(rows), "test")
    assert len(Path("p.jsonl").read_text().splitlines()) == len(rows)
    for arguments in (
        (species, PENGUINS, "--split", "test"),
        (species, "--split", "all"),
        (species, "--split", "test", "--keep", "year"),
        (species, "--split", "test", "--name", "row"),
        (species, "--split", "test", "--out", "p.jsonl"),
        (species, "--split", "test", "--out", "p/"),
        (species, "--split", "test", "--fail-on-drift", "1"),
        (species, "--split", "test", "--on-bad-row", "blank"),
        (species, PENGUINS, "--data-root", "."),
    ):
        assert bptrain("predict", *arguments).code == 2


def test_the_rows_of_a_split_with_several_targets(numbers: Path, workplace: Path) -> None:
    rows = predicted(numbers, "--split", "validation")
    assert [*rows[0]] == ["row", "up", "down", "prediction_up", "prediction_down"]
    for row in rows:
        assert float(row["up"]) == int(row["row"]) + 0.5
        assert float(row["down"]) == -int(row["row"])
    report = bptrain("eval", numbers, "--split", "validation", "--json").json
    errors = [abs(float(row["up"]) - float(row["prediction_up"])) for row in rows]
    assert math.isclose(sum(errors) / len(errors), report["metrics_per_target"]["mae"]["up"])


def test_fail_on_drift(species: Path, workplace: Path) -> None:
    head, *lines = PENGUINS.read_text().splitlines()
    heavy = [",".join([*line.split(",")[:5], "9000", *line.split(",")[6:]]) for line in lines]
    Path("a.csv").write_text("\n".join([head, *lines, ""]))
    Path("heavy.csv").write_text("\n".join([head, *heavy, ""]))
    good = bptrain("predict", species, "a.csv", "--fail-on-drift", "0.25", "--out", "p.csv", "--json")
    assert (good.code, good.json["ok"], good.json["fail_on_drift"]) == (0, True, [])
    bad = bptrain("predict", species, "heavy.csv", "--fail-on-drift", "0.25", "--out", "q.csv", "--json")
    assert (bad.code, bad.json["ok"], bad.json["fail_on_drift"]) == (1, False, ["body_mass_g"])
    compared = bptrain("data", "compare", species, "heavy.csv", "--fail-on-drift", "0.25").err
    of_compare = [line for line in compared.splitlines() if "[fail_on_drift]" in line]
    assert of_compare == [line for line in bad.err.splitlines() if "[fail_on_drift]" in line]
    assert len(Path("q.csv").read_text().splitlines()) == 345  # the predictions are there all the same
    for left in (False, True):  # the verdict of a job that is started again is on all its files, too
        again = bptrain("predict", species, "heavy.csv", "--fail-on-drift", "0.25", "--out", "d/", "--json")
        assert again.json["files"][0]["left"] == left
        assert (again.code, again.json["fail_on_drift"]) == (1, ["body_mass_g"])


def test_python_says_one_row(species: Path, numbers: Path, answers: Path) -> None:
    row = {name: cell for name, cell in table(PENGUINS.read_text())[0].items() if name != "species"}
    model = package.load(species)
    assert model.predict_one(row) == model.predict_one((*row.values(),)) == "Adelie"
    pair = package.load(numbers).predict_one({"x": 2, "z": 1, "kind": "a"})
    assert isinstance(pair, tuple)
    assert [*map(type, pair)] == [float, float]
    assert package.load(answers).predict_one((35,)) == 1
    P = package.load(answers).predict_proba([[3], [35]])
    assert P.shape == (2, 2)
    assert np.allclose(P.sum(axis=1), 1)
    assert P[0, 1] < 0.5 < P[1, 1]
    with pytest.raises(UsageError, match="predicts numbers"):
        package.load(numbers).predict_proba({"x": [2], "z": [1], "kind": ["a"]})


def test_other_kinds_of_targets(workplace: Path) -> None:
    """Labels that are each a yes or no, probabilities of classes, true and false, and margins."""
    a = [k / 10 - 2 for k in range(40)]
    features: dict[str, Any] = {"a": a, "b": [x * x for x in a]}
    share = [min(max(0.5 + x / 5, 0.0), 1.0) for x in a]
    targets: dict[str, dict[str, Any]] = {
        "labels": {"wet": [int(x > 0) for x in a], "hot": [int(x < 1) for x in a]},
        "shares": {"c1": share, "c2": [1 - p for p in share]},
        "flag": {"flag": [x > 0 for x in a]},
        "margin": {"side": ["no" if x < 0 else "yes" for x in a]},
    }
    losses = {"labels": "binary_cross_entropy", "margin": "hinge"}
    Path("new.csv").write_text("a,b\n1.5,2.25\n-1.5,2.25\n")
    for name, columns in targets.items():
        config = {
            "data": {"target": [*columns] if len(columns) > 1 else next(iter(columns))},
            "network": {"sizes": ["auto", 3, "auto"]},
            "loss": losses.get(name, "cross_entropy"),
            "optimizer": {"name": "adam", "learning_rate": 0.1},
            "training": {"epochs": 60, "engine": "numpy"},
        }
        package.fit(config, data={**features, **columns}, out=name)
    found = predicted("labels", "new.csv", "--proba")
    assert [*found[0]] == ["prediction_wet", "prediction_hot", "p_wet", "p_hot"]
    assert [(row["prediction_wet"], row["prediction_hot"]) for row in found] == [("1", "0"), ("0", "1")]
    assert all((float(row["p_wet"]) >= 0.5) == (row["prediction_wet"] == "1") for row in found)
    assert bptrain("predict", "labels", "new.csv", "--threshold", "0.5").code == 2
    found = predicted("shares", "new.csv", "--proba")
    assert [row["prediction"] for row in found] == ["c1", "c2"]
    assert [*found[0]][1:] == ["p_c1", "p_c2"]
    found = predicted("flag", "new.csv", "--proba")
    assert [*found[0]] == ["prediction", "p_false", "p_true"]
    assert [row["prediction"] for row in found] == ["true", "false"]
    assert bptrain("predict", "flag", "new.csv", "--out", "p.npy").code == 0
    assert np.load("p.npy").tolist() == [True, False]
    assert [row["prediction"] for row in predicted("margin", "new.csv")] == ["yes", "no"]
    refused = bptrain("predict", "margin", "new.csv", "--proba")
    assert (refused.code, "outside [0, 1]" in refused.err) == (2, True)


def test_a_run_that_is_not_there_is_no_data(species: Path, workplace: Path) -> None:
    Path("runs").mkdir()
    Path("runs/first").symlink_to(species)
    for word, meant in (("runs/frist", " (did you mean runs/first?)"), ("elsewhere/none", "")):
        shown = bptrain("predict", word, PENGUINS)
        assert (shown.code, shown.out) == (5, "")
        said = f"error: no run at {word}: there is neither such a directory nor such a file{meant}\n"
        assert shown.err == said
    for words in (["frist.csv", PENGUINS], ["frist"], ["frist*", PENGUINS]):  # files, as far as one can tell
        assert bptrain("predict", *words).code == 3

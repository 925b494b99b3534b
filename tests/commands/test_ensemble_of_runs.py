"""`bptrain ensemble`: one model of finished runs, what they must have alike, and which rows none of them has seen."""

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import bptrain as python
from command import bptrain
from conftest import ROOT

IRIS = ROOT / "data" / "iris.csv"
SMALL = ("--set", "training.epochs=2", "--set", "training.engine=numpy")


def fit(config: Path, out: str, *more: str) -> str:
    """A run with these settings."""
    done = bptrain("fit", config, *SMALL, *(word for one in more for word in ("--set", one)), "--out", out)
    assert done.code == 0, done.err
    return out


def test_runs_with_one_split_have_test_rows(iris: Path) -> None:
    runs = [
        fit(iris, f"r{k}", f"seed={k}", "data.split.seed=5", f"network.sizes=[4,{3 + k},3]") for k in (1, 2)
    ]
    record = bptrain("ensemble", *runs, "--out", "e", "--json").json
    assert record["run"] == "e"
    assert [(one["member"], one["run"]) for one in record["members"]] == [
        (1, "e/members/001"),
        (2, "e/members/002"),
    ]
    found = bptrain("eval", "e", "--json").json
    assert found["split"] == "test"
    assert found["metrics"] == record["best"]["metrics"]["test"]
    shutil.rmtree("r1")
    shutil.rmtree("r2")  # they are copied
    each = [python.load(f"e/members/00{k}").predict_proba(_inputs()) for k in (1, 2)]
    np.testing.assert_array_equal(
        python.load("e").predict_proba(_inputs()), np.mean(each, axis=0, dtype=np.float64)
    )
    member = bptrain("eval", "e/members/002", "--json")
    assert (member.code, member.json["split"]) == (0, "test")
    inside = bptrain("runs", "e", "--json").json["runs"]
    assert {one["state"] for one in inside} == {"finished"}
    assert bptrain("fit", "e/members/001/config.yaml", "--resume", "e/members/001").code == 0


def _inputs() -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.loadtxt(IRIS, delimiter=",", skiprows=1, usecols=range(4))


def test_test_rows_that_a_member_has_seen_are_refused(iris: Path) -> None:
    runs = [fit(iris, f"r{k}", f"seed={k}") for k in (1, 2)]  # each with a split of its own
    made = bptrain("ensemble", *runs, "--out", "e", "--json")
    assert made.code == 0
    assert made.json["best"]["metrics"].keys() == {"train", "validation"}
    for arguments in (("--split", "test"), ()):
        refused = bptrain("eval", "e", *arguments)
        assert refused.code == 2
        assert "test rows are training or validation rows of member" in refused.err
        assert "--data FILE" in refused.err
    assert bptrain("predict", "e", "--split", "test").code == 2
    assert bptrain("eval", "e", "--data", IRIS, "--json").json["rows"] == 150
    validation = bptrain(
        "eval", "e", "--split", "validation", "--json"
    )  # each by those that were not trained on it
    assert validation.json["metrics"] == made.json["best"]["metrics"]["validation"]


def test_a_row_that_chose_the_weights_is_seen_as_well(iris: Path) -> None:
    Path("one.txt").write_text(" ".join(map(str, range(0, 150, 10))))
    first = fit(iris, "a", "data.split={index: one.txt, seed: 1}")
    second = fit(iris, "b", "data.split={index: one.txt, seed: 2}")
    assert bptrain("ensemble", first, second, "--out", "e").code == 0
    assert bptrain("eval", "e", "--json").json["split"] == "test"  # other validation rows, the same test rows
    third = fit(iris, "c", "data.split={test: 0, validation: 0.9, seed: 3}")
    bptrain("ensemble", first, third, "--out", "f")
    refused = bptrain("eval", "f", "--split", "test")
    assert (refused.code, "validation rows of member 2" in refused.err) == (2, True)


def test_what_differs_is_named(iris: Path) -> None:
    run = fit(iris, "a")
    lines = IRIS.read_text().splitlines()
    Path("other.csv").write_text("\n".join(line.replace("setosa", "zetosa") for line in lines) + "\n")
    Path("fewer.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines) + "\n")
    labels = fit(iris, "labels", "data.train=other.csv")
    columns = fit(iris, "columns", "data.train=fewer.csv", "network.sizes=[3, 3]")
    for other, words in (
        (
            labels,
            "labels, or their order, differ: setosa, versicolor, virginica; versicolor, virginica, zetosa",
        ),
        (columns, "columns differ: sepal_length_cm (numeric); none"),
    ):
        refused = bptrain("ensemble", run, other, "--out", "e")
        assert refused.code == 2
        assert f"a and {other} cannot answer together, since their {words}" in refused.err
        assert not Path("e").exists()


def test_runs_of_other_files_answer_and_have_no_figures(iris: Path) -> None:
    lines = IRIS.read_text().splitlines()
    Path("half.csv").write_text("\n".join([lines[0], *lines[1::2]]) + "\n")
    made = bptrain("ensemble", fit(iris, "a"), fit(iris, "b", "data.train=half.csv"), "--out", "e")
    assert (made.code, "no figures: members 1 and 2" in made.err) == (0, True)
    refused = bptrain("eval", "e", "--split", "test")
    assert (refused.code, "were trained on different files" in refused.err) == (2, True)
    assert bptrain("eval", "e", "--data", IRIS).code == 0
    assert bptrain("runs", ".").code == 0


@pytest.mark.parametrize(
    ("runs", "code", "words"),
    [
        (("a",), 2, "an ensemble needs two runs or more"),
        (("a", "a"), 2, "a is named twice"),
        (("a", "gone"), 5, "no run at gone"),
        (("a", "interrupted"), 5, "interrupted is not finished, but interrupted: `bptrain fit"),
        (("a", "diverged"), 5, "diverged is not finished, but diverged: train it again"),
        (("a", "e"), 5, "e holds several runs (ensemble): name them one by one, as e/members/*"),
    ],
)
def test_what_cannot_be_a_member(iris: Path, runs: tuple[str, ...], code: int, words: str) -> None:
    fit(iris, "a")
    if runs[-1] in ("interrupted", "diverged"):
        record = json.loads(Path(fit(iris, runs[-1]), "run.json").read_text())
        Path(runs[-1], "run.json").write_text(json.dumps({**record, "status": runs[-1]}))
    if "e" in runs:
        bptrain("ensemble", "a", fit(iris, "b"), "--out", "e")
    refused = bptrain("ensemble", *runs, "--out", "f")
    assert (refused.code, words in refused.err) == (code, True), refused.err
    assert not Path("f").exists()


def test_overwrite(iris: Path) -> None:
    fit(iris, "a")
    fit(iris, "b", "seed=1", "data.split.seed=0")
    made = python.ensemble(["a", "b"], out="e")
    assert [one["member"] for one in made.result["members"]] == [1, 2]
    assert bptrain("ensemble", "b", "a", "--out", "e").code == 2
    assert bptrain("ensemble", "b", "a", "--out", "e", "--overwrite").code == 0
    assert bptrain("ensemble", "a", "b", "--out", "a", "--overwrite").code == 2


def test_members_keep_their_numbers_where_one_has_no_such_rows(iris: Path) -> None:
    index = "data.split={index: one.txt, seed: 1}"
    Path("one.txt").write_text(" ".join(map(str, range(0, 150, 10))))
    first = fit(iris, "a", index, "data.split.validation=0")
    second = fit(iris, "b", index, "optimizer.learning_rate=1e-12")
    bptrain("ensemble", first, second, "--out", "e")
    found = bptrain("eval", "e", "--split", "validation", "--json").json
    assert [one["member"] for one in found["members"]] == [2]
    assert {one["message"].split(":")[0] for one in found["warnings"]} == {"member 2"}


def test_a_file_of_another_ensemble_is_not_that_of_a_run(iris: Path) -> None:
    runs = [fit(iris, f"r{k}", f"seed={k}", "data.split.seed=5") for k in (1, 2, 3)]
    bptrain("ensemble", *runs, "--out", "three")
    bptrain("ensemble", *runs[:2], "--out", "two")
    for number, other in (("2", "three"), ("3", "two"), ("3", "r1")):
        shutil.copyfile(f"{'two' if number == '2' else 'three'}/best.safetensors", "moved.safetensors")
        for more in ((), ("--data", IRIS)):
            refused = bptrain("eval", other, "--checkpoint", "moved.safetensors", *more)
            assert refused.code == 5
            assert f"moved.safetensors is an ensemble of {number} networks, and {other} has" in refused.err


def test_members_of_the_ensemble_that_is_replaced_are_refused(iris: Path) -> None:
    runs = [fit(iris, f"r{k}", f"seed={k}", "data.split.seed=5") for k in (1, 2)]
    bptrain("ensemble", *runs, "--out", "e")
    refused = bptrain("ensemble", "e/members/001", "e/members/002", "--out", "e", "--overwrite")
    assert (refused.code, "--out e holds e/members/001, which is one of the runs" in refused.err) == (2, True)
    assert bptrain("eval", "e").code == 0


def test_what_fails_leaves_no_directory_and_an_older_ensemble_as_it_is(iris: Path) -> None:
    Path("here.csv").write_text(IRIS.read_text())
    here = "data.train=here.csv"
    runs = [fit(iris, f"r{k}", f"seed={k}", "data.split.seed=5", here) for k in (1, 2)]
    bptrain("ensemble", *runs, "--out", "old")
    again = bptrain("ensemble", *runs, "--out", "old")
    assert (again.code, "--out old is not empty: give another directory, or --overwrite" in again.err) == (
        2,
        True,
    )
    Path("here.csv").rename("there.csv")
    best, kept = Path("r2/best.safetensors"), Path("r2/best.safetensors").read_bytes()
    for code, bytes_of_best in ((3, kept), (5, kept[:-1] + b"x")):
        best.write_bytes(bytes_of_best)
        assert bptrain("ensemble", *runs, "--out", "new").code == code
        assert not Path("new").exists()
        assert bptrain("ensemble", *runs, "--out", "old", "--overwrite").code == code
        assert bptrain("eval", "old", "--data", IRIS).code == 0
    best.write_bytes(kept)
    Path("there.csv").rename("here.csv")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        assert bptrain("ensemble", *runs, "--out", "new").code == 6
    assert not Path("new").exists()


def test_rows_of_two_sheets_are_not_the_same_rows(iris: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    rows = [line.split(",") for line in IRIS.read_text().splitlines()]
    for name, some in (("one", rows), ("two", [rows[0], *reversed(rows[1:])])):
        sheet = book.create_sheet(name)
        for row in some:
            sheet.append([cell if k == 4 or row is rows[0] else float(cell) for k, cell in enumerate(row)])
    book.save("book.xlsx")
    runs = [
        fit(iris, name, "data.train=book.xlsx", f"data.sheet={name}", "data.split.seed=5")
        for name in ("one", "two")
    ]
    made = bptrain("ensemble", *runs, "--out", "e", "--json")
    assert (made.code, made.json["best"]["metrics"]) == (0, {})
    refused = bptrain("eval", "e", "--split", "test")
    assert (refused.code, "were trained on different files" in refused.err) == (2, True)


def test_runs_of_arrays_answer_and_have_no_figures(workplace: Path) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    config = {"network": {"sizes": ["auto", "auto"]}, "loss": "half_squared_error",
              "training": {"epochs": 2, "engine": "numpy"}}  # fmt: skip
    for k in (1, 2):
        python.fit({**config, "seed": k}, data=(X, X[:, 0]), out=f"r{k}")
    made = python.ensemble(["r1", "r2"], out="e")
    assert made.result["best"]["metrics"] == {}
    each = [python.load(f"r{k}").predict(X) for k in (1, 2)]
    np.testing.assert_allclose(python.load("e").predict(X), np.mean(each, axis=0), rtol=1e-12)

"""Training an ensemble: its members are ordinary runs, and it is stopped, resumed and replaced as a whole."""

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import bptrain as python
from bptrain.errors import Interrupted, NumericalError, UsageError
from bptrain.experiments.ensembles import fit_ensemble
from bptrain.experiments.news import FitEnds, News
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_group import RunGroup
from command import SCRIPT, bptrain
from conftest import ROOT

IRIS = ROOT / "data" / "iris.csv"
SMALL = ("--set", "training.epochs=2", "--set", "training.engine=numpy", "--jobs", 1)
SEED = ("--set", "ensemble={members: 3, by: seed}", *SMALL)
FOLD = ("--set", "ensemble={members: 3, by: fold}", *SMALL)
TWO = ("--set", "ensemble={members: 2, by: fold}", *SMALL)


def split_rows(run: str, split: str) -> list[int]:
    """The numbers of the rows of a split of a run."""
    out = bptrain("predict", run, "--split", split).out
    return [int(row["row"]) for row in csv.DictReader(io.StringIO(out))]


def settings(run: str) -> dict[str, Any]:
    """The config of a run."""
    found: dict[str, Any] = yaml.safe_load(Path(run, "config.yaml").read_text())
    return found


def digests(directory: str) -> dict[str, str]:
    """The bytes of every file of weights below a directory."""
    files = sorted(Path(directory).rglob("*.safetensors"))
    return {str(file.relative_to(directory)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_members_by_seed_share_their_split(iris: Path) -> None:
    record = bptrain("fit", iris, *SEED, "--out", "e", "--json").json
    assert record["run"] == "e"
    assert [one["member"] for one in record["members"]] == [1, 2, 3]
    assert [one["run"] for one in record["members"]] == [f"e/members/00{k}" for k in (1, 2, 3)]
    assert [settings(f"e/members/00{k}")["seed"] for k in (1, 2, 3)] == [0, 1, 2]
    assert "ensemble" not in settings("e/members/001")
    for split in ("train", "validation", "test"):
        rows = [split_rows(f"e/members/00{k}", split) for k in (1, 2, 3)]
        assert rows[0] == rows[1] == rows[2] == split_rows("e", split)
    assert len({one["best"]["loss"]["test"] for one in record["members"]}) == 3  # other weights
    alone = bptrain("fit", "e/members/002/config.yaml", "--out", "again", "--json").json
    assert alone["best"] == record["members"][1]["best"]
    for split in ("train", "validation", "test"):
        found = bptrain("eval", "e", "--split", split, "--json").json
        assert found["loss"] == record["best"]["loss"][split]
        assert found["metrics"] == record["best"]["metrics"][split]
        for own, member in zip(found["members"], record["members"], strict=True):
            assert own["loss"] == member["best"]["loss"][split]
            assert own["metrics"] == member["best"]["metrics"][split]


def test_members_by_fold_cut_what_no_test_has(iris: Path) -> None:
    record = bptrain("fit", iris, *FOLD, "--out", "e", "--json").json
    runs = [f"e/members/00{k}" for k in (1, 2, 3)]
    tests = [split_rows(run, "test") for run in runs]
    assert tests[0] == tests[1] == tests[2] == split_rows("e", "test")
    validated = [split_rows(run, "validation") for run in runs]
    rest = sorted(row for rows in validated for row in rows)
    assert sorted([*rest, *tests[0]]) == list(range(150))
    assert split_rows("e", "validation") == split_rows("e", "train") == rest
    # each row by the member that has not seen it
    out = bptrain("predict", "e", "--split", "validation", "--proba").out
    whole = {int(row["row"]): row["p_setosa"] for row in csv.DictReader(io.StringIO(out))}
    for run in runs:
        own = csv.DictReader(io.StringIO(bptrain("predict", run, "--split", "validation", "--proba").out))
        assert all(float(np.float32(row["p_setosa"])) == float(whole[int(row["row"])]) for row in own)
    assert record["best"]["metrics"].keys() == {"train", "validation", "test"}


def test_folds_without_a_test_set_are_those_of_a_cross_validation(iris: Path) -> None:
    bptrain("fit", iris, *FOLD, "--set", "data.split.test=0", "--out", "e")
    bptrain("fit", iris, "--folds", 3, *SMALL, "--set", "data.split.test=0", "--out", "cv")
    for k in (1, 2, 3):
        assert split_rows(f"e/members/00{k}", "validation") == split_rows(f"cv/fold-{k}", "test")


def test_the_bits_do_not_depend_on_the_processes(iris: Path) -> None:
    for jobs, out in ((1, "one"), (2, "two")):
        bptrain("fit", iris, *TWO[:-2], "--jobs", jobs, "--out", out)
    assert digests("one") == digests("two")


def test_what_was_stopped_goes_on_to_the_same_bits(iris: Path) -> None:
    bptrain("fit", iris, *SEED, "--out", "whole")
    overrides = {"ensemble": {"members": 3}, "training.epochs": 2, "training.engine": "numpy"}

    def stop(news: News) -> None:
        if isinstance(news, FitEnds) and news.fit == 1:
            raise Interrupted("now", signal.SIGTERM)

    with pytest.raises(Interrupted, match="2 of 3 runs are finished; to continue, add --resume e"):
        fit_ensemble(iris, overrides, jobs=1, out=Path("e"), show=stop)
    assert not Path("e/best.safetensors").exists()
    refused = bptrain("eval", "e")
    assert (refused.code, "an ensemble can be named itself when it is finished" in refused.err) == (5, True)
    assert "ensemble 2/3 interrupted" in bptrain("runs", ".").out
    done = bptrain("fit", iris, *SEED, "--resume", "e")
    assert done.code == 0
    assert "member 1: was finished before" in done.err
    assert digests("e") == digests("whole")
    again = bptrain("fit", "e/config.yaml", "--resume", "e", "--jobs", 1)  # its own config goes on as well
    assert (again.code, digests("e") == digests("whole")) == (0, True)


def test_killed_in_the_middle(iris: Path) -> None:
    more = ("--set", "ensemble.members=2", "--set", "training.engine=numpy", "--set", "training.epochs=150")
    arguments = ("fit", iris, *more, "--set", "checkpoint.every={epochs: 50}", "--jobs", 1, "--out", "e")
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics, deadline = Path("e/members/002/metrics.jsonl"), time.monotonic() + 60
    while not (metrics.exists() and metrics.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not Path("e/best.safetensors").exists()
    assert bptrain(*arguments[:-2], "--resume", "e").code == 0
    bptrain(*arguments[:-1], "whole")
    assert digests("e")["best.safetensors"] == digests("whole")["best.safetensors"]


def test_a_member_that_diverges_is_named(line: Path) -> None:
    overrides = {"ensemble.members": 2, "optimizer.learning_rate": 1e6, "training.engine": "numpy"}
    with pytest.raises(NumericalError, match=r"member 1: .* \(0 of 2 runs are finished; to continue"):
        fit_ensemble(line, overrides, jobs=1, out=Path("e"))


def test_a_member_that_has_learned_nothing_is_named(iris: Path) -> None:
    still = ("--set", "optimizer.learning_rate=1e-12")
    done = bptrain("fit", iris, *SEED, *still, "--out", "e", "--json")
    assert [one for one in done.json["warnings"] if one["name"] == "weights_unmoved"]
    assert done.json["warnings"][0]["message"].startswith("member")
    found = bptrain("eval", "e", "--json").json["warnings"]
    said = {one["name"]: one["message"] for one in found}
    assert said["weights_unmoved"].startswith("member 1: ")
    assert "members 2, 3" in said["weights_unmoved"]


def test_settings_that_differ_are_named(iris: Path) -> None:
    bptrain("fit", iris, *SEED, "--out", "e")
    other = bptrain("fit", iris, *FOLD, "--resume", "e")
    assert (other.code, "ensemble.by: seed -> fold" in other.err) == (5, True)
    more = bptrain("fit", iris, *SEED, "--set", "ensemble.members=4", "--resume", "e")
    assert (more.code, "number of ensemble: 3 -> 4" in more.err) == (5, True)
    one = bptrain("fit", iris, "--resume", "e")
    assert (one.code, "e is an ensemble, and the config is of one network" in one.err) == (5, True)


def test_an_ensemble_is_a_run_among_others(iris: Path) -> None:
    record = bptrain("fit", iris, *SEED, "--json").json
    assert record["run"] == "runs/iris/001"
    assert bptrain("eval", "--json").json["run"] == "runs/iris/001"  # the newest
    assert bptrain("predict", IRIS).err.startswith("run: runs/iris/001 (the newest finished one)")
    [row] = bptrain("runs", "--json").json["runs"]
    assert (row["run"], row["state"], row["group"]["kind"]) == ("runs/iris/001", "finished", "ensemble")
    assert row["loss"] == record["best"]["loss"]["validation"]
    assert row["metrics"] == record["best"]["metrics"]["validation"]
    assert row["test"] == record["best"]["metrics"]["test"]
    inside = bptrain("runs", "runs/iris/001", "--json").json["runs"]
    assert sorted(one["run"] for one in inside) == [f"runs/iris/001/members/00{k}" for k in (1, 2, 3)]


def test_a_fit_of_one_network_does_not_go_on_with_an_ensemble(iris: Path) -> None:
    bptrain("fit", iris, *TWO)
    alone = bptrain("fit", iris, *SMALL[:-2], "--resume", "auto")
    assert (alone.code, alone.out.splitlines()[-1]) == (0, "runs/iris/002")
    assert "not continued" not in alone.err
    again = bptrain("fit", iris, *TWO, "--resume", "auto")
    assert (again.code, again.out.splitlines()[-1]) == (0, "runs/iris/001")


def test_prune_takes_it_as_a_whole(iris: Path) -> None:
    for k in range(3):
        bptrain("fit", iris, *TWO, "--set", f"seed={10 * k}")
    pruned = bptrain("runs", "prune", "--keep", 1, "--json").json
    assert len(pruned["deleted"]) + len(pruned["spared"]) == 2  # but for the best
    assert pruned["deleted"]
    for one in pruned["deleted"]:
        assert not Path(one["run"]).exists()


def test_overwrite_replaces_it_and_nothing_else(iris: Path) -> None:
    bptrain("fit", iris, *SEED, "--out", "e")
    Path("e/notes.txt").write_text("mine")
    assert bptrain("fit", iris, *SEED, "--out", "e").code == 2
    done = bptrain("fit", iris, "--set", "ensemble.members=2", *SMALL, "--out", "e", "--overwrite")
    assert done.code == 0
    assert sorted(path.name for path in Path("e/members").iterdir()) == ["001", "002"]
    assert Path("e/notes.txt").read_text() == "mine"
    alone = bptrain("fit", iris, *SMALL[:-2], "--out", "e", "--overwrite")  # of one network
    assert (alone.code, "holds something that is not a run" in alone.err) == (2, True)
    assert bptrain("eval", "e").code == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("ensemble={members: 1}", "members"),
        ("ensemble={by: rows}", "by"),
        ("data.validation=v.csv", "leave it out, or use by: seed"),
        ("data.split={time: x}", "and so does data.split.time: use by: seed"),
        ("data.split.validation=0.2", "does nothing here, since ensemble.by: fold"),
        ("data.split={validation_fold: 1, validation_folds: 2}", "sets this for each of its members"),
    ],
)
def test_what_a_config_may_not_say(iris: Path, values: str, words: str) -> None:
    outcome = bptrain("fit", iris, "--set", "ensemble.by=fold", "--set", values, *SMALL)
    assert (outcome.code, words in outcome.err) == (2, True), outcome.err
    assert not Path("runs").exists()


def test_commands_of_one_network(iris: Path) -> None:
    of_ensemble = ("--set", "ensemble={members: 3, by: fold}")
    shown = bptrain("validate", iris, *of_ensemble).out
    assert "43 validation" in shown
    assert "3 members" in shown
    assert bptrain("validate", iris, *of_ensemble, "--json").json["ensemble"] == {"members": 3, "by": "fold"}
    assert "of member 1" in bptrain("gradcheck", iris, *of_ensemble).out
    bptrain("fit", iris, *SEED, "--out", "e")
    for command in ("gradcheck", "inspect"):
        refused = bptrain(command, "e")
        assert (refused.code, "name a member of it, such as e/members/001" in refused.err) == (5, True)
    last = bptrain("eval", "e", "--checkpoint", "last")
    assert (last.code, "e is an ensemble of the best weights" in last.err) == (2, True)


def test_from_python(iris: Path) -> None:
    table = list(csv.DictReader(IRIS.read_text(encoding="utf-8").splitlines()))
    names = [name for name in table[0] if name != "species"]
    X = np.array([[float(row[name]) for name in names] for row in table])
    y = np.array([row["species"] for row in table])
    config = {
        "network": {"sizes": ["auto", 4, "auto"]}, "loss": "cross_entropy",
        "training": {"epochs": 30, "engine": "numpy"}, "ensemble": {"members": 2, "by": "fold"},
    }  # fmt: skip
    run = python.fit(config, data=(X, y), out="e")
    assert [one["member"] for one in run.result["members"]] == [1, 2]
    model = python.load(run.path)
    assert isinstance(model, python.Ensemble)
    each = [python.load(f"e/members/00{k}").predict_proba(X) for k in (1, 2)]
    np.testing.assert_array_equal(model.predict_proba(X), np.mean(each, axis=0, dtype=np.float64))
    predicted = np.array(["setosa", "versicolor", "virginica"])[model.predict_proba(X).argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert model.predict_one(tuple(X[0])) == predicted[0]
    assert model.predict_one({f"x{k + 1}": X[0, k] for k in range(4)}) == predicted[0]
    assert model.score(X, y) == np.mean(predicted == y)
    found = model.evaluate((X, y))
    assert found["metrics"]["accuracy"] == model.score(X, y)
    assert [one["member"] for one in found["members"]] == [1, 2]
    resumed = python.fit(config, data=(X, y), resume="e")
    assert resumed.result["best"] == run.result["best"]
    with pytest.raises(UsageError, match="one fit is made in one process"):
        python.fit(iris, jobs=2)
    with pytest.raises(UsageError, match="load a member, such as e/members/001"):
        python.gradcheck(model)
    assert json.loads((RunGroup(run.path).path / "group.json").read_text())["status"] == "finished"
    assert RunDirectory(run.path).read_record()["status"] == "finished"


def test_more_folds_than_rows_are_said_of_the_members(iris: Path) -> None:
    refused = bptrain("fit", iris, "--set", "ensemble={members: 140, by: fold}", "--jobs", 1)
    assert refused.code == 3
    assert "ensemble.members: 140 folds need 140 rows at least" in refused.err.replace("member 1: ", "")
    assert "validation_folds" not in refused.err
    assert not list(Path().rglob("runs/iris/*"))

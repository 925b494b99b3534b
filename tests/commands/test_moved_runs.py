"""Runs travel: after `mv proj proj2`, and on another machine, a run finds the data that it was trained on."""

import getpass
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain as package
from bptrain.api import GradcheckResult
from bptrain.formats.files import digest
from bptrain.store.run_directory import RunDirectory
from command import bptrain

CONFIG = """
data: {{train: {train}, target: y{more}}}
network: {{sizes: [2, 3, 1]}}
loss: half_squared_error
training: {{epochs: 3, engine: numpy}}
"""


def table(file: Path, rows: int = 30, seed: int = 0) -> Path:
    """A file with two inputs and a target."""
    random = np.random.default_rng(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{a:.4f},{b:.4f},{a - 2 * b:.4f}" for a, b in random.normal(size=(rows, 2))]
    file.write_text("\n".join(["a,b,y", *lines, ""]))
    return file


def project(train: str, more: str = "", name: str = "proj") -> Path:
    """A directory with a config."""
    Path(name).mkdir(exist_ok=True)
    (Path(name) / "model.yaml").write_text(CONFIG.format(train=train, more=more))
    return Path(name)


def fitted(at: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> dict[str, Any]:
    """Fits the config of a project in its directory; the figures of the test rows."""
    with monkeypatch.context() as here:
        here.chdir(at)
        done = bptrain("fit", "model.yaml", "--json", *options)
        assert done.code == 0, done.err
        figures: dict[str, Any] = done.json["best"]["loss"]
        return figures


def serves(run: Path, losses: dict[str, float], *options: str | Path) -> None:
    """eval, gradcheck and inspect work as they did, and resuming does."""
    done = bptrain("eval", run, "--json", *options)
    assert done.code == 0, done.err
    assert done.json["loss"] == pytest.approx(losses["test"], rel=1e-6)
    done = bptrain("gradcheck", run, "--json", *options)
    assert (done.code, done.json["ok"]) == (0, True), done.err
    assert bptrain("inspect", run, "--json", *options).json["units"]["left_out"] is None


def goes_on(config: Path, run: Path, *options: str | Path) -> None:
    """fit --resume comes to the bits that a run of as many epochs comes to."""
    done = bptrain("fit", config, "--resume", run, "--set", "training.epochs=5", "--json", *options)
    assert done.code == 0, done.err
    assert (done.json["epochs"], Path(done.json["run"])) == (5, run)
    best = package.load(run).w
    kept = RunDirectory(run).read_record()
    assert kept["paths"]["run"] == os.path.realpath(run)
    done = bptrain("fit", config, "--out", "whole", "--set", "training.epochs=5", "--json", *options)
    if done.code == 0:
        np.testing.assert_array_equal(package.load("whole").w, best)


# How data is written in a config, where the files lie, and more keys.
WRITTEN = {
    "relative": ("data/train.csv", ["proj/data/train.csv"], ""),
    "absolute": ("{here}/proj/train.csv", ["proj/train.csv"], ""),
    "above": ("../proj/data/train.csv", ["proj/data/train.csv"], ""),
    "list": ("[data/one.csv, two.csv]", ["proj/data/one.csv", "proj/two.csv"], ""),
    "pattern": ("parts/*.csv", ["proj/parts/1.csv", "proj/parts/2.csv"], ""),
    "files of splits": (
        "train.csv",
        ["proj/train.csv", "proj/v/validation.csv", "proj/test.csv"],
        ", validation: v/validation.csv, test: test.csv",
    ),
    "root": ("train.csv", ["proj/data/train.csv"], ", root: data"),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_project_is_moved(written: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, files, more = WRITTEN[written]
    for seed, file in enumerate(files):
        table(workplace / file, seed=seed)
    losses = fitted(project(train.format(here=workplace), more), monkeypatch)
    Path("proj").rename("proj2")
    serves(Path("proj2/runs/model/001"), losses)
    goes_on(Path("proj2/model.yaml"), Path("proj2/runs/model/001"))


def test_with_the_runs_own_config(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose paths are absolute, and gone."""
    table(workplace / "proj/train.csv")
    fitted(project("train.csv"), monkeypatch)
    Path("proj").rename("proj2")
    run = Path("proj2/runs/model/001")
    goes_on(run / "config.yaml", run)
    assert RunDirectory(run).read_record()["paths"]["written"] == {"train": ["train.csv"]}
    assert str(workplace / "proj2/train.csv") in (run / "config.yaml").read_text()
    Path("proj2").rename("proj3")  # and once more
    assert bptrain("eval", "proj3/runs/model/001").code == 0


def test_an_interrupted_run(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bptrain.commands.fit.fit import fit_events

    table(workplace / "proj/train.csv")
    monkeypatch.chdir(project("train.csv"))
    events = fit_events(Path("model.yaml"))
    for _ in range(2):  # Started, and an epoch
        next(events)
    events.close()
    monkeypatch.chdir(workplace)
    Path("proj").rename("proj2")
    monkeypatch.chdir("proj2")
    done = bptrain("fit", "model.yaml", "--resume", "auto", "--json")
    assert (done.code, done.json["run"], done.json["epochs"]) == (0, "runs/model/001", 3)


@pytest.mark.parametrize("root", ["elsewhere", "elsewhere/data", "elsewhere/data/deep"])
@pytest.mark.parametrize("absolute", [True, False])
def test_data_root(root: str, absolute: bool, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was copied alone, and data that lies elsewhere: under any directory of the path as written."""
    table(workplace / "proj/data/deep/train.csv")
    train = "data/deep/train.csv"
    losses = fitted(project(str(workplace / "proj" / train) if absolute else train), monkeypatch)
    shutil.move("proj/runs/model/001", "kept")
    Path("elsewhere").mkdir()
    shutil.move("proj/data", "elsewhere/data")
    done = bptrain("eval", "kept", "--json")
    assert done.code == 3
    assert "--data-root DIR" in done.err
    assert str(workplace / "proj" / train) in done.json["errors"][0]["message"]
    for wrong, words in (("nowhere", "nowhere, which is no directory"), ("proj", "proj")):
        refused = bptrain("eval", "kept", "--data-root", wrong, "--json").json["errors"][0]["message"]
        assert refused.endswith(f"; nor is it below {words}")
    serves(Path("kept"), losses, "--data-root", root)
    checked = package.gradcheck("kept", data_root=root)
    assert isinstance(checked, GradcheckResult)
    assert checked.passed
    config = Path("kept/config.yaml") if absolute else Path("proj/model.yaml")
    goes_on(config, Path("kept"), "--data-root", root)


def test_the_root_of_the_config_is_searched(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who knows where the data is now may write it into config.yaml."""
    table(workplace / "proj/data/train.csv")
    losses = fitted(project("train.csv", ", root: data"), monkeypatch)
    shutil.move("proj/data", "elsewhere")
    config = Path("proj/runs/model/001/config.yaml")
    assert bptrain("eval", config.parent).code == 3
    config.write_text(
        config.read_text().replace(f"root: {workplace}/proj/data", f"root: {workplace}/elsewhere")
    )
    serves(config.parent, losses)


def test_another_file_of_the_name_is_refused(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table(workplace / "proj/train.csv")
    content = first.read_bytes()
    losses = fitted(project("train.csv"), monkeypatch)
    then = RunDirectory(Path("proj/runs/model/001")).read_record()["data"]["train"]
    Path("proj").rename("proj2")
    other = table(workplace / "proj2/train.csv", seed=5)
    for options in ((), ("--data-root", "proj2")):
        done = bptrain("eval", "proj2/runs/model/001", *options)
        assert done.code == 3
        assert f"{digest(other, '')[:8]}…, not {then[:8]}…" in done.err
        assert done.err.count("\n") <= 3
    # the right one is found behind a wrong one that is nearer
    (workplace / "proj2/data").mkdir()
    (workplace / "proj2/data/train.csv").write_bytes(content)
    serves(Path("proj2/runs/model/001"), losses, "--data-root", "proj2/data")


def test_other_data_in_the_old_place(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new project where the old one was does not take the data of its runs."""
    table(workplace / "proj/train.csv")
    losses = fitted(project("train.csv"), monkeypatch)
    Path("proj").rename("proj2")
    table(workplace / "proj/train.csv", seed=9)
    serves(Path("proj2/runs/model/001"), losses)


def test_one_of_two_files_has_moved(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(workplace / "shared/one.csv")
    table(workplace / "proj/two.csv", seed=1)
    losses = fitted(project(f"[{workplace}/shared/one.csv, two.csv]"), monkeypatch)
    Path("proj").rename("proj2")
    serves(Path("proj2/runs/model/001"), losses)
    shutil.move("proj2/two.csv", "two.csv")
    serves(Path("proj2/runs/model/001"), losses, "--data-root", ".")


def test_arrays_with_targets_of_their_own(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    Path("proj/a").mkdir(parents=True)
    np.save("proj/a/X.npy", random.normal(size=(30, 2)))
    np.save("proj/a/t.npy", random.normal(size=30))
    for written in ("{inputs: a/X.npy, target: a/t.npy}", "a/X.npy, target: a/t.npy"):
        Path("proj/model.yaml").write_text(CONFIG.format(train=written, more="").replace(", target: y", ""))
        losses = fitted(Path("proj"), monkeypatch)
        Path("proj").rename("proj2")
        serves(max(Path("proj2/runs/model").iterdir()), losses)
        Path("proj2").rename("proj")


def test_a_run_without_these_fields(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As earlier versions wrote it: --data-root finds its data by the absolute path."""
    table(workplace / "proj/data/train.csv")
    losses = fitted(project("data/train.csv"), monkeypatch)
    record = Path("proj/runs/model/001/run.json")
    kept = json.loads(record.read_text())
    del kept["paths"]
    record.write_text(json.dumps(kept))
    serves(record.parent, losses)
    Path("proj").rename("proj2")
    run = Path("proj2/runs/model/001")
    assert bptrain("eval", run).code == 3
    serves(run, losses, "--data-root", "proj2")
    record = run / "run.json"
    damages: list[Any] = [[], {"run": 1}, {"run": "x", "written": []}, {"run": "x", "written": {"train": 3}}]
    for damage in damages:
        record.write_text(json.dumps({**kept, "paths": damage}))
        serves(run, losses, "--data-root", "proj2")


def test_relative_paths_start_from_the_root(workplace: Path) -> None:
    table(workplace / "far/data/train.csv")
    config = project("train.csv", ", root: ../far/data") / "model.yaml"
    assert bptrain("fit", config).code == 0
    project("train.csv")
    assert bptrain("fit", config).code == 3
    assert bptrain("fit", config, "--data-root", "far/data").code == 0  # seen from here
    shown = bptrain("config", "show", config, "--set", "data.root=../far/data", "--json").json["config"]
    assert shown["data"]["train"] == str(workplace / "far/data/train.csv")
    assert shown["data"]["root"] == str(workplace / "far/data")


def test_refused_together(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(workplace / "proj/train.csv")
    fitted(project("train.csv"), monkeypatch)
    run = Path("proj/runs/model/001")
    assert bptrain("eval", run, "--data", "proj/train.csv", "--data-root", ".").code == 2
    assert bptrain("gradcheck", "proj/model.yaml", "--data-root", ".").code == 2
    assert bptrain("gradcheck", "--data-root", ".").code == 2


def test_checkpoints_hold_no_path_of_the_user(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the name of the machine, the user, or a word of the command line."""
    for seed, name in enumerate(("train", "validation", "test")):
        table(workplace / "proj/secret_directory" / f"{name}.csv", seed=seed)
    at = project(
        "train.csv",
        ", root: secret_directory, validation: validation.csv, test: ../secret_directory/test.csv",
    )
    with monkeypatch.context() as here:
        here.setattr("sys.argv", ["bptrain", "secret_word"])
        here.setenv("HOME", "/home/secret_user")
        fitted(at, here, "--set", "checkpoint.every={epochs: 1}")
    files = [*Path("proj/runs/model/001").rglob("*.safetensors")]
    assert len(files) == 3
    words = [
        "secret",
        str(workplace),
        workplace.name,
        "proj",
        "model.yaml",
        socket.gethostname(),
        getpass.getuser(),
    ]
    for file in files:
        content = file.read_bytes()
        for word in words:
            assert word.encode() not in content.replace(b"metadata", b""), (file, word)


def test_best_alone_is_the_whole_model(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(workplace / "proj/train.csv")
    fitted(project("train.csv"), monkeypatch)
    shutil.move("proj/runs/model/001/best.safetensors", "best.safetensors")
    shutil.move(data, "new.csv")
    shutil.rmtree("proj")
    assert package.load("best.safetensors").predict([[1.0, 2.0]]).shape == (1, 1)
    assert bptrain("eval", "--checkpoint", "best.safetensors", "--data", "new.csv").code == 0
    assert bptrain("inspect", "best.safetensors").code == 0


def test_a_file_of_published_splits_moves_too(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(workplace / "proj/data/train.csv")
    (workplace / "proj/data/test_rows.txt").write_text("0 3 5 7\n1 2\n")
    at = project("data/train.csv", ", split: {index: data/test_rows.txt, line: 1}")
    losses = fitted(at, monkeypatch)
    Path("proj").rename("proj2")
    run = Path("proj2/runs/model/001")
    serves(run, losses)
    shutil.move("proj2/data", "elsewhere")
    assert bptrain("eval", run).code == 3
    serves(run, losses, "--data-root", "elsewhere")
    goes_on(Path("proj2/model.yaml"), run, "--data-root", "elsewhere")
    Path("elsewhere/test_rows.txt").write_text("4\n5\n")
    done = bptrain("eval", run, "--data-root", "elsewhere")
    assert done.code == 3
    assert "test_rows.txt has SHA-256" in done.err


def test_folds_are_moved(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(workplace / "proj/train.csv")
    at = project("train.csv")
    with monkeypatch.context() as here:
        here.chdir(at)
        done = bptrain("fit", "model.yaml", "--folds", "2", "--jobs", "1", "--json")
        assert done.code == 0, done.err
    Path("proj").rename("proj2")
    for number, run in enumerate(done.json["runs"], start=1):
        serves(Path("proj2") / run["run"], run["best"]["loss"])
        assert Path(run["run"]).name == f"fold-{number}"
    group = Path("proj2") / Path(done.json["runs"][0]["run"]).parent
    whole = (group / "out_of_fold.csv").read_bytes()
    shutil.rmtree(group / "fold-2")
    shutil.move("proj2/train.csv", "elsewhere.csv")
    Path("data").mkdir()
    shutil.move("elsewhere.csv", "data/train.csv")
    again = ("fit", "proj2/model.yaml", "--resume", group, "--jobs", "1")
    assert bptrain(*again).code == 3
    done = bptrain(*again, "--data-root", "data")
    assert done.code == 0, done.err
    assert (group / "out_of_fold.csv").read_bytes() == whole

"""Which files count as checkpoints of a run, and which are never removed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bptrain.caches import VARIABLE
from bptrain.cli.completing import keep
from bptrain.commands.fit.fit import fit_events
from bptrain.engines.compiled import cache as kernels
from bptrain.store.run_directory import RunDirectory, run_at
from command import bptrain

EVERY = {"checkpoint.every": {"epochs": 1}, "checkpoint.keep": 1}
OPTIONS = ["--set", "checkpoint.every={epochs: 1}", "--set", "checkpoint.keep=1"]
# Names that only look like ours.
FOREIGN = (
    "step-mine.safetensors",
    "step-12.safetensors",
    "step-0000000000012.safetensors",
    "step-000000000099.safetensors.bak",
    "step-００００００００００９９.safetensors",
    "step-zzz.safetensors",
)
TEMPORARY = (".notes.tmp", ".mine.safetensors.tmp", ".metrics.jsonl.0123.tmp", ".step-5.safetensors.tmp")


@pytest.fixture
def stopped(iris: Path) -> Path:
    """A run that was closed after its third epoch: update 12."""
    events = fit_events(iris, EVERY, Path("run"))
    for _ in range(4):
        next(events)
    events.close()
    return Path("run")


def names(run: Path) -> list[str]:
    return [path.name for path in RunDirectory(run).checkpoints()]


def test_files_of_the_user_neither_count_nor_go(stopped: Path, iris: Path) -> None:
    (own,) = RunDirectory(stopped).checkpoints()
    backups = [own.with_name(name) for name in FOREIGN]
    for backup in backups:
        shutil.copy(own, backup)
    others = [stopped / name for name in TEMPORARY] + [own.with_name(name) for name in TEMPORARY]
    for other in others:
        other.write_text("mine")
    assert names(stopped) == [own.name]
    assert bptrain("fit", iris, "--resume", "run", *OPTIONS).code == 0
    assert names(stopped) == ["step-000000000024.safetensors"]
    assert all(backup.exists() for backup in backups)
    assert all(other.read_text() == "mine" for other in others)


def test_a_checkpoint_under_another_number_neither_counts_nor_goes(stopped: Path, iris: Path) -> None:
    (own,) = RunDirectory(stopped).checkpoints()
    renamed = own.with_name("step-000000009999.safetensors")
    shutil.copy(own, renamed)
    assert names(stopped) == [own.name]
    (row,) = bptrain("runs", ".", "--json").json["runs"]
    assert row["state"] == "interrupted"
    (stopped / "best.safetensors").unlink()
    assert bptrain("eval", "run", "--json").json["checkpoint"].endswith(own.name)
    assert bptrain("inspect", "run", "--json").json["checkpoint"].endswith(own.name)
    resumed = bptrain("fit", iris, "--resume", "run", *OPTIONS)
    assert resumed.code == 0
    assert "continuing after epoch 3" in resumed.err
    assert names(stopped) == ["step-000000000024.safetensors"]
    assert renamed.exists()
    whole = bptrain("fit", iris, "--out", "whole", *OPTIONS, "--json").json
    assert RunDirectory(stopped).read_record()["result"]["final"] == whole["final"]


def test_what_was_just_written_stays(stopped: Path, iris: Path) -> None:
    """Beside a sound checkpoint of a later update, which a longer run has left there."""
    bptrain("fit", iris, "--out", "long", "--set", "training.epochs=50", *OPTIONS)
    (later,) = RunDirectory(Path("long")).checkpoints()
    events = fit_events(iris, EVERY, Path("run"), resume="run")
    next(events)
    shutil.copy(later, stopped / "checkpoints")
    next(events)
    assert names(stopped) == ["step-000000000016.safetensors", later.name]
    next(events)
    assert names(stopped) == ["step-000000000020.safetensors", later.name]
    events.close()


def test_a_torn_file_with_our_name_pushes_nothing_out(stopped: Path, iris: Path) -> None:
    events = fit_events(iris, EVERY, Path("run"), resume="run")
    next(events)
    torn = RunDirectory(stopped).checkpoint_path(9999)
    torn.write_bytes(b"torn")
    next(events)
    events.close()
    assert names(stopped) == ["step-000000000016.safetensors", torn.name]
    resumed = bptrain("fit", iris, "--resume", "run", *OPTIONS)
    assert resumed.code == 0
    assert "[corrupt_checkpoint]" in resumed.err
    assert names(stopped) == ["step-000000000024.safetensors"]


def test_checkpoints_are_in_the_order_of_their_updates(tmp_path: Path, stopped: Path) -> None:
    """By number: after 10¹² updates a name has a digit more."""
    run = RunDirectory(tmp_path / "sorted")
    (run.path / "checkpoints").mkdir(parents=True)
    for updates in (10**12, 999_999_999_999, 7):
        run.checkpoint_path(updates).write_bytes(b"torn")
    assert [int(path.stem[5:]) for path in run.checkpoints()] == [7, 999_999_999_999, 10**12]


def test_overwrite_leaves_what_is_not_ours(stopped: Path, iris: Path) -> None:
    (own,) = RunDirectory(stopped).checkpoints()
    mine = [own.with_name("step-mine.safetensors"), own.with_name("notes.damaged"), stopped / ".notes.tmp"]
    for file in mine:
        shutil.copy(own, file)
    torn = own.with_name("step-000000009999.safetensors")
    torn.write_bytes(b"torn")
    assert bptrain("fit", iris, "--out", "run", "--overwrite", *OPTIONS).code == 0
    assert names(stopped) == ["step-000000000024.safetensors"]
    assert all(file.exists() for file in mine)


def test_a_directory_with_a_trained_checkpoint_is_not_empty(stopped: Path, iris: Path) -> None:
    """A start that was killed leaves the checkpoint of update 0 at most."""
    Path("kept/checkpoints").mkdir(parents=True)
    (own,) = RunDirectory(stopped).checkpoints()
    shutil.copy(own, "kept/checkpoints")
    assert bptrain("fit", iris, "--out", "kept").code == 2
    assert Path("kept/checkpoints", own.name).exists()


def test_what_a_killed_process_left_goes(stopped: Path, iris: Path) -> None:
    """Under the names of today, and under those of version 0.1."""
    left = [
        stopped / ".run.json.0123456789abcdef.tmp",
        stopped / ".metrics.jsonl.tmp",
        stopped / "checkpoints" / ".step-000000000016.safetensors.0123456789abcdef.tmp",
        stopped / "checkpoints" / ".step-000000000016.safetensors.tmp",
    ]
    for file in left:
        file.write_bytes(b"torn")
    assert bptrain("fit", iris, "--resume", "run", *OPTIONS).code == 0
    assert not [file for file in left if file.exists()]


@pytest.mark.skipif(os.name == "nt", reason="a kill of Unix")
def test_a_write_that_is_killed_leaves_a_name_that_is_known(workplace: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom bptrain.store.atomic import write_atomically\n"
        "def parts():\n    yield b'half'\n    sys.stdout.flush()\n    os.kill(os.getpid(), 9)\n"
        "write_atomically(Path('checkpoints/step-000000000000.safetensors'), parts())\n"
    )
    Path("run/checkpoints").mkdir(parents=True)
    subprocess.run([sys.executable, "-c", code], cwd="run", check=False)
    (left,) = Path("run/checkpoints").iterdir()
    assert left.name.startswith(".step-000000000000.safetensors.")
    run = run_at(Path("run"), overwrite=False)  # it is as good as empty
    run.sweep()
    assert not list(Path("run/checkpoints").iterdir())


def test_runs_lists_no_folder_that_is_not_a_run(workplace: Path) -> None:
    """Such as one of another tool's checkpoints."""
    Path("other/checkpoints").mkdir(parents=True)
    Path("other/checkpoints/step-last.safetensors").touch()
    assert bptrain("runs", ".", "--json").json["runs"] == []
    Path("other/checkpoints/step-000000000000.safetensors").touch()
    (row,) = bptrain("runs", ".", "--json").json["runs"]
    assert (row["run"], row["state"]) == ("other", "damaged")


def test_the_cache_of_words_keeps_what_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    words = tmp_path / "words"
    words.mkdir()
    mine = [words / "notes.txt", words / "mine.json"]
    for file in mine:
        file.write_text("mine")
        os.utime(file, (0, 0))
    for number in range(9):
        keep(words / f"0.1-{number:08x}.json", {"commands": {}})
    assert all(file.exists() for file in mine)
    assert len(list(words.glob("0.1-*.json"))) == 5
    assert len(list(words.iterdir())) == 7


def test_the_cache_of_kernels_keeps_what_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "KEPT", 2)
    mine, newer = tmp_path / "mine", tmp_path / "new-things.mine"
    old = tmp_path / "new-0123abcd"
    ours = [tmp_path / f"{number:032x}" for number in range(4)]
    for number, folder in enumerate([mine, newer, old, *ours]):
        folder.mkdir()
        os.utime(folder, (number, number))
    kernels.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["mine", "new-things.mine", *(folder.name for folder in ours[2:])]
    )

"""`bptrain runs prune`: what goes, what stays whatever its age, and that no half of a run is ever seen."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.runs.run_rows import RunRow
from bptrain.commands.runs_prune import best_runs
from bptrain.store import run_removal
from bptrain.store.run_directory import RunDirectory, locked
from command import bptrain
from conftest import IRIS


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run."""
    folder = tmp_path_factory.mktemp("one")
    (folder / "iris.yaml").write_text(IRIS)
    assert (
        bptrain("fit", folder / "iris.yaml", "--out", folder / "run", "--set", "training.epochs=1").code == 0
    )
    return folder / "run"


@pytest.fixture(scope="module")
def folds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group of two runs."""
    folder = tmp_path_factory.mktemp("folds")
    (folder / "iris.yaml").write_text(IRIS)
    fit = ("fit", folder / "iris.yaml", "--folds", "2", "--jobs", "1", "--set", "training.epochs=1")
    assert bptrain(*fit, "--out", folder / "group").code == 0
    return folder / "group"


@pytest.fixture
def runs(one: Path, workplace: Path) -> Path:
    """Five runs of runs/iris, the oldest first; the second has the least loss."""
    for number, loss in enumerate((0.5, 0.1, 0.4, 0.3, 0.2), start=1):
        copied(one, workplace / "runs" / "iris" / f"{number:03d}", number, loss)
    return Path("runs")


def copied(one: Path, to: Path, day: int, loss: float | None) -> Path:
    """A copy of a run that was started on that day and came to that loss."""
    shutil.copytree(one, to)
    record = json.loads((to / "run.json").read_text())
    record["started"] = f"2026-01-{day:02d}T00:00:00+00:00"
    record["result"]["best"]["loss"]["validation"] = loss
    (to / "run.json").write_text(json.dumps(record))
    return to


def there(runs: Path = Path("runs")) -> list[str]:
    """The runs that are listed, by the ends of their paths; none may be damaged."""
    rows = bptrain("runs", runs, "--sort", "run", "--json").json["runs"]
    assert {row["state"] for row in rows} <= {"finished"}
    return [str(Path(row["run"]).relative_to(runs)) for row in rows]


def pruned(*arguments: object) -> dict[str, Any]:
    done = bptrain("runs", "prune", *arguments, "--json")
    assert done.code == 0, done.err
    return done.json


def test_the_newest_and_the_best_stay(runs: Path) -> None:
    size = sum(file.stat().st_size for file in (runs / "iris/001").rglob("*") if file.is_file())
    planned = pruned("--keep", 2, "--dry-run")
    assert len(there()) == 5
    done = pruned("--keep", 2)
    assert there() == ["iris/002", "iris/004", "iris/005"]
    assert not list(runs.rglob(".pruned*"))
    assert {**planned, "dry_run": False} == done
    assert (done["keep"], done["kept"], done["directory"]) == (2, 3, "runs")
    assert [run["run"] for run in done["deleted"]] == ["runs/iris/003", "runs/iris/001"]
    assert done["deleted"][1]["bytes"] == size
    assert done["bytes"] == sum(run["bytes"] for run in done["deleted"])
    assert [(run["run"], run["reason"]) for run in done["spared"]] == [
        ("runs/iris/002", "the best of its kind")
    ]
    assert pruned("--keep", 2)["deleted"] == []


def test_what_is_printed(runs: Path) -> None:
    shown = bptrain("runs", "prune", "--keep", "2", "--dry-run")
    assert shown.out.splitlines()[0].startswith("would delete runs/iris/003  ")
    assert shown.out.splitlines()[-1].startswith("2 runs would be deleted, ")
    assert "runs/iris/002" in shown.err
    shown = bptrain("runs", "prune", "--keep", "2")
    assert shown.out.splitlines()[1].startswith("deleted runs/iris/001  ")
    assert shown.out.splitlines()[-1].endswith("; 3 left")


def test_each_config_has_a_best(runs: Path, one: Path) -> None:
    copied(one, runs / "other" / "001", 1, 7.0)
    pruned("--keep", 1)
    assert there() == ["iris/002", "iris/005", "other/001"]


def test_one_in_use_stays(runs: Path) -> None:
    with locked(RunDirectory(runs / "iris/001")):
        done = pruned("--keep", 2)
        assert [run["run"] for run in done["spared"] if run["reason"] == "in use"] == ["runs/iris/001"]
    assert there() == ["iris/001", "iris/002", "iris/004", "iris/005"]


@pytest.mark.parametrize(
    "name", ["notes.txt", "plots/loss.png", "checkpoints/mine.safetensors", "checkpoints/sub/x", ".hidden"]
)
def test_what_is_not_ours_stays_with_its_run(name: str, runs: Path) -> None:
    file = runs / "iris/001" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    done = pruned("--keep", 2)
    (spared,) = [run for run in done["spared"] if run["run"] == "runs/iris/001"]
    assert "is not bptrain's" in spared["reason"]
    assert file.read_text() == "precious"
    assert "iris/001" in there()


def test_left_overs_of_a_kill_are_ours(runs: Path) -> None:
    (runs / "iris/001/.run.json.0123456789abcdef.tmp").touch()
    (runs / "iris/001/checkpoints/.step-000000000001.safetensors.0123456789abcdef.tmp").touch()
    (runs / "iris/001/checkpoints/step-000000000001.safetensors.damaged").touch()
    pruned("--keep", 2)
    assert there() == ["iris/002", "iris/004", "iris/005"]


@pytest.mark.parametrize(
    "linked", ["runs/iris/001", "runs/iris/001/checkpoints", "runs/iris/001/metrics.jsonl"]
)
def test_nothing_is_deleted_through_a_link(linked: str, runs: Path) -> None:
    shutil.move(linked, "elsewhere")
    Path(linked).symlink_to(Path("elsewhere").absolute())
    before = sorted(Path("elsewhere").rglob("*"))
    done = pruned("--keep", 2)
    assert "runs/iris/001" in [run["run"] for run in done["spared"]]
    assert sorted(Path("elsewhere").rglob("*")) == before
    assert Path(linked).is_symlink()


def test_runs_behind_a_linked_directory_stay(runs: Path) -> None:
    shutil.move("runs/iris", "elsewhere")
    Path("runs/iris").symlink_to(Path("elsewhere").absolute())
    assert pruned("--keep", 2)["deleted"] == []
    assert len(there()) == 5
    Path("linked").symlink_to(Path("elsewhere").absolute())  # who names the link means what is behind it
    assert len(pruned("linked", "--keep", 2)["deleted"]) == 2


def test_a_damaged_run_stays(runs: Path) -> None:
    (runs / "iris/001/run.json").write_text("{")
    done = pruned("--keep", 2)
    assert [run["run"] for run in done["deleted"]] == ["runs/iris/003"]
    assert (runs / "iris/001/best.safetensors").is_file()
    assert any(run["reason"].startswith("damaged: ") for run in done["spared"])


def test_a_run_itself_is_not_deleted(runs: Path) -> None:
    assert pruned("runs/iris/001", "--keep", 1)["kept"] == 1
    assert len(there()) == 5


def test_a_group_goes_as_a_whole(runs: Path, folds: Path) -> None:
    for number, name in enumerate(("001", "002", "003")):
        shutil.copytree(folds, runs / "folds" / name)
        record = json.loads((runs / "folds" / name / "group.json").read_text())
        record["started"] = f"2025-01-0{number + 1}T00:00:00+00:00"
        (runs / "folds" / name / "group.json").write_text(json.dumps(record))
    (runs / "folds/002/fold-1/notes.txt").write_text("precious")
    with locked(RunDirectory(runs / "folds/001/fold-2")):
        done = pruned("--keep", 5)
        assert {Path(run["run"]).name: run["reason"] for run in done["spared"]} == {
            "001": "in use",
            "002": "runs/folds/002/fold-1/notes.txt is not bptrain's",
            "003": "the best of its kind",
        }
    size = sum(file.stat().st_size for file in (runs / "folds/001").rglob("*") if file.is_file())
    done = pruned("--keep", 5)
    assert [(run["run"], run["bytes"]) for run in done["deleted"]] == [("runs/folds/001", size)]
    assert sorted(path.name for path in (runs / "folds").iterdir()) == ["002", "003"]
    assert (runs / "folds/002/fold-1/best.safetensors").is_file()


def test_runs_are_not_taken_out_of_a_group(runs: Path, folds: Path) -> None:
    shutil.copytree(folds, runs / "iris" / "cv")
    (runs / "iris" / "cv" / "repeat-1").mkdir()
    for directory in (runs / "iris" / "cv", runs / "iris" / "cv" / "repeat-1"):
        refused = bptrain("runs", "prune", directory, "--keep", 1)
        assert (refused.code, "is a group of runs, which goes as a whole" in refused.err) == (2, True)
    assert sorted(path.name for path in (runs / "iris" / "cv").glob("fold-*")) == ["fold-1", "fold-2"]


def test_a_kill_at_any_instant_leaves_no_half_of_a_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call that changes the disk is interrupted in turn; what is left is deleted the next time."""
    calls: dict[str, Any] = {"rename": os.rename, "unlink": os.unlink, "rmdir": os.rmdir}
    left = 0

    def stopping(name: str) -> Any:
        def call(*arguments: Any, **more: Any) -> None:
            nonlocal left
            if name != "unlink" or not str(arguments[0]).endswith(".lock"):
                left -= 1
            if left < 0:
                raise KeyboardInterrupt
            calls[name](*arguments, **more)

        return call

    for instant in range(100):
        tried = Path(f"tried{instant}")
        shutil.copytree(runs, tried)
        left = instant
        with monkeypatch.context() as patch:
            for name in calls:
                patch.setattr(os, name, stopping(name))
            code = bptrain("runs", "prune", tried, "--keep", "2").code
        assert set(there(tried)) >= {"iris/002", "iris/004", "iris/005"}
        pruned(tried, "--keep", 2)
        assert sorted(path.name for path in (tried / "iris").iterdir()) == ["002", "004", "005"]
        if code == 0:
            break
        assert code == 130
    assert instant > 10


def test_what_comes_while_it_is_deleted_is_put_back(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_path, looks = run_removal.Content.of, 0

    def look(path: Path) -> run_removal.Content:
        nonlocal looks
        looks += 1
        if path.name.startswith(".pruned"):
            (path / "precious").touch()
        return from_path(path)

    monkeypatch.setattr(run_removal.Content, "of", staticmethod(look))
    assert pruned("--keep", 2)["deleted"] == []
    assert looks == 6
    assert (runs / "iris/001/precious").is_file()
    assert not list(runs.rglob(".pruned*"))


def test_a_directory_of_the_users_with_such_a_name(runs: Path) -> None:
    """Is not deleted where it holds what no run holds."""
    theirs = runs / ".pruned.0123456789abcdef.tmp"
    theirs.mkdir()
    (theirs / "letter").write_text("dear")
    pruned("--keep", 5)
    assert (theirs / "letter").read_text() == "dear"


def test_mistakes(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in ((), ("--keep", "0"), ("--keep", "some"), ("--keep",)):
        assert bptrain("runs", "prune", *arguments).code == 2
    assert bptrain("runs", "prune", "nowhere", "--keep", "1").code == 5
    Path("prune").mkdir()
    assert bptrain("runs", "./prune").code == 0

    def refuse(*arguments: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    done = bptrain("runs", "prune", "--keep", "2")
    assert done.code == 6
    assert "could not delete runs/iris/003: Permission denied" in done.err
    assert len(there()) == 5


def row(name: str, **fields: Any) -> RunRow:
    """A run in a directory a."""
    given = {"state": "finished", "split": "validation", "started": name, **fields}
    settings = {"loss.name": "cross_entropy", "data.train": "a.csv", **given.pop("settings", {})}
    return RunRow(f"a/{name}", settings=settings, **given)


def test_which_is_the_best() -> None:
    monitored = {"training.early_stopping.monitor": "accuracy"}
    rows = [
        row("1", loss=0.5),
        row("2", loss=0.4),
        row("3", loss=0.4),  # of equal ones the newest
        row("4", loss=0.1, state="diverged"),
        row("5", loss=None),
        row("6", loss=float("nan")),
        row("7", loss=0.1, metrics={"accuracy": 0.8}, settings=monitored),
        row("8", loss=0.2, metrics={"accuracy": 0.9}, settings=monitored),
        row("9", loss=9.0, settings={"data.train": "b.csv"}),
        row("10", loss=9.0, split="train"),
        row("11", loss=9.0, settings={"loss.name": "hinge"}),
        row("12", metrics={"rmse": 3.0}, group={}),
        row("13", metrics={"rmse": 2.0}, group={}),
        row("14", loss=9.0)._replace(run="b/14"),
        row("15", loss=9.0, settings={"data.target": "other"}),
        row("16", loss=9.0, settings={"loss.label_smoothing": 0.1}),
        row("17", loss=9.0, settings={"data.train.inputs": "X.npy"}),
        row("18", loss=9.0, settings={"data.train.inputs": "Z.npy"}),
        row("19", loss=0.1, metrics={"accuracy": 0.7}, settings={**monitored, "loss.label_smoothing": 0.1}),
    ]
    best = {"a/3", "a/8", "a/9", "a/10", "a/11", "a/13", "b/14", "a/15", "a/16", "a/17", "a/18"}
    assert {one.run for one in best_runs(rows)} == best

"""`bptrain runs`: a table of runs, whatever state they are in."""

import json
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.runs.run_reading import is_held
from bptrain.commands.runs.run_rows import RunRow
from bptrain.commands.runs.runs import in_order
from bptrain.store.run_directory import RunDirectory, locked
from command import bptrain


@pytest.fixture
def runs(iris: Path) -> Path:
    """Three runs: of 6 epochs, of 2, and one that ended early."""
    bptrain("fit", iris, "--out", "runs/long")
    bptrain("fit", iris, "--out", "runs/short", "--set", "training.epochs=2")
    bptrain("fit", iris, "--out", "runs/early", "--set", "training.stop_at.loss=100")
    return Path("runs")


def listed(*arguments: str) -> list[dict[str, Any]]:
    outcome = bptrain("runs", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    rows: list[dict[str, Any]] = outcome.json["runs"]
    return rows


def change(run: Path, **fields: Any) -> None:
    """Changes run.json."""
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, **fields}))


def test_main_figures(runs: Path) -> None:
    (long,) = [row for row in listed() if row["run"] == "runs/long"]
    result = json.loads((runs / "long" / "run.json").read_text())["result"]
    assert long["state"] == "finished"
    assert long["epochs"] == 6
    assert long["split"] == "validation"
    assert long["loss"] == result["best"]["loss"]["validation"]
    assert long["metrics"] == result["best"]["metrics"]["validation"]
    assert long["test"] == result["best"]["metrics"]["test"]
    assert long["seconds"] > 0
    shown = bptrain("runs").out
    assert "runs/short" in shown
    assert "stopped (loss)" in shown or "stopped (" in shown


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("started", ["early", "short", "long"]),
        ("run", ["early", "long", "short"]),
        ("epochs", ["long", "short", "early"]),
        ("loss", ["long", "short", "early"]),
        ("accuracy", ["long", "short", "early"]),
    ],
)
def test_sorted(runs: Path, key: str, order: list[str]) -> None:
    assert [Path(row["run"]).name for row in listed("--sort", key)] == order


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("loss", "bac-"),  # the least first; what has none is last
        ("accuracy", "acb-"),
        ("mae", "bca-"),
        ("seconds", "cab-"),
        ("started", "cba-"),
        ("run", "-abc"),
        ("state", "bac-"),
    ],
)
def test_the_order_of_rows(key: str, order: str) -> None:
    nan = float("nan")
    rows = [
        RunRow("-", "stopped", loss=nan, metrics={"accuracy": nan, "mae": None}, seconds=None, started=None),
        RunRow(
            "a",
            "finished",
            loss=0.2,
            metrics={"accuracy": 0.9, "mae": 3.0},
            seconds=5.0,
            started="2026-01-01",
        ),
        RunRow(
            "b",
            "diverged",
            loss=0.1,
            metrics={"accuracy": 0.5, "mae": 1.0},
            seconds=4.0,
            started="2026-01-02",
        ),
        RunRow(
            "c", "running", loss=0.3, metrics={"accuracy": 0.7, "mae": 2.0}, seconds=6.0, started="2026-01-03"
        ),
    ]
    assert "".join(row.run for row in in_order(rows, key)) == order


def test_a_lock_that_nobody_holds(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    assert not is_held(run)
    assert not list(tmp_path.iterdir())  # to look at a run is not to write into it
    with locked(run):
        assert is_held(run)
    (tmp_path / ".lock").touch()  # as one that was killed leaves it
    assert not is_held(run)


def test_an_unknown_key(runs: Path) -> None:
    outcome = bptrain("runs", "--sort", "acuracy", "--json")
    assert outcome.code == 2
    assert outcome.json["errors"][0]["suggestion"] == "accuracy"


def test_runs_that_have_not_ended(runs: Path) -> None:
    """What a run says while it is trained, after it was killed, and after Ctrl-C."""
    for status in ("running", "interrupted", "diverged"):
        change(runs / "long", status=status, result=None)
        (row,) = listed("runs/long")
        assert row["state"] == ("killed" if status == "running" else status)
        assert row["epochs"] == 6
        assert row["best"] == 6
        assert row["metrics"]["accuracy"] > 0
    change(runs / "long", status="running")
    with locked(RunDirectory(runs / "long")):
        assert listed("runs/long")[0]["state"] == "running"
    (runs / "long" / "metrics.jsonl").write_text("")
    assert listed("runs/long")[0]["epochs"] == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda run: (run / "run.json").write_text("{"),
        lambda run: (run / "run.json").write_text("[]"),
        lambda run: (run / "run.json").write_bytes(b"\xff\xfe"),
        lambda run: (run / "run.json").unlink(),
        lambda run: change(run, result={"best": {}}),
        lambda run: change(run, result=[1]),
        lambda run: change(run, result="text"),
        lambda run: change(run, result=None, status="diverged", started=[], seconds={"train": "long"}),
        lambda run: change(run, result={"epochs": "x", "best": {"epoch": 1, "loss": {}}, "stopped": "epochs"}),
        lambda run: [file.unlink() for file in (run / "checkpoints").iterdir()],
        lambda run: [file.write_bytes(b"torn") for file in (run / "checkpoints").iterdir()],
        lambda run: [file.write_bytes(file.read_bytes()[:-8]) for file in (run / "checkpoints").iterdir()],
    ],
)  # fmt: skip
def test_damaged_runs_are_told(runs: Path, damage: Any) -> None:
    damage(runs / "long")
    outcome = bptrain("runs")
    assert outcome.code == 0
    assert "damaged" in outcome.out
    assert "runs/long: " in outcome.err
    assert "Traceback" not in outcome.err
    rows = listed("--sort", "loss")
    assert [row["state"] for row in rows if row["run"] == "runs/long"] == ["damaged"]
    assert Path(rows[-1]["run"]).name == "long"  # it has no loss
    assert len(rows) == 3


def test_a_time_that_is_none(runs: Path) -> None:
    change(runs / "long", started=5)
    assert [row["started"] for row in listed() if row["run"] == "runs/long"] == [None]
    assert bptrain("runs", "prune", "--keep", 1, "--dry-run").code == 0


def test_none(workplace: Path) -> None:
    (workplace / "empty").mkdir()
    assert listed("empty") == []
    assert "no runs in empty" in bptrain("runs", "empty").err
    outcome = bptrain("runs", "--json")  # there is no runs/ yet
    assert outcome.code == 5
    assert outcome.json["errors"]

"""Fits in several processes: the bits of one, and what happens when somebody or something stops them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bptrain.experiments.planned import PlannedFit
from bptrain.experiments.worker import Parent, StopSignal, fit_one
from command import SCRIPT, bptrain

SMALL = ("--set", "training.epochs=3", "--set", "training.engine=numpy")
LONG = ("--set", "training.epochs=200000", "--set", "training.engine=numpy")
PLUGIN = """import numpy as np
from bptrain.plugins import Activation, activations

print("a plug-in may print")


@activations.add("soft")
def soft() -> Activation:
    \"\"\"z / sqrt(1 + z²).\"\"\"
    return Activation(lambda z: z / np.sqrt(1 + z * z), lambda z, x: (1 + z * z) ** -1.5)
"""

pytestmark = pytest.mark.slow


def results(place: str) -> dict[str, bytes]:
    """The weights and the epochs of each run below a directory."""
    files = [*Path(place).rglob("best.safetensors"), *Path(place).rglob("step-*.safetensors")]
    return {str(file.relative_to(place)): file.read_bytes() for file in files}


def test_the_bits_do_not_depend_on_the_number_of_processes(iris: Path) -> None:
    Path("soft.py").write_text(PLUGIN)
    arguments = ("--folds", 3, *SMALL, "--plugin", "soft.py", "--set", "network.activations=[soft, softmax]")
    one, two = (
        bptrain("fit", iris, *arguments, "--jobs", jobs, "--out", f"by-{jobs}", "--json") for jobs in (1, 2)
    )
    assert (one.code, two.code) == (0, 0), two.err
    assert results("by-1") == results("by-2")
    assert len(results("by-1")) >= 6
    assert (one.json["mean"], one.json["sd"]) == (two.json["mean"], two.json["sd"])
    assert [run["fold"] for run in two.json["runs"]] == [1, 2, 3]


def test_runs_of_seeds_are_numbered_in_their_order(iris: Path) -> None:
    seeds = bptrain("fit", iris, "--seeds", 3, *SMALL, "--jobs", 3, "--json").json["runs"]
    assert [run["run"] for run in seeds] == [f"runs/iris/00{k}" for k in (1, 2, 3)]


def test_what_fails_in_a_process_is_said_as_in_this_one(iris: Path) -> None:
    Path("bad.csv").write_text("a,species\n1,x\n?,y\n3,x\n4,y\n")
    arguments = ("--folds", 2, *SMALL, "--set", "data.train=bad.csv", "--set", "network.sizes=[auto,auto]",
                 "--set", "data.columns={a: numeric}")  # fmt: skip
    outcomes = [bptrain("fit", iris, *arguments, "--jobs", jobs) for jobs in (1, 2)]
    assert [outcome.code for outcome in outcomes] == [3, 3]
    assert outcomes[0].err.splitlines()[-1] == outcomes[1].err.splitlines()[-1]
    assert "bad.csv:3: error: column a has no value here" in outcomes[1].err
    assert not any(Path("runs/iris").iterdir())
    diverged = bptrain(
        "fit",
        iris,
        "--folds",
        2,
        *SMALL,
        "--jobs",
        2,
        "--out",
        "cv",
        "--set",
        "loss=half_squared_error",
        "--set",
        "network.activations=[identity, identity]",
        "--set",
        "optimizer.learning_rate=1e30",
    )
    assert diverged.code == 4
    assert "error: fold " in diverged.err
    assert "0 of 2 runs are finished; to continue, add --resume cv" in diverged.err


@contextmanager
def two_at_work(iris: Path) -> Iterator["subprocess.Popen[str]"]:
    """A cross-validation in a process of its own, with two folds that have trained for a while."""
    command = [
        sys.executable,
        "-c",
        SCRIPT,
        "fit",
        str(iris),
        "--folds",
        "3",
        *LONG,
        "--jobs",
        "2",
        "--out",
        "cv",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_for(lambda: all(Path("cv", f"fold-{k}", "metrics.jsonl").exists() for k in (1, 2)))
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(what: object) -> None:
    """Waits until something is so."""
    assert callable(what)
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def workers(parent: int) -> list[int]:
    """The processes that a process has started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    return [pid for pid, ppid in pairs if ppid == parent]


def is_there(pid: int) -> bool:
    """Whether a process has not ended."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def statuses() -> list[str]:
    """How the runs stand."""
    rows = bptrain("runs", "cv", "--json").json["runs"]
    return sorted(row["state"] for row in rows)


@pytest.mark.parametrize("to_all", [True, False])
def test_a_signal_stops_all_of_them_after_saving(iris: Path, to_all: bool) -> None:
    with two_at_work(iris) as process:
        if to_all:  # as a terminal does at Ctrl-C
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=120)
    assert process.returncode == (130 if to_all else 143)
    assert "stopped and saved; 0 of 3 runs are finished; to continue, add --resume cv" in err
    assert "Traceback" not in err
    assert statuses() == ["interrupted", "interrupted"]


def test_a_process_that_is_lost_is_named_and_the_rest_is_saved(iris: Path) -> None:
    with two_at_work(iris) as process:
        os.kill(workers(process.pid)[0], signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 6
    assert "its process has ended in the middle (SIGKILL, perhaps since memory ran out)" in err
    assert "error: fold " in err
    assert "to continue, add --resume cv" in err
    assert statuses() == ["interrupted", "killed"]
    on = bptrain(
        "fit", iris, *SMALL[2:], "--set", "training.stop_at={loss: 10}", "--resume", "cv", "--jobs", 2
    )
    assert on.code in (0, 5)


def test_no_process_outlives_its_parent(iris: Path) -> None:
    with two_at_work(iris) as process:
        children = workers(process.pid)
        process.kill()
        process.wait()
        assert len(children) == 2
        wait_for(lambda: not any(map(is_there, children)))
    assert statuses() == ["interrupted", "interrupted"]


class EndingParent(Parent):
    """A parent that ends stdin as soon as it hears that a fit is finished."""

    def __init__(self, stop: StopSignal) -> None:
        self.stop, self.busy, self.told = stop, True, list[dict[str, Any]]()

    def tell(self, message: dict[str, Any]) -> None:
        """What `_listen` does then."""
        self.told.append(message)
        if message.get("news") == "FitEnds" and self.busy:
            self.stop.note(signal.SIGTERM, None)


def test_a_fit_that_is_finished_is_not_stopped_by_the_end_of_stdin(iris: Path) -> None:
    planned = PlannedFit("seed 0", ["training.epochs=1", "training.engine=numpy"], Path("r"), goes_on=True)
    shared = {"config": str(iris), "each_epoch": False}
    for _ in range(2):  # the second time it was finished before
        stop = StopSignal()
        parent = EndingParent(stop)
        fit_one(parent, stop, shared, 0, planned)
        assert parent.told[-1]["news"] == "FitEnds"
        assert not any("failed" in message for message in parent.told)

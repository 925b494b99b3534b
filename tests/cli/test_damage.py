"""Damaged runs, full disks, signals at bad moments: the right exit code, one JSON object, and nothing lost."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.fit.follow import interrupts
from bptrain.errors import Interrupted
from bptrain.parts.losses import Loss, losses
from bptrain.store import checkpoint
from bptrain.store.run_directory import RunDirectory
from command import SCRIPT, bptrain, check_only, training_process


@pytest.fixture
def run(iris: Path) -> str:
    """A trained run."""
    path: str = bptrain("fit", iris, "--json").json["run"]
    return path


def test_a_checkpoint_file_is_evaluated_on_the_data_of_its_own_run(run: str, iris: Path) -> None:
    other = bptrain("fit", iris, "--set", "seed=7", "--json").json["run"]
    file = f"{run}/best.safetensors"
    own = bptrain("eval", run, "--json").json
    alone = bptrain("eval", "--checkpoint", file, "--json").json
    assert alone["run"] == run
    assert alone["metrics"] == own["metrics"]
    assert alone["loss"] == own["loss"]
    step = RunDirectory(Path(run)).checkpoints()[-1]
    assert bptrain("eval", "--checkpoint", step, "--json").json["run"] == run
    wrong = bptrain("eval", other, "--checkpoint", file)
    assert wrong.code == 5
    assert f"belongs to {run}" in wrong.err
    copied = Path(other, "checkpoints", "step-000000009999.safetensors")
    shutil.copy(file, copied)
    assert "other settings" in bptrain("eval", other, "--checkpoint", copied).err


def test_a_lone_checkpoint_needs_a_data_file(run: str, iris: Path) -> None:
    shutil.copy(f"{run}/best.safetensors", "lone.safetensors")
    assert bptrain("eval", "--checkpoint", "lone.safetensors").code == 5
    source = iris.read_text().split("train: ")[1].split(",")[0]
    named = bptrain("eval", run, "--checkpoint", "lone.safetensors", "--json").json
    assert named["metrics"] == bptrain("eval", run, "--json").json["metrics"]
    record = bptrain("eval", "--checkpoint", "lone.safetensors", "--data", source, "--json").json
    assert record["run"] is None
    assert record["rows"] == 150


@pytest.mark.parametrize("command", ["eval", "gradcheck"])
def test_data_that_has_changed_since(iris: Path, command: str) -> None:
    text = iris.read_text()
    source = text.split("train: ")[1].split(",")[0]
    shutil.copy(source, "iris.csv")
    iris.write_text(text.replace(source, "iris.csv"))
    run = bptrain("fit", iris, "--json").json["run"]
    Path("iris.csv").write_text(Path("iris.csv").read_text().replace("5.1,3.5", "5.2,3.5", 1))
    outcome = bptrain(command, run)
    assert outcome.code == 3
    assert "has changed" in outcome.err


@pytest.mark.parametrize("command", ["eval", "gradcheck"])
@pytest.mark.parametrize("config", [None, "{torn", "seed: x\n"])
def test_a_run_without_a_sound_config(run: str, command: str, config: str | None) -> None:
    file = Path(run, "config.yaml")
    file.unlink()
    if config is not None:
        file.write_text(config)
    outcome = bptrain(command, run, "--json")
    assert outcome.code == 5
    assert outcome.json["ok"] is False


@pytest.mark.parametrize("result", ["null", "[]", '{"best": null}', '{"best": [1]}'])
def test_inspect_reads_a_run_json_with_another_result(result: str, run: str) -> None:
    """Without the figures that stand there."""
    Path(run, "run.json").write_text(f'{{"status": "finished", "result": {result}}}')
    assert bptrain("inspect", run).code == 0


def test_a_run_json_that_has_lost_its_result(run: str, iris: Path) -> None:
    Path(run, "run.json").write_text('{"status": "finished"}')
    outcome = bptrain("fit", iris, "--resume", run, "--json")
    assert outcome.code == 0
    assert outcome.json["epochs"] == 6


def test_a_run_that_was_moved(run: str, iris: Path) -> None:
    shutil.move(run, "moved")
    outcome = bptrain("fit", iris, "--resume", "moved")
    assert outcome.out.splitlines()[-1] == "moved"
    assert "is finished" in outcome.err
    assert "accuracy" in outcome.out


def test_auto_is_not_stopped_by_a_ruined_run(run: str, iris: Path) -> None:
    for file in RunDirectory(Path(run)).checkpoints():
        file.write_bytes(b"ruined")
    outcome = bptrain("fit", iris, "--resume", "auto", "--json")
    assert outcome.code == 0
    assert outcome.json["run"] == "runs/iris/002"
    named = bptrain("fit", iris, "--resume", run)
    assert named.code == 5
    assert named.err.count("error:") == 1


def test_auto_prefers_an_unfinished_run(iris: Path) -> None:
    from bptrain.commands.fit.fit import fit_events

    events = fit_events(iris)
    next(events)
    events.close()
    assert bptrain("fit", iris, "--json").json["run"] == "runs/iris/002"
    outcome = bptrain("fit", iris, "--resume", "auto", "--json")
    assert outcome.json["run"] == "runs/iris/001"


def test_a_damaged_checkpoint_does_not_push_out_the_sound_one(iris: Path) -> None:
    """With keep: 1 a torn newest file would otherwise be the one that is kept."""
    from bptrain.commands.fit.fit import fit_events

    overrides = {"checkpoint.every": {"epochs": 1}, "checkpoint.keep": 2}
    list(fit_events(iris, overrides, Path("run")))
    files = RunDirectory(Path("run")).checkpoints()
    files[-1].write_bytes(b"torn")
    events = fit_events(iris, {"checkpoint.keep": 1}, Path("run"), resume="run")
    next(events)
    assert files[0].exists()
    assert not files[1].exists()
    assert files[1].with_name(files[1].name + ".damaged").exists()
    events.close()


def test_a_schedule_that_spans_all_epochs_is_warned_of(iris: Path) -> None:
    options = ["--set", "schedule=cosine"]
    run = bptrain("fit", iris, *options, "--json").json["run"]
    longer = bptrain("fit", iris, *options, "--set", "training.epochs=9", "--resume", run)
    assert longer.code == 0
    assert "[schedule_span]" in longer.err


def test_resume_and_out(run: str, iris: Path) -> None:
    assert bptrain("fit", iris, "--resume", run, "--out", "elsewhere").code == 2
    for option in (["--seeds", "3"], ["--out", "x"], ["--resume", "auto"]):
        assert bptrain("fit", iris, "--dry-run", *option).code == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("json_option", [[], ["--json"]])
@pytest.mark.parametrize("command", ["eval", "fit"])
def test_a_full_disk_behind_stdout(run: str, iris: Path, command: str, json_option: list[str]) -> None:
    subject = run if command == "eval" else str(iris)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, command, subject, *json_option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 6, done.stderr
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_behind_stderr_ends_no_run(iris: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "fit", str(iris), "--json"],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    assert json.loads(done.stdout)["epochs"] == 6


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "nothing was changed"),
        (MemoryError("Unable to allocate 3.64 TiB"), 2, "3.64 TiB"),
        (OSError(5, "Input/output error"), 6, "Input/output error"),
    ],
    ids=str,
)
def test_before_training(
    iris: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, words: str
) -> None:
    def broken(*arguments: object) -> None:
        raise raised

    monkeypatch.setattr("bptrain.commands.fit.ready.initial_weights", broken)
    outcome = bptrain("fit", iris, "--json")
    assert outcome.code == code
    assert words in outcome.err
    assert outcome.json["ok"] is False
    assert not Path("runs").exists()


def test_terminated_before_training(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminate(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("bptrain.commands.fit.fit.open_fit", terminate)
    outcome = bptrain("fit", iris, "--json")
    assert outcome.code == 143
    assert outcome.json["errors"]


def test_a_second_signal_acts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not within a second of the first, and not while the run is saved."""
    before = signal.getsignal(signal.SIGINT)
    with interrupts() as pending:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        assert pending.signal == signal.SIGINT
        monkeypatch.setattr("bptrain.commands.fit.follow.AT_ONCE_AFTER", 0.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert pending.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("gap", [0.0, 0.002, 0.01])
@pytest.mark.slow
def test_a_signal_that_comes_twice(iris: Path, gap: float) -> None:
    """A wrapper or a process group may double a Ctrl-C: the run is saved all the same."""
    options = [
        "--set",
        "training.epochs=100000",
        "--set",
        "training.mode=sgd",
        "--set",
        "training.engine=numpy",
    ]
    process = training_process(iris, *options, out="run")
    metrics = Path("run/metrics.jsonl")
    process.send_signal(signal.SIGINT)
    time.sleep(gap)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    # Sent at once, either may be delivered first: to a process of several threads the system promises no order.
    assert process.returncode in ({130} if gap else {130, 143})
    assert "stopped and saved" in err
    run = RunDirectory(Path("run"))
    assert run.read_record()["status"] == "interrupted"
    epochs = len(metrics.read_text().splitlines())
    assert checkpoint.read(run.checkpoints()[-1]).position["epoch"] == epochs > 0


def test_best_weights_without_their_file(run: str, iris: Path) -> None:
    best = Path(run, "best.safetensors")
    content = best.read_bytes()
    before = bptrain("eval", run, "--json").json
    best.unlink()
    after = bptrain("eval", run, "--json").json
    assert after["metrics"] == before["metrics"]
    assert after["loss"] == before["loss"]
    assert bptrain("fit", iris, "--resume", run).code == 0  # finished: nothing to do but to repair
    assert best.read_bytes() == content
    best.write_bytes(b"")
    assert bptrain("eval", run).code == 5
    assert bptrain("fit", iris, "--resume", run).code == 0
    assert best.read_bytes() == content


def test_a_kill_between_the_last_checkpoint_and_the_best_file(iris: Path) -> None:
    """The stale best file of an earlier epoch, and a status that says running: the next resume mends both."""
    from bptrain.commands.fit.fit import fit_events

    stale = b""
    for event in fit_events(iris, {"checkpoint.every": {"epochs": 1}}, Path("run")):
        if getattr(event, "epoch", 0) == 2:
            stale = Path("run/best.safetensors").read_bytes()
    run, sound = RunDirectory(Path("run")), Path("run/best.safetensors").read_bytes()
    assert stale != sound
    run.best.write_bytes(stale)
    record = run.read_record()
    del record["result"]
    run.write_record(record | {"status": "running"})
    options = ["--set", "checkpoint.every={epochs: 1}", "--json"]
    done = bptrain("fit", iris, "--resume", "run", *options).json
    assert run.best.read_bytes() == sound
    assert run.read_record()["status"] == "finished"
    assert run.read_record()["result"]["best"] == done["best"]


@pytest.mark.parametrize("line", [b'{"epoch": "x"}\n', b"\xff\xfe\n", b"[1]\n", b'{"epoch": 3}'])
def test_damaged_metrics_stop_no_resume(iris: Path, line: bytes) -> None:
    from bptrain.commands.fit.fit import fit_events

    events = fit_events(iris, {"checkpoint.every": {"epochs": 1}}, Path("run"))
    for _ in range(4):  # Started, and three epochs
        next(events)
    events.close()
    metrics = Path("run/metrics.jsonl")
    whole = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(whole[0] + whole[1] + line)
    assert bptrain("fit", iris, "--resume", "run").code == 0
    lines = metrics.read_text().splitlines()
    assert [json.loads(text)["epoch"] for text in lines] == [1, 2, 4, 5, 6]


def test_fewer_epochs_than_were_done(run: str, iris: Path) -> None:
    outcome = bptrain("fit", iris, "--resume", run, "--set", "training.epochs=3")
    assert outcome.code == 5
    assert "has done 6 epochs, more than training.epochs: 3" in outcome.err


def test_auto_passes_over_a_run_of_another_version(
    run: str, iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose stored config this version cannot read is no reason to fail."""
    from bptrain.parts.losses import losses

    @losses.add("dross_entropy")
    def dross_entropy() -> Loss:
        """As half_squared_error."""
        return losses.get("half_squared_error")()

    try:
        stopped = bptrain(
            "fit", iris, "--set", "loss=dross_entropy", "--set", "task=classification", "--json"
        ).json["run"]
    finally:
        losses.remove("dross_entropy")
    assert stopped == "runs/iris/002"
    assert bptrain("fit", iris, "--resume", "auto", "--json").json["run"] == run


def test_out_leaves_a_users_config_alone(iris: Path) -> None:
    """A directory that holds the user's own config.yaml is not empty."""
    Path("mine").mkdir()
    own = Path("mine/config.yaml")
    own.write_text("# mine\n" + iris.read_text())
    assert bptrain("fit", own, "--out", "mine").code == 2
    assert own.read_text().startswith("# mine")


def test_out_takes_what_a_killed_start_has_left(iris: Path) -> None:
    Path("run/checkpoints").mkdir(parents=True)
    Path("run/checkpoints/.step-000000000000.safetensors.tmp").write_bytes(b"torn")
    assert bptrain("fit", iris, "--out", "run").code == 0
    assert not list(Path("run").rglob("*.tmp"))


def test_gradcheck_of_a_checkpoint_file(run: str) -> None:
    file = RunDirectory(Path(run)).checkpoints()[-1]
    assert bptrain("gradcheck", file, "--json").json["max_relative_error"] < 1e-12
    shutil.copy(file, "lone.safetensors")
    assert bptrain("gradcheck", "lone.safetensors").code == 5


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
@pytest.mark.parametrize("closed", ["1>&-", "2>&-"])
def test_closed_streams(iris: Path, closed: str) -> None:
    command = f"exec {shlex.join([sys.executable, '-c', SCRIPT, 'fit', str(iris)])} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("runs/iris/001/best.safetensors").exists()
    assert "bug" not in done.stdout + done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_into_a_full_disk(option: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 6
    assert "Traceback" not in done.stderr


def test_the_api_raises_interrupted_after_saving(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bptrain as package
    from bptrain.training import evaluation

    evaluate = evaluation.evaluate

    def interrupt(*arguments: Any) -> evaluation.Evaluation:
        os.kill(os.getpid(), signal.SIGINT)
        return evaluate(*arguments)

    monkeypatch.setattr("bptrain.training.trainer.evaluate", interrupt)
    with pytest.raises(Interrupted, match=r"stopped and saved after epoch 1; .*--resume"):
        package.fit(iris, out="stopped")
    assert RunDirectory(Path("stopped")).read_record()["status"] == "interrupted"


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_a_wrong_dE_is_caught_without_an_argument(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canonical pair never uses dE, so the pair is also checked as if it were none."""
    right = losses.get(name)()

    def wrong() -> Loss:
        """dE twice too large."""
        return right._replace(dE=lambda x, t: 2.0 * right.dE(x, t))

    monkeypatch.setitem(
        losses._factories, name, wrong
    )  # in its place: the order is that of the pages of docs
    check_only(monkeypatch, lambda combination: combination.loss == name)
    assert bptrain("gradcheck", "--fail-fast").code == 1

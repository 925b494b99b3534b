"""Runs that use plug-ins: what they keep of them, and what it takes to use them again."""

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain as package
from bptrain.commands.gradcheck.run import GradcheckResult
from bptrain.errors import CheckpointError, UsageError
from bptrain.plugins import activations
from bptrain.plugins.loading import plugged_in
from bptrain.store import checkpoint
from command import SCRIPT, bptrain, check_only
from engines.installed import ENGINES
from plugins.files import LOG_COSH, naming, write

OTHER = LOG_COSH + "# a line more\n"


@pytest.fixture
def mine(workplace: Path) -> Path:
    """A plug-in in the current directory."""
    write(workplace, LOG_COSH)
    return Path("mine.py")


@pytest.fixture
def config(iris: Path, mine: Path) -> Path:
    """A config that names its part."""
    return naming(iris)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def trained(config: Path, mine: Path, *more: object) -> Path:
    fit = bptrain("fit", config, "--plugin", mine, "--out", "run", *more, "--json")
    assert fit.code == 0, fit.err
    return Path(fit.json["run"])


def record(file: Path) -> list[dict[str, Any]]:
    return [{"file": file.name, "sha256": digest(file), "parts": [["activation", "ln_cosh"]]}]


def test_a_part_is_there_as_long_as_a_command_lasts(config: Path, mine: Path) -> None:
    assert bptrain("gradcheck", config, "--plugin", mine).code == 0
    assert "ln_cosh" not in activations
    assert bptrain("gradcheck", config).code == 2


def test_what_is_kept(config: Path, mine: Path) -> None:
    """Of the plug-ins that the config uses, and no others: name, digest and parts, and no path."""
    unused = write(mine.parent, LOG_COSH.replace("ln_cosh", "unused"), "unused.py")
    run = trained(config, mine, "--plugin", unused)
    assert json.loads((run / "run.json").read_text())["plugins"] == record(mine)
    for file in (run / "best.safetensors", *(run / "checkpoints").iterdir()):
        assert list(checkpoint.read(file).facts.plugins) == record(mine)
        assert str(Path.cwd()).encode() not in file.read_bytes()
    best = (run / "best.safetensors").read_bytes()
    trained(config, mine, "--overwrite")
    assert (run / "best.safetensors").read_bytes() == best


def test_without_plugins_nothing_is_kept(iris: Path, mine: Path) -> None:
    run = package.fit(iris, plugins=[mine]).path
    assert json.loads((run / "run.json").read_text())["plugins"] == []
    assert bptrain("eval", run).code == 0


@pytest.mark.parametrize(
    "command",
    [
        ["eval", "run"],
        ["eval", "run", "--checkpoint", "last"],
        ["gradcheck", "run"],
        ["gradcheck", "run/best.safetensors"],
        ["fit", "iris.yaml", "--resume", "run"],
        ["fit", "iris.yaml", "--resume", "auto", "--out", "run"],
    ],
    ids=" ".join,
)
def test_a_plugin_that_is_missing(command: list[str], config: Path, mine: Path) -> None:
    """Exit code 5: which part, which file with its digest, and what to type."""
    trained(config, mine)
    missing = bptrain(*command, "--json")
    assert missing.code == 5, missing.err
    (error,) = missing.json["errors"]
    assert error["code"] == "missing_plugin"
    for words in ("run", "activation ln_cosh", "mine.py", digest(mine), "add --plugin mine.py"):
        assert words in error["message"]
    assert bptrain(*command, "--plugin", mine).code == 0


def test_a_config_whose_part_is_missing(config: Path) -> None:
    outcome = bptrain("fit", config)
    assert outcome.code == 2
    assert "add your own with --plugin FILE" in outcome.err
    config.write_text(config.read_text().replace("ln_cosh", "tanhh"))
    assert "--plugin" not in bptrain("fit", config).err  # tanh was meant
    config.write_text(config.read_text().replace("tanhh", "tanh") + "silence: [nothing_like_it]\n")
    assert "--plugin" not in bptrain("fit", config).err  # no plug-in has warnings


def test_a_plugin_that_has_changed(config: Path, mine: Path) -> None:
    """It does for eval and gradcheck, with a warning that has a name; a run does not go on with it."""
    run = trained(config, mine)
    before = digest(mine)
    write(mine.parent, OTHER)
    for command in (["eval", run], ["gradcheck", run], ["gradcheck", run / "best.safetensors"]):
        outcome = bptrain(*command, "--plugin", mine)
        assert outcome.code == 0
        assert "[other_plugin]" in outcome.err
        assert before[:12] in outcome.err
        assert digest(mine)[:12] in outcome.err
    for resume in (["--resume", run], ["--resume", "auto", "--out", run]):
        refused = bptrain("fit", config, *resume, "--set", "training.epochs=9", "--plugin", mine)
        assert refused.code == 5
        assert "cannot be resumed with parts other than" in refused.err
    write(mine.parent, LOG_COSH, "renamed.py")  # the content counts, not the name
    went_on = bptrain(
        "fit", config, "--resume", run, "--set", "training.epochs=9", "--plugin", "renamed.py", "--json"
    )
    assert went_on.code == 0, went_on.err
    assert went_on.json["epochs"] == 9


def test_the_warning_is_silenced_by_its_name(config: Path, mine: Path) -> None:
    config.write_text(config.read_text() + "silence: [other_plugin]\n")
    run = trained(config, mine)
    write(mine.parent, OTHER)
    assert bptrain("eval", run, "--plugin", mine).err == ""


def test_a_part_that_bptrain_has_by_now(config: Path, mine: Path) -> None:
    run = trained(config, mine)
    with plugged_in([mine]):
        factory = activations.get("ln_cosh")
    activations.add("ln_cosh")(factory)
    try:
        outcome = bptrain("eval", run)
        assert outcome.code == 0
        assert "now comes from bptrain" in outcome.err
        assert bptrain("fit", config, "--resume", run).code == 5
    finally:
        activations.remove("ln_cosh")


def test_a_checkpoint_from_before_there_were_plugins(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = checkpoint.Facts._asdict

    def without_plugins(facts: checkpoint.Facts) -> dict[str, Any]:
        return {key: value for key, value in older(facts).items() if key != "plugins"}

    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoint.Facts, "_asdict", without_plugins)
        run = package.fit(iris).path
    assert not any(b"plugins" in file.read_bytes() for file in run.rglob("*.safetensors"))
    assert bptrain("eval", run).code == 0
    assert bptrain("fit", iris, "--resume", run, "--set", "training.epochs=8").code == 0


def test_the_next_command_names_the_plugin(config: Path, mine: Path) -> None:
    fit = bptrain("fit", config, "--plugin", mine)
    assert fit.err.splitlines()[-1] == f"next: bptrain eval {fit.out.splitlines()[-1]} --plugin mine.py"


def test_every_command_takes_it(config: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_only(monkeypatch, lambda combination: combination.loss == "half_squared_error")
    assert "ln_cosh: f(z) = scale ln cosh z" in bptrain("explain", config, "--plugin", mine).out
    listed = bptrain("list", "--plugin", mine, "--json").json
    (own,) = [part for part in listed["activations"] if part["plugin"] is not None]
    assert (own["name"], own["plugin"], own["formula"]) == ("ln_cosh", "mine.py", "scale ln cosh z")
    assert "from the plug-in mine.py" in bptrain("list", "activations", "--plugin", mine).out
    assert bptrain("fit", config, "--plugin", mine, "--dry-run").code == 0
    seeds = bptrain("fit", config, "--plugin", mine, "--seeds", 2, "--jobs", 1, "--json")
    assert len(seeds.json["runs"]) == 2
    everything = bptrain("gradcheck", "--plugin", mine, "--json")
    assert any("ln_cosh" in layer["parts"] for layer in everything.json["layers"])


@pytest.mark.parametrize("key", ["plugin", "plugins"])
def test_no_config_brings_a_plugin_along(key: str, config: Path, mine: Path) -> None:
    config.write_text(config.read_text() + f"{key}: [mine.py]\n")
    outcome = bptrain("fit", config)
    assert outcome.code == 2
    assert f"{key}: the config has no such key" in outcome.err


def test_a_file_is_run_once_and_again_when_it_has_changed(config: Path, mine: Path) -> None:
    text = "import sys\nsys.counted = getattr(sys, 'counted', 0) + 1\n" + LOG_COSH
    write(mine.parent, text)
    try:
        for _ in range(3):
            assert bptrain("gradcheck", config, "--plugin", mine, "--plugin", "./mine.py").code == 0
        assert vars(sys)["counted"] == 1
        write(mine.parent, text.replace("np.tanh(z)", "np.tanh(x)"))  # of the same length
        assert bptrain("gradcheck", config, "--plugin", mine).code == 1
        assert vars(sys)["counted"] == 2
    finally:
        del vars(sys)["counted"]


def test_a_process_of_its_own(config: Path, mine: Path) -> None:
    """The installed command, where the working directory is not on Python's path."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "gradcheck", config, "--plugin", mine], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


# --- Python -------------------------------------------------------------------------------------------


def test_from_python(config: Path, mine: Path) -> None:
    report = package.gradcheck(config, plugins=[mine])
    assert isinstance(report, GradcheckResult)
    assert report.passed
    run = package.fit(config, {"training.epochs": 40}, plugins=[str(mine)])
    with pytest.raises(CheckpointError, match=r"--plugin mine\.py"):
        package.load(run.path)
    model = package.load(run.path, plugins=[mine])
    assert "ln_cosh" not in activations
    assert model.predict([[5.1, 3.5, 1.4, 0.2]]).tolist() == ["setosa"]  # it keeps its own
    with pytest.raises(CheckpointError, match=r"--plugin mine\.py"):
        package.gradcheck(model)  # which reads the data of the run again, and its config
    again = package.gradcheck(model, plugins=[mine])
    assert isinstance(again, GradcheckResult)
    assert again.passed
    write(mine.parent, OTHER)
    with pytest.warns(UserWarning, match=r"\[other_plugin\]"):
        other = package.load(run.path, plugins=[mine])
    with pytest.warns(UserWarning, match=r"\[other_plugin\]"):
        package.gradcheck(run.path, plugins=[mine])
    np.testing.assert_array_equal(
        other.outputs([[5.1, 3.5, 1.4, 0.2]]), model.outputs([[5.1, 3.5, 1.4, 0.2]])
    )


def test_an_error_in_a_formula_is_a_usage_error_with_its_cause(config: Path, mine: Path) -> None:
    write(mine.parent, LOG_COSH.replace("np.tanh(z)", "np.tan_h(z)"))
    with pytest.raises(UsageError, match=r"mine.py:12: error: df raised AttributeError") as raised:
        package.fit(config, plugins=[mine])
    assert isinstance(raised.value.__cause__, AttributeError)


def test_calls_within_calls_and_in_threads(config: Path, mine: Path) -> None:
    """The parts stay until the last of those that use them has ended."""
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with plugged_in([mine]):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert inside.wait(60)
        with plugged_in([mine]), plugged_in([mine.absolute()]):
            pass
        assert "ln_cosh" in activations
    finally:
        leave.set()
        thread.join()
    assert "ln_cosh" not in activations


@pytest.mark.skipif("numba" not in ENGINES, reason="the extra fast is not installed")
def test_the_compiled_engine_reads_it(config: Path, mine: Path) -> None:
    """Formulas are written out from the text that was read, whatever lies in the file by then."""
    with plugged_in([mine]):
        write(mine.parent, "# another text by now, which nobody has read\n" + LOG_COSH)
        from bptrain.commands.explain import kernel

        text = kernel(config)
    assert "tanh" in text
    write(mine.parent, LOG_COSH)
    run = trained(config, mine, "--set", "training.engine=numba")
    assert json.loads((run / "run.json").read_text())["engine"] == "numba"
    model = package.load(run, plugins=[mine])
    assert model.predict([[5.1, 3.5, 1.4, 0.2]] * 3).shape == (3,)


@pytest.mark.skipif("numba" not in ENGINES, reason="the extra fast is not installed")
def test_what_cannot_be_compiled_is_left_to_numpy(config: Path, mine: Path) -> None:
    write(mine.parent, LOG_COSH.replace("np.log(np.cosh(z))", "np.log(np.cosh(np.sort(z, axis=0)))"))
    refused = bptrain("fit", config, "--plugin", mine, "--set", "training.engine=numba")
    assert refused.code == 2
    assert "ln_cosh" in refused.err
    assert "not compiled" in refused.err


def test_a_scaler_of_a_single_column_is_kept(workplace: Path) -> None:
    """The run asks for its plug-in again, whatever else the config says of its columns."""
    own = "@scalers.add('own')\ndef own():\n    return lambda rows: Affine(0 * rows[0], 1 + 0 * rows[0], 'log')\n"
    Path("own.py").write_text(f"from bptrain.plugins import Affine, scalers\n\n\n{own}")
    Path("d.csv").write_text("a,b,y\n" + "".join(f"{k + 1},{k % 5},{k}\n" for k in range(40)))
    columns = "columns: {a: {scale: own}, b: numeric}"
    Path("c.yaml").write_text(
        f"data: {{train: d.csv, target: y, {columns}}}\nnetwork: {{sizes: [auto, 2, auto]}}\n"
        "loss: half_squared_error\ntraining: {epochs: 2, engine: numpy}\n"
    )
    run = bptrain("fit", "c.yaml", "--plugin", "own.py", "--json").json["run"]
    refused = bptrain("eval", run)
    assert refused.code == 5
    assert "needs the scaler own of the plug-in own.py" in refused.err
    assert bptrain("eval", run, "--plugin", "own.py").code == 0

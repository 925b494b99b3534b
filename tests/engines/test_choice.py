"""Which engine a fit takes, what it says of it, and that it stays with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.engines import numba_engine, registry
from bptrain.engines.choice import choose_engine, make_engine, worthwhile
from bptrain.engines.numba_engine import seconds_saved
from bptrain.errors import UsageError
from bptrain.parts.activations import Activation, activations
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from command import bptrain
from engines.installed import needs_compiler, plan_of
from networks import network

SMALL = plan_of(network((4, 8, 3)), rows=100, batch=10, epochs=5)
LONG = plan_of(network((4, 8, 3)), rows=100_000, batch=10, epochs=500)


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not there."""
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "numba" else name)


@pytest.fixture
def compiling_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that `auto` takes the compiled engine for the smallest work."""
    compiling_takes(monkeypatch, 0.0)


def compiling_takes(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """As if compiling took so long."""
    entry = replace(numba_engine.ENTRY, compile_seconds=lambda plan: seconds)
    monkeypatch.setattr(numba_engine, "ENTRY", entry)


@pytest.fixture
def odd_activation() -> Iterator[None]:
    """A part that has no way to be compiled."""

    @activations.add("odd")
    def odd() -> Activation:
        """z, the long way."""

        def f(z: Array) -> Array:
            return np.sort(z[..., ::-1], axis=-1) * 0 + z

        def df(z: Array, x: Array) -> Array:
            return np.ones_like(z)

        return Activation(f, df)

    yield
    activations.remove("odd")


def test_auto_counts_what_is_saved() -> None:
    assert choose_engine("auto", SMALL, np.float32) == (
        "numpy",
        "auto: compiling would not pay off for 50 updates",
    )
    larger = LONG._replace(batch_size=100)
    assert seconds_saved(SMALL) < seconds_saved(larger) < seconds_saved(LONG)


def test_auto_counts_the_time_that_a_run_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of one second cannot save more than that, however many epochs it might have."""
    compiling_takes(monkeypatch, 2.0)
    assert choose_engine("auto", LONG._replace(max_time=1.0), np.float32) == (
        "numpy",
        "auto: compiling would not pay off for 5,000,000 updates, at most 1 s (training.max_time)",
    )
    assert worthwhile(LONG._replace(max_time=3.0)) == worthwhile(LONG) == ["numba"]


def test_auto_expects_early_stopping_to_end_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    compiling_takes(monkeypatch, 2.0)
    stopped = LONG._replace(rows=100, epochs=10**9)
    assert worthwhile(stopped) == ["numba"]
    assert choose_engine("auto", stopped._replace(patience=10), np.float32) == (
        "numpy",
        "auto: compiling would not pay off for 1,000 updates, 10 times the patience of training.early_stopping",
    )
    assert worthwhile(stopped._replace(patience=10**8)) == ["numba"]
    assert choose_engine("auto", SMALL._replace(patience=5), np.float32).reason == (
        "auto: compiling would not pay off for 50 updates"
    )


def test_the_config_says_how_long_a_run_may_take(iris: Path) -> None:
    limits = ["--set", "training.epochs=1000000000", "--set", "training.max_time=0.2"]
    fit = bptrain("fit", iris, *limits, "--json")
    assert fit.json["stopped"] == "max_time"
    assert fit.json["engine"] == "numpy"
    assert "updates, at most 0.2 s (training.max_time))" in fit.err
    patient = bptrain("validate", iris, *limits[:2], "--set", "training.early_stopping={patience: 3}")
    assert "10 times the patience of training.early_stopping" in " ".join(patient.out.split())


def test_numpy_by_text() -> None:
    assert choose_engine("numpy", LONG, np.float32) == ("numpy", "as the config says")


@needs_compiler
def test_auto_compiles_where_it_pays() -> None:
    name, reason = choose_engine("auto", LONG, np.float32)
    assert name == "numba"
    assert reason == "auto: compiling pays off for 5,000,000 updates"


@pytest.mark.usefixtures("not_installed")
def test_without_the_extra() -> None:
    name, reason = choose_engine("auto", LONG, np.float32)
    assert name == "numpy"
    assert "numba is not installed; pip install 'bptrain[fast]' would save about" in reason
    assert "s over 5,000,000 updates" in reason
    assert choose_engine("auto", SMALL, np.float32).name == "numpy"
    with pytest.raises(UsageError, match=r"pip install 'bptrain\[fast\]'") as raised:
        choose_engine("numba", SMALL, np.float32)
    assert raised.value.problems[0].path == "training.engine"


@needs_compiler
def test_a_run_stays_with_its_engine() -> None:
    assert choose_engine("auto", LONG, np.float32, "numpy").name == "numpy"
    assert choose_engine("auto", SMALL, np.float32, "numba") == (
        "numba",
        "auto: the engine that the run was started with",
    )


@needs_compiler
@pytest.mark.usefixtures("odd_activation")
def test_what_cannot_be_compiled_is_left_to_numpy_by_text() -> None:
    plan = LONG._replace(network=network((4, 8, 3), ["odd", "identity"]))
    name, reason = choose_engine("auto", plan, np.float32)
    assert name == "numpy"
    assert "odd: no way to compile: z[..., ::-1]" in reason
    with pytest.raises(UsageError, match="odd: no way to compile"):
        choose_engine("numba", plan, np.float32)


@needs_compiler
def test_what_numba_does_not_know_is_left_to_numpy() -> None:
    """A schedule is handed to Numba as it stands."""

    @schedules.add("by_text")
    def by_text() -> Any:
        """1, from a tuple of two kinds."""

        def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
            return float((1.0, "one")[step % 1])  # a text after a number

        return factor

    try:
        plan = LONG._replace(schedule=schedules.get("by_text")())
        taken = choose_engine("auto", plan, np.float32)
        assert taken.name == "numba"
        engine, after = make_engine(taken, "auto", plan, np.float32)
        assert engine.name == after.name == "numpy"
        assert "Numba cannot compile" in after.reason
        with pytest.raises(UsageError, match="Numba cannot compile"):
            make_engine(taken, "numba", plan, np.float32)
    finally:
        schedules.remove("by_text")


@needs_compiler
def test_a_fit_says_which_engine_and_why(iris: Path) -> None:
    fit = bptrain("fit", iris, "--set", "training.engine=numba", "--json")
    assert fit.code == 0
    assert fit.json["engine"] == "numba"
    assert fit.json["compile_seconds"] > 0
    assert "engine: numba (as the config says)" in fit.err
    again = bptrain("fit", iris, "--set", "training.engine=numba")
    assert "compiling" not in again.err
    evaluated = bptrain("eval", fit.json["run"], "--json").json
    assert evaluated["loss"] == fit.json["best"]["loss"]["test"]
    assert "engine: numpy (auto: " in bptrain("fit", iris).err


@pytest.mark.usefixtures("not_installed")
def test_a_config_that_needs_the_extra_points_at_its_line(iris: Path) -> None:
    iris.write_text(iris.read_text().replace("epochs: 6", "epochs: 6, engine: numba"))
    wrong = bptrain("fit", iris)
    assert wrong.code == 2
    assert "iris.yaml:5:" in wrong.err
    assert "pip install 'bptrain[fast]'" in wrong.err
    assert not Path("runs").exists()
    assert bptrain("gradcheck", iris).code == 2


@needs_compiler
@pytest.mark.usefixtures("compiling_is_free")
def test_a_run_that_goes_on_keeps_its_engine(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bptrain("fit", iris, "--out", "run", "--json")
    assert first.json["engine"] == "numba"
    compiling_takes(monkeypatch, 1e9)
    longer = bptrain("fit", iris, "--set", "training.epochs=8", "--resume", "run", "--json")
    assert longer.json["engine"] == "numba"
    assert "the engine that the run was started with" in longer.err
    assert "other_bits" not in longer.err


@needs_compiler
@pytest.mark.usefixtures("compiling_is_free")
def test_a_run_whose_engine_is_gone_goes_on_with_a_warning(
    iris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bptrain("fit", iris, "--out", "run")
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    longer = bptrain("fit", iris, "--set", "training.epochs=8", "--resume", "run", "--json")
    assert longer.code == 0
    assert longer.json["engine"] == "numpy"
    assert "other_bits" in longer.err
    assert bptrain("eval", "run").code == 0


@needs_compiler
def test_a_divergence_is_named_by_a_replay(iris: Path) -> None:
    wrong = bptrain("fit", iris, "--set", "training.engine=numba", "--set", "optimizer.learning_rate=1e38")
    assert wrong.code == 4
    assert "training diverged in epoch 1, step" in wrong.err


@needs_compiler
@pytest.mark.slow
def test_gradcheck_judges_the_compiled_engine(iris: Path) -> None:
    """A wrong derivative is compiled as it is written, and caught."""

    @activations.add("slip")
    def slip() -> Activation:
        """tanh with a slip of a millionth."""

        def f(z: Array) -> Array:
            return np.tanh(z)

        def df(z: Array, x: Array) -> Array:
            return 1.000001 * (1.0 - x * x)

        return Activation(f, df)

    iris.write_text(iris.read_text().replace("epochs: 6", "epochs: 6, engine: numba"))
    try:
        right = bptrain("gradcheck", iris, "--json")
        assert right.code == 0
        assert right.json["max_relative_error"] < 1e-12
        iris.write_text(iris.read_text().replace("[4, 6, 3]", "[4, 6, 3], activations: [slip, softmax]"))
        wrong = bptrain("gradcheck", iris, "--json")
        assert wrong.code == 1
        assert [layer["verdict"] for layer in wrong.json["layers"]] == [
            "mismatch",
            "mismatch",
            "pass",
            "pass",
        ]
    finally:
        activations.remove("slip")


def test_the_kernel_can_be_read(iris: Path) -> None:
    shown = bptrain("explain", "--kernel", iris)
    assert shown.code == 0
    assert "def run_slice(w, X, T, scratch, batch, t, rates, epoch, steps_per_epoch, epochs):" in shown.out
    compile(shown.out, "kernel", "exec")
    assert bptrain("explain", "--kernel", iris, "--json").json["kernel"] == shown.out
    large = bptrain("explain", "--kernel", iris, "--set", "training.mode=sgd")
    assert "for a in range(len(X)):" in large.out


@pytest.mark.usefixtures("odd_activation")
def test_a_kernel_that_cannot_be_written(iris: Path) -> None:
    shown = bptrain("explain", "--kernel", iris, "--set", "network.activations=[odd, softmax]")
    assert shown.code == 2
    assert "no loop can be generated: odd" in shown.err

"""What `bptrain gradcheck` does with a config's network, with a run's weights, or with every part."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from bptrain.build.data import prepare_data
from bptrain.build.network import initial_weights, network_of_schema
from bptrain.build.updates import build_plan
from bptrain.commands.gradcheck.consistency import Consistency, consistency, plain_descent
from bptrain.config import load_config
from bptrain.config.schema import Config
from bptrain.core.backprop import Extras
from bptrain.core.dropout import masks
from bptrain.core.network import Network
from bptrain.engines.base import Engine, TrainingPlan
from bptrain.engines.choice import Choice, choose_engine, make_engine
from bptrain.engines.diagnosis import not_finite_forward
from bptrain.engines.numba_engine import missing, uncovered
from bptrain.errors import NumericalError, Warned
from bptrain.gradient_check import (
    BlockReport,
    GradcheckReport,
    Point,
    Progress,
    Settings,
    UnitsReport,
    checking,
    chosen_blocks,
    units,
)
from bptrain.model.load import load_checkpoint, load_run, run_of, training_data
from bptrain.model.model import Model
from bptrain.parts.types import Array
from bptrain.store.run_directory import RunDirectory

ROWS = 32  # of the data set that a check runs on
WEIGHTS_ONE_BY_ONE = 2e7

EngineName = Literal["numpy", "numba", "all"]


class Wanted(NamedTuple):
    """What a check is asked to do."""

    settings: Settings = Settings()
    engine: EngineName | None = None  # None: the one that the config or the run names, else NumPy
    rows: int = ROWS


class Subject(NamedTuple):
    """A network with weights and rows to be checked."""

    name: str  # such as "configs/xor.yaml"
    weights: str  # in words
    config: Config
    network: Network
    point: Point
    engine: str  # that the config or the run names: numpy | numba
    warnings: tuple[Warned, ...] = ()  # about what a run was loaded with


class Checked(NamedTuple):
    """One checked network, and what it was checked at."""

    name: str
    point: str  # which weights and rows
    report: GradcheckReport
    consistency: tuple[Consistency, ...]
    units: tuple[UnitsReport, ...]
    notes: tuple[str, ...]  # of engines that were not checked, and why
    warnings: tuple[Warned, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the gradient and all that must agree with it passed."""
        return self.report.passed and all(one.passed for one in self.consistency)

    @property
    def layers(self) -> tuple[BlockReport, ...]:
        """The verdict on each block of parameters."""
        return self.report.layers

    @property
    def max_relative_error(self) -> float:
        """The largest error of a block of parameters."""
        return self.report.max_relative_error


WANTED = Wanted()


def of_config(config: Path, overrides: Sequence[str] | Mapping[str, Any] = (), rows: int = ROWS) -> Subject:
    """A config's network at its start weights, on its first training rows. Raises UsageError or DataError."""
    loaded = load_config(config, overrides)
    prepared = prepare_data(loaded, np.float64, rows)
    network = network_of_schema(loaded.config, prepared.schema)
    w = initial_weights(loaded.config, network, np.float64)
    of = prepared.splits["train"]
    V = None if of.sample_weight is None else of.sample_weight[:rows]
    point = point_at(network, w, of.X[:rows], of.T[:rows], V, loaded.config.seed)
    named = loaded.config.training.engine
    return Subject(str(config), "the start weights", loaded.config, network, point, named)


def of_run(path: Path, rows: int = ROWS) -> Subject:
    """A run at its best weights, or a checkpoint file in it, on its first training rows.

    Raises CheckpointError or DataError.
    """
    run = run_of(path) if path.is_file() else RunDirectory(path)
    run.read_record()
    return of_model(load_checkpoint(path) if path.is_file() else load_run(run, "best"), str(path), rows)


def of_model(model: Model, name: str | None = None, rows: int = ROWS) -> Subject:
    """A loaded model, on the first training rows of its run. Raises CheckpointError or DataError."""
    path = model.stored.path
    run = run_of(path)
    of = training_data(model, run, np.float64, rows).splits["train"]
    V = None if of.sample_weight is None else of.sample_weight[:rows]
    point = point_at(
        model.network, model.w.astype(np.float64), of.X[:rows], of.T[:rows], V, model.config.seed
    )
    engine = str(model.stored.facts.numerics["engine"])
    return Subject(name or str(path), path.name, model.config, model.network, point, engine, model.warnings)


def point_at(network: Network, w: Array, X: Array, T: Array, V: Array | None, seed: int) -> Point:
    """The point, with the masks that dropout has in the first epoch."""
    return Point(network, w, X, T, Extras(V, masks(network, seed, 1, slice(0, len(X)), np.float64)))


def check_subject(subject: Subject, wanted: Wanted = WANTED) -> Generator[Progress, None, Checked]:
    """The check, which tells on its way how far it has come. Raises UsageError."""
    point, settings = subject.point, wanted.settings._replace(seed=subject.config.seed)
    chosen_blocks(
        subject.network, settings.params
    )  # a pattern that matches nothing is told before anything is built
    task = build_plan(subject.config, subject.network, len(point.X_0))
    engines, notes = engines_for(wanted.engine or subject.engine, plain_descent(task))
    if wanted.engine is None and len(engines) == 1 and find_spec("numba") is not None:
        other = "numpy" if engines[0].name == "numba" else "numba"
        notes.append(f"engine {other} was not checked: --engine all checks every engine that is installed")
    refuse_what_is_not_finite(point)
    report = yield from checking(point, {engine.name: engine.gradient for engine in engines}, settings)
    point = replace(point, by=report.by)
    agree: list[Consistency] = []
    if report.complete:
        few = point.some_rows(np.arange(min(len(point.X_0), rows_for_consistency(subject.network))))
        agree = [one for engine in engines for one in consistency(engine, task, few)]
    where = f"{subject.weights}, {report.rows} training rows"
    return Checked(subject.name, where, report, tuple(agree), units(point), tuple(notes), subject.warnings)


def refuse_what_is_not_finite(point: Point) -> None:
    """Raises NumericalError, with the layer, where the network or its loss is not finite."""
    found = not_finite_forward(point.network, point.space, point.T)
    if found is not None:
        raise NumericalError(
            f"there is no gradient to check: {found}. Smaller weights or scaled inputs would help."
        )


def rows_for_consistency(network: Network) -> int:
    """How many rows are taken one by one, which costs a wide network a pass over all its weights each."""
    return max(2, int(WEIGHTS_ONE_BY_ONE / network.size))


def engines_for(name: str, task: TrainingPlan) -> tuple[list[Engine], list[str]]:
    """The engines to check, built in float64, and why others are left out. Raises UsageError where one is asked for by
    name and cannot be had."""
    numpy_, _ = make_engine(choose_engine("numpy", task, np.float64), "numpy", task, np.float64)
    if name in ("numpy", "auto"):
        return [numpy_], []
    if name == "numba":
        return [
            make_engine(choose_engine("numba", task, np.float64), "numba", task, np.float64, evaluates=False)[
                0
            ]
        ], []
    reason = missing() or uncovered(task, np.float64)
    if reason is not None:
        return [numpy_], [f"the compiled engine is not checked: {reason}"]
    compiled, choice = make_engine(Choice("numba", "asked for"), "auto", task, np.float64, evaluates=False)
    if compiled.name == "numpy":
        return [numpy_], [f"the compiled engine is not checked: {choice.reason}"]
    return [numpy_, compiled], []


def check(
    subject: Path | Model, overrides: Sequence[str] | Mapping[str, Any] = (), wanted: Wanted = WANTED
) -> Generator[Progress, None, Checked]:
    """The check of a config file, of a run directory, of a checkpoint file in one, or of a loaded model."""
    if isinstance(subject, Model):
        return check_subject(of_model(subject, rows=wanted.rows), wanted)
    if is_trained(subject):
        return check_subject(of_run(subject, wanted.rows), wanted)
    return check_subject(of_config(subject, overrides, wanted.rows), wanted)


def is_trained(subject: Path) -> bool:
    """Whether a path is that of a run or of a checkpoint, and not of a config."""
    return subject.is_dir() or subject.suffix == ".safetensors"

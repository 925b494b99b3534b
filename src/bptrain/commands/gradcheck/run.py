"""What `bptrain gradcheck` does with a config's network, with a run's weights, or with every part."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import prepare_data
from bptrain.build.network import initial_weights, network_for
from bptrain.build.training import build_plan
from bptrain.commands.gradcheck.consistency import Consistency, consistency, plain_descent
from bptrain.config import as_member, load_config
from bptrain.config.schema import Config
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext, Network
from bptrain.engine_names import NUMPY, EngineToCheck, engine_names
from bptrain.engines.base import Engine, TrainingPlan
from bptrain.engines.choice import choose_engine, make_engine
from bptrain.engines.divergence import not_finite_forward
from bptrain.engines.registry import CannotRun, engine_entry
from bptrain.errors import NumericalError, Warned
from bptrain.gradient_check.check import checking
from bptrain.gradient_check.forward_pass import UnitsReport, units
from bptrain.gradient_check.numeric_gradient import CheckProgress, Settings, chosen_blocks
from bptrain.gradient_check.part_slopes import refuse_wrong_shapes
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.report import BlockReport, GradcheckReport
from bptrain.model.load import load_checkpoint, load_run, run_of, training_data
from bptrain.model.model import Model
from bptrain.parts.types import Array
from bptrain.store.run_directory import RunDirectory

ROWS = 32  # of the data set that a check runs on
WEIGHTS_ONE_BY_ONE = 2e7


class GradcheckOptions(NamedTuple):
    """What a check is asked to do."""

    settings: Settings = Settings()
    engine: EngineToCheck | None = None  # None: the one that the config or the run names, else NumPy
    rows: int = ROWS
    data_root: Path | None = None  # where the data of a run lies that has moved


class NetworkToCheck(NamedTuple):
    """A network with weights and rows to be checked."""

    name: str  # such as "configs/xor.yaml"
    weights: str  # in words
    config: Config
    network: Network
    point: GradientPoint
    engine: str  # that the config or the run names
    warnings: tuple[Warned, ...] = ()  # about what a run was loaded with


class GradcheckResult(NamedTuple):
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

    def record(self) -> dict[str, Any]:
        """The fields of gradcheck's JSON."""
        return {
            **self.report.record(),
            "consistency": [one.record() for one in self.consistency],
            "units": [one._asdict() for one in self.units],
            "notes": list(self.notes),
        }

    @property
    def layers(self) -> tuple[BlockReport, ...]:
        """The verdict on each block of parameters."""
        return self.report.layers

    @property
    def max_relative_error(self) -> float:
        """The largest error of a block of parameters."""
        return self.report.max_relative_error


DEFAULTS = GradcheckOptions()


def of_config(
    config: Path, overrides: Sequence[str] | Mapping[str, Any] = (), rows: int = ROWS
) -> NetworkToCheck:
    """A config's network at its initial weights, on its first training rows. Raises UsageError or DataError."""
    written = load_config(config, overrides)
    loaded = as_member(written)  # of an ensemble, the first
    prepared = prepare_data(loaded, np.float64, rows)
    network = network_for(loaded, prepared.schema)
    w = initial_weights(loaded.config, network, np.float64)
    of = prepared.splits["train"]
    V = None if of.sample_weight is None else of.sample_weight[:rows]
    point = point_at(network, w, of.X[:rows], of.T[:rows], V, loaded.config.seed)
    named = loaded.config.training.engine
    several = written.config.ensemble is not None
    weights = "the initial weights" + (" of member 1" if several else "")
    return NetworkToCheck(str(config), weights, loaded.config, network, point, named)


def of_run(path: Path, rows: int = ROWS, data_root: Path | None = None) -> NetworkToCheck:
    """A run at its best weights, or a checkpoint file in it, on its first training rows.

    Raises CheckpointError or DataError.
    """
    run = run_of(path) if path.is_file() else RunDirectory(path)
    run.read_record()
    model = load_checkpoint(path) if path.is_file() else load_run(run, "best")
    return of_model(model, str(path), rows, data_root)


def of_model(
    model: Model, name: str | None = None, rows: int = ROWS, data_root: Path | None = None
) -> NetworkToCheck:
    """A loaded model, on the first training rows of its run. Raises CheckpointError or DataError."""
    path = model.stored.path
    run = run_of(path)
    of = training_data(model, run, np.float64, rows, data_root).splits["train"]
    V = None if of.sample_weight is None else of.sample_weight[:rows]
    point = point_at(
        model.network, model.w.astype(np.float64), of.X[:rows], of.T[:rows], V, model.config.seed
    )
    engine = str(model.stored.facts.numerics["engine"])
    return NetworkToCheck(
        name or str(path), path.name, model.config, model.network, point, engine, model.warnings
    )


def point_at(network: Network, w: Array, X: Array, T: Array, V: Array | None, seed: int) -> GradientPoint:
    """The point, with the masks that dropout has in the first epoch."""
    return GradientPoint(
        network, w, X, T, BatchContext(V, masks(network, seed, 1, slice(0, len(X)), np.float64))
    )


def check_network(
    subject: NetworkToCheck, options: GradcheckOptions = DEFAULTS
) -> Generator[CheckProgress, None, GradcheckResult]:
    """The check, which reports its progress. Raises UsageError."""
    point, settings = subject.point, options.settings._replace(seed=subject.config.seed)
    chosen_blocks(
        subject.network, settings.params
    )  # a pattern that matches nothing is refused before anything is built
    plan = build_plan(subject.config, subject.network, len(point.X_0))
    engines, notes = engines_for(options.engine or subject.engine, plain_descent(plan))
    if options.engine is None:
        others = [
            name for name in engine_names() if name != engines[0].name and engine_entry(name).is_installed
        ]
        notes += [
            f"engine {name} was not checked: --engine all checks every installed engine" for name in others
        ]
    refuse_wrong_shapes(point)
    refuse_what_is_not_finite(point)
    report = yield from checking(point, {engine.name: engine.gradient for engine in engines}, settings)
    point = replace(point, derivatives_from=report.derivatives_from)
    agree: list[Consistency] = []
    if report.complete:
        few = point.some_rows(np.arange(min(len(point.X_0), rows_for_consistency(subject.network))))
        agree = [one for engine in engines for one in consistency(engine, plan, few)]
    where = f"{subject.weights}, {report.rows} training rows"
    return GradcheckResult(
        subject.name, where, report, tuple(agree), units(point), tuple(notes), subject.warnings
    )


def refuse_what_is_not_finite(point: GradientPoint) -> None:
    """Raises NumericalError, with the layer, where the network or its loss is not finite."""
    found = not_finite_forward(point.network, point.space, point.T)
    if found is not None:
        raise NumericalError(
            f"there is no gradient to check: {found}. Smaller weights or scaled inputs would help."
        )


def rows_for_consistency(network: Network) -> int:
    """How many rows are checked one by one; each costs a pass over all weights of the network."""
    return max(2, int(WEIGHTS_ONE_BY_ONE / network.size))


def engines_for(name: str, plan: TrainingPlan) -> tuple[list[Engine], list[str]]:
    """The engines to check, built in float64, and why others are left out. Raises UsageError where one is asked for by
    name and cannot be had."""
    if name != "all":
        name = NUMPY if name == "auto" else name
        choice = choose_engine(name, plan, np.float64)
        return [make_engine(choice, name, plan, np.float64, evaluates=False)[0]], []
    engines: list[Engine] = []
    notes: list[str] = []
    for one in engine_names():
        entry = engine_entry(one)
        reason = entry.unable(plan, np.float64)
        try:
            if reason is None:
                engines.append(entry.make(plan, np.float64, 1, False))
        except CannotRun as error:
            reason = str(error)
        if reason is not None:
            notes.append(f"the engine {one} is not checked: {reason}")
    return engines, notes


def check(
    subject: Path | Model,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    options: GradcheckOptions = DEFAULTS,
) -> Generator[CheckProgress, None, GradcheckResult]:
    """The check of a config file, of a run directory, of a checkpoint file in one, or of a loaded model."""
    if isinstance(subject, Model):
        return check_network(of_model(subject, None, options.rows, options.data_root), options)
    if is_trained(subject):
        return check_network(of_run(subject, options.rows, options.data_root), options)
    return check_network(of_config(subject, overrides, options.rows), options)


def is_trained(subject: Path) -> bool:
    """Whether a path is that of a run or of a checkpoint, and not of a config."""
    return subject.is_dir() or subject.suffix == ".safetensors"

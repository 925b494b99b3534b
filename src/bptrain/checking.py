"""What `bptrain gradcheck` does: the gradient of a config's network, of a run's weights, or of every part."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build import build_task, initial_weights, network_of_schema, prepare_data
from bptrain.config import load_config
from bptrain.config.schema import Config
from bptrain.core.backprop import NONE, Extras, gradient
from bptrain.core.dropout import masks
from bptrain.core.gradcheck import GradcheckReport, Settings, gradcheck
from bptrain.core.network import Network
from bptrain.engines.choice import choose_engine, make_engine
from bptrain.model import load_checkpoint, load_run, run_of, training_data
from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, fits, losses
from bptrain.parts.random import stream
from bptrain.parts.types import Array, Generator
from bptrain.store.run import RunDirectory

ROWS = 32  # of the data set that a check runs on
BUDGET = 2e10  # multiply-adds, some seconds; beyond it a sample of the entries is checked


class Checked(NamedTuple):
    """One checked network, and what it was checked at."""

    name: str  # such as "configs/xor.yaml", or "tanh / half_squared_error"
    point: str  # which weights and rows
    report: GradcheckReport


def check_config(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Checked:
    """Checks a config's network at its start weights, on its first training rows. Raises UsageError or DataError."""
    loaded = load_config(config, overrides)
    prepared = prepare_data(loaded, np.float64, ROWS)
    network = network_of_schema(loaded.config, prepared.schema)
    w = initial_weights(loaded.config, network, np.float64)
    rows = prepared.splits["train"]
    engine = "numba" if loaded.config.training.engine == "numba" else "numpy"
    extras = Extras(rows.V, masks(network, loaded.config.seed, 1, slice(0, len(rows.X)), np.float64))
    analytic = gradient_of(engine, loaded.config, network, w, rows.X, rows.T, extras)
    report = check(network, w, rows.X, rows.T, loaded.config.seed, analytic, extras)
    return Checked(str(config), f"the start weights, {report.rows} training rows, engine {engine}", report)


def check_run(path: Path) -> Checked:
    """Checks a run at its best weights, or a checkpoint file in it, on its first training rows.

    Raises CheckpointError or DataError.
    """
    run = run_of(path) if path.is_file() else RunDirectory(path)
    run.read_record()
    model = load_checkpoint(path) if path.is_file() else load_run(run, "best")
    rows = training_data(model, run, np.float64, ROWS).splits["train"]
    w = model.w.astype(np.float64)
    engine = str(model.stored.facts.bits["engine"])
    seed = model.config.seed
    extras = Extras(rows.V, masks(model.network, seed, 1, slice(0, len(rows.X)), np.float64))
    analytic = gradient_of(engine, model.config, model.network, w, rows.X, rows.T, extras)
    report = check(model.network, w, rows.X, rows.T, seed, analytic, extras)
    return Checked(
        str(path), f"{model.stored.path.name}, {report.rows} training rows, engine {engine}", report
    )


def check(
    network: Network, w: Array, X: Array, T: Array, seed: int, analytic: Array, extras: Extras = NONE
) -> GradcheckReport:
    """Checks an engine's gradient: every entry of a small network, a sample of a large one."""
    forward_work = 4.0 * network.size * len(X)
    entries = int(BUDGET / forward_work)
    per_block = None if network.size <= entries else max(10, entries // len(network.blocks))
    return gradcheck(network, w, X, T, analytic, extras, Settings(entries_per_block=per_block, seed=seed))


def gradient_of(
    name: str, config: Config, network: Network, w: Array, X: Array, T: Array, extras: Extras = NONE
) -> Array:
    """The gradient of an engine, built in float64. Raises UsageError where that engine cannot be had."""
    task = build_task(config, network, len(X))
    engine, _ = make_engine(choose_engine(name, task, np.float64), name, task, np.float64)
    return engine.gradient(w, X, T, extras)


def check_parts() -> list[Checked]:
    """Every registered activation, hidden and at the output, with every loss it may have, with and without bias.

    A canonical pair is checked both ways: with δ_L = x_L − t, and through its own ∂E/∂x_L and f_L'.
    """
    checked = []
    for name, loss_name in itertools.product(activations, losses):
        activation, loss = activations.get(name)(), losses.get(loss_name)()
        if not fits(loss, activation):
            continue
        ways = [True, False] if loss.canonical == name else [False]
        for canonical, bias in itertools.product(ways, (True, False)):
            network = Network(
                sizes=(4, 5, 3),
                activations=(activations.get("identity")(), activation, activation),
                bias=(False, bias, bias),
                loss=loss,
                canonical=canonical,
            )
            rng = stream(0, "check")
            w, X, T = (
                rng.normal(size=network.size),
                rng.normal(size=(6, 4)),
                targets(loss, stream(1, "check"), 6, 3),
            )
            report = check(network, w, X, T, 0, gradient(network, w, X, T))
            title = f"{name} / {loss_name}" + (", canonical" if canonical else "")
            checked.append(Checked(title, "with bias" if bias else "without bias", report))
    return checked


def targets(loss: Loss, rng: Generator, rows: int, n_L: int) -> Array:
    """Random targets that the loss takes, rows × n_L."""
    if loss.outputs == "distribution":
        return rng.dirichlet(np.ones(n_L), rows)
    if loss.outputs in ("probabilities", "margins"):
        return rng.integers(0, 2, (rows, n_L)).astype(np.float64)
    if loss.outputs == "positive":
        return rng.poisson(2.0, (rows, n_L)).astype(np.float64)
    return rng.normal(size=(rows, n_L))


def gradcheck_record(checked: Checked) -> dict[str, Any]:
    """The fields of gradcheck's JSON."""
    report = checked.report
    return {
        "method": report.method,
        "entries": report.entries,
        "max_relative_error": report.max_relative_error,
        "tolerance": report.tolerance,
        "layers": [
            {
                "layer": block.layer,
                "parameter": block.parameter,
                "shape": list(block.shape),
                "relative_error": block.relative_error,
                "verdict": block.verdict,
            }
            for block in report.layers
        ],
    }


def parts_record(checks: Sequence[Checked]) -> dict[str, Any]:
    """The fields of gradcheck's JSON without an argument: every combination, and the layers of all of them."""
    records = [gradcheck_record(checked) for checked in checks]
    names = [{"parts": checked.name, "bias": checked.point == "with bias"} for checked in checks]
    return {
        "method": records[0]["method"],
        "entries": sum(record["entries"] for record in records),
        "max_relative_error": float(np.max([record["max_relative_error"] for record in records])),
        "tolerance": records[0]["tolerance"],
        "layers": [
            name | layer for name, record in zip(names, records, strict=True) for layer in record["layers"]
        ],
    }

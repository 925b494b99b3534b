"""What `bptrain inspect` finds in a trained model: its layers, its columns, its history, its provenance."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.network import activation_parts
from bptrain.core.network import views
from bptrain.errors import CheckpointError, DataError
from bptrain.gradient_check.forward_pass import UnitsReport, units
from bptrain.gradient_check.point import GradientPoint
from bptrain.model.load import enclosing_run, load_checkpoint, load_run, training_data
from bptrain.model.model import Model
from bptrain.parts.types import Array
from bptrain.store.run_directory import RunDirectory

ROWS = 1000  # training rows on which units are measured


class LayerReport(NamedTuple):
    """One layer."""

    layer: int
    activation: str
    shape: tuple[int, int]  # of W_i
    parameters: int
    weight_norm: float  # ‖W_i‖, Frobenius
    weight_rms: float  # of an entry
    bias_norm: float | None
    dead: tuple[int, ...] | None = None  # units with x = 0 and f' = 0 on every row; None: not measured
    saturated: tuple[int, ...] | None = None  # |f'| at most 1 % of the steepest on every row


class StepReport(NamedTuple):
    """A parameter of the steps before W_1."""

    parameter: str  # its name in a checkpoint
    shape: tuple[int, ...]
    least: float
    largest: float
    rms: float  # of an entry


class Inspection(NamedTuple):
    """What is in a trained model."""

    model: Model
    run: RunDirectory | None
    layers: tuple[LayerReport, ...]
    unit_rows: int  # training rows on which units were measured
    left_out: str | None  # why units were not measured
    history: tuple[dict[str, Any], ...]  # the lines of metrics.jsonl
    origin: dict[str, Any]  # run.json, or the provenance that a checkpoint alone holds
    epoch: int  # of the weights
    updates: int
    input_steps: tuple[StepReport, ...] = ()
    metrics_per_target: dict[str, dict[str, dict[str, Any]]] | None = (
        None  # split -> name -> target -> number
    )

    def record(self) -> dict[str, Any]:
        """The fields of inspect's JSON."""
        model = self.model
        return {
            "run": None if self.run is None else str(self.run.path),
            "checkpoint": str(model.stored.path),
            "epoch": self.epoch,
            "updates": self.updates,
            "sizes": list(model.network.sizes),
            "parameters": model.network.size,
            "dtype": str(model.w.dtype),
            "layers": [layer._asdict() for layer in self.layers],
            **({"input_steps": [step._asdict() for step in self.input_steps]} if self.input_steps else {}),
            "units": {"rows": self.unit_rows, "left_out": self.left_out},
            "schema": model.schema.to_json(),
            "history": list(self.history),
            **({} if self.metrics_per_target is None else {"metrics_per_target": self.metrics_per_target}),
            "provenance": self.origin,
            "config": model.stored.facts.config,
        }


def inspect(path: Path, data_root: Path | None = None) -> Inspection:
    """Inspects the best weights of a run, or a checkpoint file; `data_root` is where its data lies that has moved.

    Raises CheckpointError.
    """
    at_best: dict[str, Any] = {}  # the figures of the best weights of a run that has ended
    if path.is_dir():
        run: RunDirectory | None = RunDirectory(path)
        assert run is not None
        result = run.read_record().get("result")
        best = result.get("best") if isinstance(result, dict) else None
        at_best = best if isinstance(best, dict) else {}
        model = load_run(run, "best")
        at = model.stored.best or model.stored.position
    else:
        model, run = load_checkpoint(path), enclosing_run(path)
        at = model.stored.position
    found, rows, left_out = units_of(model, run, data_root)
    facts = model.stored.facts
    origin: dict[str, Any] = {
        **facts.numerics,
        "data": facts.data,
        "plugins": [dict(one) for one in facts.plugins],
    }
    return Inspection(
        model,
        run,
        tuple(layers_of(model, found)),
        rows,
        left_out,
        () if run is None else tuple(run.read_metrics()),
        origin if run is None else {**origin, **run.read_record()},
        int(at["epoch"]),
        int(at["updates"]),
        steps_of(model),
        at_best.get("metrics_per_target"),
    )


def units_of(
    model: Model, run: RunDirectory | None, data_root: Path | None
) -> tuple[dict[int, UnitsReport], int, str | None]:
    """Dead and saturated units by layer, on how many rows; or why they cannot be measured."""
    if run is None:
        return {}, 0, "a checkpoint that is in no run does not say where its data is"
    try:
        rows = training_data(model, run, np.float64, ROWS, data_root).splits["train"]
    except (DataError, CheckpointError) as error:
        return {}, 0, error.problems[0].message
    X, T = rows.X[:ROWS], rows.T[:ROWS]
    point = GradientPoint(model.network, model.w.astype(np.float64), X, T, derivatives_from="parts")
    return {report.layer: report for report in units(point)}, len(X), None


def layers_of(model: Model, found: dict[int, UnitsReport]) -> list[LayerReport]:
    """Each layer with its shapes and norms."""
    network, parameters = model.network, views(model.network, model.w.astype(np.float64))
    names = [part.name for part in activation_parts(model.config, model.schema.task)]
    reports = []
    for i in range(1, network.L + 1):
        W, b, seen = parameters.W[i], parameters.b[i], found.get(i)
        reports.append(
            LayerReport(
                i,
                names[i - 1],
                (W.shape[0], W.shape[1]),
                W.size + (0 if b is None else b.size),
                norm(W),
                norm(W) / W.size**0.5,
                None if b is None else norm(b),
                None if seen is None else seen.dead,
                None if seen is None else seen.saturated,
            )
        )
    return reports


def steps_of(model: Model) -> tuple[StepReport, ...]:
    """What the steps before W_1 have learned."""
    w = model.w.astype(np.float64)
    seen = [(block, block.view(w)) for block in model.network.blocks if block.layer == 0]
    return tuple(
        StepReport(block.name, block.shape, float(p.min()), float(p.max()), norm(p) / p.size**0.5)
        for block, p in seen
    )


def norm(of: Array) -> float:
    """The root of the sum of the squares."""
    return float(np.linalg.norm(of))

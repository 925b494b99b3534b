"""What is in a trained model: tables and a chart."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bptrain.commands.inspect import Inspection
from bptrain.console.terminal.chart import chart
from bptrain.console.terminal.metric_tables import show_targets
from bptrain.console.terminal.screen import Screen, figure
from bptrain.console.terminal.terminal import width_of
from bptrain.data.column_kinds import HOW
from bptrain.data.features import Feature
from bptrain.store.loss_history import of_refit

MANY = 20  # columns of the data that are shown one by one
SOME = 6  # units, categories or labels that are named
WIDTH = 78  # of the chart in a file or pipe, and at most


def show_inspection(screen: Screen, seen: Inspection) -> None:
    """Layers, columns, history, provenance."""
    model = seen.model
    config = model.config
    screen.result(f"{model.stored.path}: epoch {seen.epoch}, {seen.updates:,} updates")
    sizes = " -> ".join(map(str, model.network.sizes))
    screen.result(
        f"network: {sizes}, {model.network.size:,} parameters, {model.w.dtype}; "
        f"loss {config.loss.name}, optimizer {config.optimizer.name}"
    )
    show_layers(screen, seen)
    show_input_steps(screen, seen)
    show_columns(screen, seen)
    show_targets(screen, seen.metrics_per_target or {})
    show_history(screen, [line for line in seen.history if not of_refit(line)], "loss by epoch")
    refit = [line for line in seen.history if of_refit(line)]
    if refit:
        show_history(screen, refit, "loss by epoch of the refit")
    screen.result("provenance")
    for line in origin_lines(seen.origin):
        screen.result(f"  {line}")


def show_layers(screen: Screen, seen: Inspection) -> None:
    """One row per layer, and the units through which no gradient passes."""
    columns = ["layer", "activation", "weights", "parameters", "|W|", "|b|", "dead", "saturated"]
    rows = [
        [
            str(layer.layer),
            layer.activation,
            f"{layer.shape[0]}x{layer.shape[1]}",
            f"{layer.parameters:,}",
            figure(layer.weight_norm),
            figure(layer.bias_norm),
            "-" if layer.dead is None else str(len(layer.dead)),
            "-" if layer.saturated is None else str(len(layer.saturated)),
        ]
        for layer in seen.layers
    ]
    screen.table("layers", columns, rows)
    for layer in seen.layers:
        for kind, found in (("dead", layer.dead), ("saturated", layer.saturated)):
            if found:
                screen.result(f"  layer {layer.layer}: {kind} units {some(found)}")
    if seen.left_out is not None:
        screen.result(f"  dead and saturated units are not measured: {seen.left_out}")
    else:
        screen.result(f"  dead and saturated units measured on {seen.unit_rows:,} training rows")


def show_input_steps(screen: Screen, seen: Inspection) -> None:
    """One row per parameter of the steps before W_1."""
    rows = [
        [step.parameter, "x".join(map(str, step.shape)), *map(figure, (step.least, step.largest, step.rms))]
        for step in seen.input_steps
    ]
    if rows:
        screen.table("steps before layer 1", ["parameter", "shape", "least", "largest", "rms"], rows)


def show_columns(screen: Screen, seen: Inspection) -> None:
    """The inputs and outputs of the network."""
    schema = seen.model.schema
    shown = schema.features if len(schema.features) <= MANY else schema.features[: MANY // 2]
    rows = [[feature.name, feature.kind, *numbers_of(feature)] for feature in shown]
    title = f"columns: {len(schema.features)}, which become {schema.n_inputs} inputs"
    screen.table(title, ["column", "kind", "center", "spread", "fill value"], rows)
    if len(shown) < len(schema.features):
        screen.result(f"  and {len(schema.features) - len(shown)} more, which --json lists")
    for feature in shown:
        if feature.categories:
            screen.result(f"  {feature.name}: {some(feature.categories)}")
        said = [text for text in more_of(feature) if text]
        if said:
            screen.result(f"  {feature.name}: {'; '.join(said)}")
    target = schema.target
    of = f"{len(target.labels)} labels {some(target.labels)}" if target.labels else "values"
    screen.result(f"target: {', '.join(target.names)} ({schema.task}, {of})")
    for name, (low, high) in zip(target.names, target.bounds, strict=False):
        screen.result(f"  {name}: predictions are clipped to {figure(low)} to {figure(high)}")


def numbers_of(feature: Feature) -> list[str]:
    """How a column is scaled and filled."""
    fill = "-" if feature.fill is None else figure(feature.fill)
    if feature.buckets:
        return [f"{feature.buckets} buckets", "-", fill]
    if feature.kind == "categorical":
        return [f"{len(feature.categories)} categories", "-", fill]
    return [figure(feature.center), figure(feature.spread), fill]


def more_of(feature: Feature) -> Iterator[str]:
    """What else becomes of a column."""
    if feature.function != "identity":
        yield f"scaled after {feature.function}"
    if feature.clip != "none":
        yield "clipped smoothly to ±3 once it is scaled"
    if feature.rare:
        yield f"{len(feature.rare)} rare categories share one input"
    if feature.unknown != "ignore":
        yield f"unknown categories: {feature.unknown}"
    if feature.form:
        yield f"dates, {HOW[feature.form]}" + (
            f"; its place in the {', '.join(feature.cycles)}" * bool(feature.cycles)
        )
    if feature.indicator:
        yield "one input more, 1 where a cell is missing"


def show_history(screen: Screen, history: Sequence[Mapping[str, Any]], title: str) -> None:
    """The losses by epoch."""
    if not history:
        screen.result("history: no epoch has ended, or metrics.jsonl is missing")
        return
    series = {
        split: [line.get(split, {}).get("loss") for line in history]
        for split in ("train", "validation")
        if any(split in line for line in history)
    }
    width = min((width_of(sys.stdout) or WIDTH) - 1, WIDTH)
    head, *lines = chart(title, [int(line["epoch"]) for line in history], series, width)
    screen.result(head)
    for line in lines:
        screen.result(line, whole=True)


def origin_lines(origin: Mapping[str, Any]) -> Iterator[str]:
    """Provenance, one line per entry, without the results of a finished run."""
    for name, value in origin.items():
        if name == "blas":
            for library in value or ():
                yield f"blas: {of_blas(library)}"
        elif name == "command":
            yield f"command: {' '.join(map(str, value))}"
        elif name == "plugins":
            yield from (f"plug-in: {plugin['file']}, sha256 {plugin['sha256']}" for plugin in value or ())
        elif name in ("data", "seconds"):
            for key, entry in (value or {}).items():
                yield f"{name}, {key}: {f'{entry:.2f} s' if isinstance(entry, float) else f'sha256 {entry}'}"
        elif name not in ("result", "format") and value is not None:
            yield f"{name.replace('_', ' ')}: {'.'.join(map(str, value)) if isinstance(value, list) else value}"


def of_blas(library: Any) -> str:
    """A BLAS library, as run.json or a checkpoint records it."""
    parts = list(library.values()) if isinstance(library, dict) else list(library)
    words = [str(part) for part in parts[:3] if part is not None]
    return " ".join(words) + (f", {parts[3]} threads" if len(parts) > 3 else "")


def some(names: Sequence[Any]) -> str:
    """The first of some names."""
    return ", ".join(map(str, names[:SOME])) + (", …" if len(names) > SOME else "")

"""An ensemble: the mean of its members on every split, next to the members and the baseline."""

from collections.abc import Mapping
from typing import Any

from bptrain.commands.ensemble.assembly import EnsembleSummary
from bptrain.console.terminal.metric_tables import show_classes, show_targets
from bptrain.console.terminal.screen import Screen, figure


def show_ensemble(screen: Screen, done: EnsembleSummary) -> None:
    """Loss and metrics of the mean, of the members and of the baseline, by split."""
    members = done.result["members"]
    for note in done.notes:
        screen.note(note)
    rows = []
    for split in done.splits:
        evaluation = split.evaluation
        figures = {"loss": evaluation.loss, **evaluation.metrics}
        for name, value in figures.items():
            if isinstance(value, float):
                of_members = [of_member(one, split.name, name) for one in members]
                known = [one for one in of_members if one is not None]
                rows.append(
                    [
                        split.name if name == "loss" else "",
                        f"{evaluation.rows:,}" if name == "loss" else "",
                        name,
                        figure(value),
                        f"{figure(min(known))} to {figure(max(known))}" if known else "-",
                        figure(split.baseline_metrics.get(name)),
                    ]
                )
    title = f"mean of {len(members)} members"
    if done.splits:
        title += f" (baseline: {done.splits[0].baseline.description})"
        screen.table(title, ["split", "rows", "metric", "mean", "members", "baseline"], rows)
        show_classes(screen, {split.name: split.evaluation.metrics for split in done.splits})
        show_targets(screen, {split.name: split.evaluation.metrics_per_target for split in done.splits})


def of_member(result: Mapping[str, Any], split: str, name: str) -> float | None:
    """A figure of a member on a split; None where it has none."""
    best = result["best"]
    found: float | None = (best["loss"] if name == "loss" else best["metrics"].get(split, {})).get(
        split if name == "loss" else name
    )
    return found

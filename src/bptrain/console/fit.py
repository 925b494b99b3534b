"""The results of the commands as tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bptrain.commands.fit.run import Done
from bptrain.commands.fit.summary import Split
from bptrain.console.terminal.metrics import show_classes
from bptrain.console.terminal.screen import Screen, figure

if TYPE_CHECKING:  # what `fit --seeds` needs is loaded by it alone
    from bptrain.experiments.seeds import SeedsSummary


NARROW = 3  # so many metrics stand side by side; more of them below one another


def show_fit(screen: Screen, done: Done) -> None:
    """The best model on every split beside its baseline."""
    best, splits = done.result["best"], done.summary.splits
    epochs = f"{done.result['epochs']} epoch{'' if done.result['epochs'] == 1 else 's'}"
    if done.already:
        screen.note(f"this run is finished: it has done {epochs}")
    penalty = done.result["best"].get("penalty")
    if penalty is not None:
        screen.note(f"penalty on the best weights: {penalty:.4g}, which no loss here contains")
    if done.summary.reason is not None:
        screen.note(f"stopped after {epochs}: {done.summary.reason}")
    names = [name for name, value in splits[0].evaluation.metrics.items() if isinstance(value, float)]
    head = ["split", "rows", "loss", *(title for name in names for title in (name, "(baseline)"))]
    table = [head, *(split_row(split, names) for split in splits)]
    if len(names) > NARROW:
        table = turned(table)
    guess = splits[0].baseline.description
    title = f"best model (epoch {best['epoch']} of {done.result['epochs']}; baseline: {guess})"
    screen.table(title, table[0], table[1:])
    show_classes(screen, {split.name: split.evaluation.metrics for split in splits})


def split_row(split: Split, names: list[str]) -> list[str]:
    """Name, rows, loss, and each metric beside its baseline."""
    evaluation = split.evaluation
    row = [split.name, str(evaluation.rows), figure(evaluation.loss)]
    for name in names:
        row += [figure(evaluation.metrics[name]), f"({figure(split.baseline_metrics.get(name))})"]
    return row


def turned(table: list[list[str]]) -> list[list[str]]:
    """The table with a metric a row and a split a column, the baseline beside each."""
    names, rows, losses, *figures = (list(cells) for cells in zip(*table, strict=True))

    def beside(cells: list[str], baselines: list[str]) -> list[str]:
        return [cells[0], *(cell for pair in zip(cells[1:], baselines[1:], strict=True) for cell in pair)]

    nothing = [""] * len(names)
    head = ["metric", *(title for name in names[1:] for title in (name, "(baseline)"))]
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return [head, beside(rows, nothing), beside(losses, nothing), *(beside(*pair) for pair in pairs)]


def show_seeds(screen: Screen, summary: "SeedsSummary") -> None:
    """Mean and standard deviation over the seeds, for every split and metric."""
    rows = []
    for split, metrics in summary.mean.items():
        for name, mean in metrics.items():
            sd = summary.sd[split][name]
            if isinstance(mean, Mapping):
                rows += [[split, f"{name}: {key}", figure(mean[key]), figure(sd[key])] for key in mean]
            else:
                rows.append([split, name, figure(mean), figure(sd)])
    screen.table(f"best models of {len(summary.runs)} seeds", ["split", "metric", "mean", "sd"], rows)

"""A fit: its progress on stderr, a bar on a terminal and a few plain lines off it; its results as tables."""

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from bptrain.build.converted_data import Converting
from bptrain.commands.fit.fit import Done, FitEvent, RefitStarted, Started
from bptrain.commands.fit.follow import position
from bptrain.commands.fit.ready import Compiling
from bptrain.commands.fit.summary import SplitResult
from bptrain.console.terminal.metric_tables import show_classes, show_targets
from bptrain.console.terminal.screen import Screen, figure
from bptrain.console.terminal.terminal import begin, end, is_redrawn
from bptrain.core.network import Network
from bptrain.errors import Warned, printable
from bptrain.training.events import EpochEnd, Progress

if TYPE_CHECKING:
    from rich import progress

LINES = 20  # about this many lines per run when not on a terminal
LINE_SECONDS = 30.0  # and at least one per this many seconds
REFRESH_SECONDS = 0.05
WIDE, NARROW = 100, 70  # columns for a bar with all its words, and for one with short words
SIDE_BY_SIDE = 3  # up to this many metrics are columns; more are rows


def sizes_of(network: Network) -> str:
    """The sizes of a network, such as 4 -> 5 -> 2."""
    return " -> ".join(str(n) for n in network.sizes)


def converting(event: Converting) -> str:
    """That data is read in this way, as a line."""
    return f"reading {event.data} through files in {event.cache}, since it may take more than data.memory"


class FitView:
    """Shows the events of one fit; a context, so that the bar is gone from the terminal however the fit ends."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._bar: progress.Progress | None = None
        self._rows_per_second = 0.0
        self._shown = 0.0  # when the display last changed
        self._width = WIDE  # of the terminal; off it the lines are as long as they are

    def __enter__(self) -> "FitView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._bar)

    def show(self, event: FitEvent) -> None:
        """Shows one event."""
        if isinstance(event, Converting):
            self.screen.note(converting(event))
        elif isinstance(event, Compiling):
            self.screen.note(
                f"compiling the training loop for {sizes_of(event.network)}, once for all runs like it"
            )
        elif isinstance(event, Started):
            self._start(event)
        elif isinstance(event, RefitStarted):
            self._begin_refit(event)
        elif isinstance(event, Progress | EpochEnd):
            self._advance(event)
        elif isinstance(event, Warned):
            self.screen.warn(event.name, event.message)
        elif isinstance(event, Done):
            end(self._bar)

    def _start(self, started: Started) -> None:
        screen, network = self.screen, started.network
        screen.note(f"run: {started.run}")
        for note in started.notes:
            screen.note(note)
        rows = ", ".join(f"{n} {name}" for name, n in started.rows.items())
        screen.note(f"network: {sizes_of(network)}, {network.size} parameters; rows: {rows}")
        screen.note(f"engine: {started.engine} ({started.reason})")
        screen.warn_all(started.warnings)
        if started.resumed:
            screen.note(f"continuing after {position(started.state, started.plan)}")
        epochs = started.plan.epochs
        self._count_lines(epochs)
        if is_redrawn(sys.stderr) and not (screen.quiet or screen.json):
            self._width = shutil.get_terminal_size().columns
            self._bar = open_bar(self._width)
            self._task = self._bar.add_task("epoch", total=epochs, completed=started.state.epoch, figures="")
            begin(self._bar)

    def _begin_refit(self, started: RefitStarted) -> None:
        rows, epochs = started.plan.rows, started.plan.epochs
        self.screen.note(
            f"refit: {epochs} epoch{'' if epochs == 1 else 's'} on {rows} train and validation rows"
        )
        self._count_lines(epochs)
        if self._bar is not None:
            self._bar.reset(self._task, total=epochs, figures="")

    def _count_lines(self, epochs: int) -> None:
        self._line_every = 1 if self.screen.verbose else max(1, epochs // LINES)

    def _advance(self, event: Progress | EpochEnd) -> None:
        if event.seconds > 0:
            rate = event.rows / event.seconds
            self._rows_per_second = (
                0.9 * self._rows_per_second + 0.1 * rate if self._rows_per_second else rate
            )
        now = time.monotonic()
        if self._bar is not None:
            if now - self._shown >= REFRESH_SECONDS or (
                isinstance(event, EpochEnd) and event.epoch == event.epochs
            ):
                done = (
                    event.epoch if isinstance(event, EpochEnd) else event.epoch - 1 + event.step / event.steps
                )
                self._bar.update(self._task, completed=done, figures=self._figures(event))
                self._shown = now
        elif isinstance(event, EpochEnd) and not self.screen.quiet:
            due = event.epoch == 1 or event.epoch % self._line_every == 0 or event.state.stopped is not None
            if due or now - self._shown >= LINE_SECONDS:
                phase = "" if event.state.before_refit is None else "refit: "
                self.screen.note(f"{phase}epoch {event.epoch}/{event.epochs}  {self._figures(event)}")
                self._shown = now

    def _figures(self, event: Progress | EpochEnd) -> str:
        """Losses, a metric and the speed, as many as there is room for."""
        short = self._width < WIDE
        if isinstance(event, Progress):
            parts = [f"loss {figure(event.loss)}"]
        else:
            parts = [f"loss {figure(event.train_loss)}"]
            if event.validation_loss is not None:
                parts.append(f"{'val' if short else 'validation'} {figure(event.validation_loss)}")
            numbers = [(n, v) for n, v in event.validation_metrics.items() if isinstance(v, float)]
            if self._width >= NARROW:
                parts += [f"{name} {figure(value)}" for name, value in numbers[:1]]
        rate = self._rows_per_second
        if self._width >= NARROW:
            parts.append(f"{rate / 1000:,.0f}k/s" if short else f"{rate:,.0f} rows/s")
        return printable((" " if short else "  ").join(parts), spaces=True)


def open_bar(width: int, word: str = "epoch", done: str = "task.completed:.0f") -> "progress.Progress":
    """A bar of epochs, or of what the word says, with figures and the time left; the figures alone without room.

    `done` is what stands before the total.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    columns: list[ProgressColumn] = [
        TextColumn(f"{{{done}}}/{{task.total:.0f}}"),
        TextColumn("{task.fields[figures]}", markup=False),  # a metric may be called [red]
    ]
    if width >= NARROW:
        bar = BarColumn(bar_width=20 if width >= WIDE else 6)
        columns = [bar, *columns, TimeRemainingColumn(compact=True)]
    if width >= WIDE:
        columns = [TextColumn(word), *columns]
    room = max(width - 4, 20)  # so that the ^C a terminal echoes does not break the line
    return Progress(*columns, console=Console(file=sys.stderr, width=room), transient=True)


def show_fit(screen: Screen, done: Done) -> None:
    """The best model on every split next to its baseline."""
    best, splits = done.result["best"], done.summary.splits
    epochs = f"{done.result['epochs']} epoch{'' if done.result['epochs'] == 1 else 's'}"
    if done.already:
        screen.note(f"this run is finished: {epochs}")
    penalty = done.result["best"].get("penalty")
    if penalty is not None:
        screen.note(f"penalty of the best weights: {penalty:.4g}, not included in the losses below")
    if done.summary.reason is not None:
        screen.note(f"stopped after {epochs}: {done.summary.reason}")
    refit = done.result.get("refit")
    if refit is not None:
        screen.note(
            f"refit: {refit['epochs']} epoch{'' if refit['epochs'] == 1 else 's'} on {refit['rows']} train and "
            "validation rows; the figures on test are the refitted model's, the others those before it"
        )
    names = [name for name, value in splits[0].evaluation.metrics.items() if isinstance(value, float)]
    head = ["split", "rows", "loss", *(title for name in names for title in (name, "(baseline)"))]
    table = [head, *(split_row(split, names) for split in splits)]
    if len(names) > SIDE_BY_SIDE:
        table = turned(table)
    guess = splits[0].baseline.description
    title = f"best model (epoch {best['epoch']} of {done.result['epochs']}; baseline: {guess})"
    screen.table(title, table[0], table[1:])
    show_classes(screen, {split.name: split.evaluation.metrics for split in splits})
    show_targets(screen, {split.name: split.evaluation.metrics_per_target for split in splits})
    screen.warn_all(done.summary.learning)


def split_row(split: SplitResult, names: list[str]) -> list[str]:
    """Name, rows, loss, and each metric next to its baseline."""
    evaluation = split.evaluation
    row = [split.name, str(evaluation.rows), figure(evaluation.loss)]
    for name in names:
        row += [figure(evaluation.metrics[name]), f"({figure(split.baseline_metrics.get(name))})"]
    return row


def turned(table: list[list[str]]) -> list[list[str]]:
    """The table with one row per metric and one column per split, each next to its baseline."""
    names, rows, losses, *figures = (list(cells) for cells in zip(*table, strict=True))

    def beside(cells: list[str], baselines: list[str]) -> list[str]:
        return [cells[0], *(cell for pair in zip(cells[1:], baselines[1:], strict=True) for cell in pair)]

    nothing = [""] * len(names)
    head = ["metric", *(title for name in names[1:] for title in (name, "(baseline)"))]
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return [head, beside(rows, nothing), beside(losses, nothing), *(beside(*pair) for pair in pairs)]

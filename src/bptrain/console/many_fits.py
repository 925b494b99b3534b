"""Many fits: one bar for all of them on a terminal, a line per finished fit, and their mean as a table."""

import shutil
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from bptrain.console.fit import LINE_SECONDS, REFRESH_SECONDS, WIDE, open_bar
from bptrain.console.terminal.screen import Screen, figure
from bptrain.console.terminal.terminal import begin, end, is_redrawn
from bptrain.errors import printable
from bptrain.experiments.groups import GroupSummary
from bptrain.experiments.news import (
    FitAdvances,
    FitBegins,
    FitCompiles,
    FitEnds,
    FitRefits,
    FitsPlanned,
    FitWarns,
    News,
)
from bptrain.training.learning_checks import LEARNING_CHECKS

if TYPE_CHECKING:
    from rich import progress

LEARNING = {check.name for check in LEARNING_CHECKS}


class FitUnderWay(NamedTuple):
    """How far a fit is."""

    done: float  # epochs
    epochs: int
    refit: bool  # whether they are those of the refit

    def words(self, name: str, epoch: str = "") -> str:
        """The fit of that name, and its epoch."""
        return f"{name}: {'refit ' if self.refit else ''}{epoch}{int(self.done)}/{self.epochs}"


class ManyFitsView:
    """Shows the news of many fits; a context, so that the bar is gone from the terminal however they end."""

    def __init__(self, screen: Screen, word: str) -> None:
        self.screen, self.word = screen, word  # what the bar counts, such as "fold"
        self._names: list[str] = []
        self._directory: str | None = None
        self._under_way: dict[int, FitUnderWay] = {}
        self._ended = 0
        self._said: set[str] = set()  # notes and warnings that another fit has had as well
        self._bar: progress.Progress | None = None
        self._shown = time.monotonic()  # when the display last changed

    def __enter__(self) -> "ManyFitsView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._bar)

    def show(self, news: News) -> None:
        """Shows what is new."""
        if isinstance(news, FitsPlanned):
            self._plan(news)
        elif isinstance(news, FitCompiles):
            self._once(f"compiling the training loop for {_sizes(news.sizes)}, once for all runs like it")
        elif isinstance(news, FitBegins):
            self._begin(news)
        elif isinstance(news, FitRefits):
            self._under_way[news.fit] = FitUnderWay(0, news.epochs, True)
            self._draw()
        elif isinstance(news, FitAdvances):
            self._advance(news)
        elif isinstance(news, FitWarns):
            self._warn(news.fit, news.name, news.message)
        else:
            self._end(news)

    def _plan(self, planned: FitsPlanned) -> None:
        self._names, self._directory = planned.names, planned.directory
        if planned.note is not None:
            self.screen.note(planned.note)
        if is_redrawn(sys.stderr) and not (self.screen.quiet or self.screen.json):
            self._bar = open_bar(shutil.get_terminal_size().columns, self.word, "task.fields[ended]")
            self._task = self._bar.add_task(self.word, total=len(self._names), figures="", ended=0)
            begin(self._bar)

    def _begin(self, begins: FitBegins) -> None:
        self._under_way[begins.fit] = FitUnderWay(begins.epoch, begins.epochs, begins.refit)
        if self._directory is not None:  # which goes again where no run begins
            self._once(f"runs: {self._directory}")
        for note in begins.notes:
            self._once(note)
        self._once(f"network: {_sizes(begins.sizes)}, {begins.parameters} parameters")
        self._once(f"engine: {begins.engine} ({begins.reason})")
        for name, message in begins.warnings:
            self._warn(begins.fit, name, message)
        if begins.epoch:
            of = " of the refit" if begins.refit else ""
            self.screen.note(f"{self._names[begins.fit]}: continuing after epoch {begins.epoch}{of}")
        self._draw()

    def _advance(self, news: FitAdvances) -> None:
        under_way = self._under_way[news.fit]._replace(done=news.done)
        self._under_way[news.fit] = under_way
        if self.screen.verbose and news.is_epoch:
            losses = f"loss {figure(news.loss)}"
            if news.validation_loss is not None:
                losses += f"  validation {figure(news.validation_loss)}"
            self.screen.note(f"{under_way.words(self._names[news.fit], 'epoch ')}  {losses}")
        if self._bar is None and time.monotonic() - self._shown >= LINE_SECONDS:
            self.screen.note(f"{self._ended} of {len(self._names)} done; {self._standing()}")
            self._shown = time.monotonic()
        self._draw()

    def _end(self, news: FitEnds) -> None:
        self._under_way.pop(news.fit, None)
        self._ended += 1
        how = "was finished before" if news.already else _figures_of(news.result)
        unlearned = [one for one in news.result.get("warnings", ()) if one["name"] in LEARNING]
        names = "".join(f" [{one['name']}]" for one in unlearned)
        self.screen.note(f"{self._names[news.fit]}: {how} ({self._ended} of {len(self._names)} done){names}")
        for one in unlearned:
            if one["name"] not in self._said:  # in words of the first fit alone
                self._said.add(one["name"])
                self.screen.warn(one["name"], f"{self._names[news.fit]}: {one['message']}")
        self._shown = time.monotonic()
        self._draw(at_once=True)

    def _draw(self, at_once: bool = False) -> None:
        if self._bar is not None and (at_once or time.monotonic() - self._shown >= REFRESH_SECONDS):
            figures = printable(self._standing(), spaces=True)
            self._bar.update(self._task, completed=self._done(), ended=self._ended, figures=figures)
            self._shown = time.monotonic()

    def _done(self) -> float:
        """How many fits are done, with the shares of those under way."""
        return self._ended + sum(one.done / one.epochs for one in self._under_way.values())

    def _standing(self) -> str:
        """The fits that are under way."""
        short = shutil.get_terminal_size().columns < WIDE
        under_way = [
            one.words(self._names[fit], "" if short else "epoch ")
            for fit, one in sorted(self._under_way.items())
        ]
        return "  ".join(under_way[: 1 if short else 3])

    def _once(self, note: str) -> None:
        if note not in self._said:
            self._said.add(note)
            self.screen.note(note)

    def _warn(self, fit: int, name: str, message: str) -> None:
        """A warning, of the first fit that has it."""
        if f"{name}: {message}" not in self._said:
            self._said.add(f"{name}: {message}")
            self.screen.warn(name, f"{self._names[fit]}: {message}")


def _sizes(sizes: list[int]) -> str:
    return " -> ".join(map(str, sizes))


def _figures_of(result: Mapping[str, Any]) -> str:
    """What a fit came to, in a line: epochs, and the best model's first metric where it has not trained."""
    epochs = result["epochs"]
    said = f"{epochs} epoch{'' if epochs == 1 else 's'}"
    metrics = result["best"]["metrics"]
    split = next(name for name in ("test", "validation", "train") if name in metrics)
    name = next((name for name, value in metrics[split].items() if isinstance(value, float)), None)
    return said if name is None else f"{said}, {name} {figure(metrics[split][name])} on {split}"


def show_means(screen: Screen, summary: GroupSummary, what: str) -> None:
    """Mean and standard deviation over fits, for every split and metric; `what` the fits are, such as "5 seeds"."""
    rows = []
    for split, metrics in summary.mean.items():
        for name, mean in metrics.items():
            sd = summary.sd[split][name]
            if isinstance(mean, Mapping):
                rows += [[split, f"{name}: {key}", figure(mean[key]), figure(sd[key])] for key in mean]
            else:
                rows.append([split, name, figure(mean), figure(sd)])
    screen.table(f"best models of {what}", ["split", "metric", "mean", "sd"], rows)

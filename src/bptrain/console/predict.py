"""Predictions as they come: lines on stdout, or a bar on stderr while a file is written; a sentence at the end."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from bptrain.commands.predict.prediction_events import (
    Advanced,
    Chosen,
    Left,
    Noted,
    PredictEvent,
    PredictionSummary,
    Printed,
)
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import begin, end, is_redrawn
from bptrain.errors import Warned

if TYPE_CHECKING:
    from rich import progress

MOMENT = 1.0  # seconds that predictions may take without a bar
REFRESH_SECONDS = 0.1


class PredictView:
    """Shows the events of `bptrain predict`; a context, so that the bar is gone from the terminal however it ends."""

    def __init__(self, screen: Screen, to_stdout: bool) -> None:
        self.screen = screen
        shown = (
            to_stdout and sys.stdout.isatty()
        )  # the predictions themselves, between which a bar would stand
        self._wanted = is_redrawn(sys.stderr) and not (shown or screen.quiet or screen.json)
        self._bar: progress.Progress | None = None
        self._begun = self._shown = time.monotonic()
        self._rows = 0

    def __enter__(self) -> "PredictView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._bar)

    def show(self, event: PredictEvent) -> None:
        """Shows one event."""
        screen = self.screen
        if isinstance(event, Printed):
            screen.data(event.text)
        elif isinstance(event, Advanced):
            self._advance(event.rows)
        elif isinstance(event, Chosen):
            if event.by.newest and event.by.run is not None:
                screen.note(f"run: {event.by.run.path} (the newest finished one)")
        elif isinstance(event, Warned):
            screen.warn(event.name, event.message)
        elif isinstance(event, Noted):
            screen.note(event.text)
        elif isinstance(event, Left):
            screen.note(f"{event.out} is complete and left as it is; --overwrite writes it again")
        else:
            end(self._bar)
            self._bar = None
            screen.note(sentence(event))

    def _advance(self, rows: int) -> None:
        self._rows += rows
        now = time.monotonic()
        if self._bar is None and self._wanted and now - self._begun > MOMENT:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            figures = TextColumn("{task.fields[figures]}", markup=False)
            columns = (SpinnerColumn(), TextColumn("predicting"), figures, TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("predicting", total=None, figures="")
            begin(self._bar)
        if self._bar is not None and now - self._shown > REFRESH_SECONDS:
            rate = self._rows / (now - self._begun)
            self._bar.update(self._task, figures=f"{self._rows:,} rows, {rate:,.0f} rows/s")
            self._shown = now


def sentence(summary: PredictionSummary) -> str:
    """How many rows were predicted, by whom, and where the predictions are."""
    rows = summary.rows
    outs = dict.fromkeys(file.out for file in summary.files if file.out is not None and not file.left)
    left = sum(file.left for file in summary.files)
    where = f" to {next(iter(outs))}" if len(outs) == 1 else f" to {len(outs)} files" if outs else ""
    rate = f", {rows / summary.seconds:,.0f} rows/s" if summary.seconds > MOMENT else ""
    kept = (
        f"; {left} file{'' if left == 1 else 's'} left as {'it was' if left == 1 else 'they were'}"
        if left
        else ""
    )
    return f"predicted {rows:,} row{'' if rows == 1 else 's'} by {summary.checkpoint}{where}{rate}{kept}"

"""Fits in processes of their own, several at a time: who does which, what is heard of them, and that all of them end.

A process is `worker.py`, begun anew and not forked, since BLAS has threads; it imports nothing of the caller's script.
"""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from bptrain import errors
from bptrain.commands.fit.follow import PendingSignal, interrupts
from bptrain.errors import BptrainError, Interrupted, Problem, StorageError, UsageError, undisturbed
from bptrain.experiments.news import FitEnds, News, heard
from bptrain.experiments.planned import PlannedFit

NOTHING_CHANGED = "stopped; nothing was changed"  # unless whoever asked for the fits knows better
POLL = 0.2  # seconds between two looks at whether a signal has come
# In the process: the modules of this one, wherever it has them from, and no others.
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from bptrain.experiments.worker import main; main()"
)

Message = dict[str, Any] | None  # None at the end


class FitWorker:
    """A process that fits, and the fit that it is at."""

    def __init__(self, shared: dict[str, Any], messages: "queue.Queue[tuple[FitWorker, Message]]") -> None:
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with undisturbed():  # the process lets signals come once it can deal with them
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", BOOT, json.dumps(path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            except OSError as error:
                raise StorageError(f"could not start a process: {error.strerror or error}") from error
        self.fit: int | None = None
        self._messages = messages
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._send(shared)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # and not what a killed process has left
                self._messages.put((self, json.loads(line)))
        self._messages.put((self, None))

    def ask(self, place: int, planned: PlannedFit) -> None:
        """Has it make a fit."""
        self.fit = place
        self._send({"fit": place, "planned": planned.to_json()})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended already, which is heard
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def dismiss(self) -> None:
        """Tells it that there is no more to do."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def end(self) -> None:
        """Kills it if it is still there, and closes the pipes."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.dismiss()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Crew(NamedTuple):
    """The processes, and what comes from them."""

    workers: list[FitWorker]
    messages: "queue.Queue[tuple[FitWorker, Message]]"

    def signal(self, number: int) -> None:
        """Sends a signal to all that are there."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(number)


def fit_in_processes(
    shared: dict[str, Any], fits: Sequence[PlannedFit], jobs: int, show: Callable[[News], None]
) -> list[dict[str, Any]]:
    """The fields of fit's JSON of each fit, in the order of the fits.

    Raises what the first fit that failed has raised, Interrupted after a signal, StorageError for a process that is
    lost; after the others have saved and ended.
    """
    crew = Crew([], queue.Queue())
    try:
        with interrupts() as pending:
            return _followed(crew, pending, shared, fits, jobs, show)
    finally:
        for worker in crew.workers:
            worker.end()


def _followed(
    crew: Crew,
    pending: PendingSignal,
    shared: dict[str, Any],
    fits: Sequence[PlannedFit],
    jobs: int,
    show: Callable[[News], None],
) -> list[dict[str, Any]]:
    waiting, results = deque(range(len(fits))), dict[int, dict[str, Any]]()
    failure: BaseException | None = None
    there = 0  # processes that have not ended
    stopping = False
    while True:
        try:
            if not stopping and (failure is not None or pending.signal is not None):
                stopping = True
                crew.signal(pending.signal or signal.SIGTERM)
            while waiting and not stopping:
                worker = next((one for one in crew.workers if one.fit is None), None)
                if worker is None and len(crew.workers) < jobs:
                    worker = FitWorker(shared, crew.messages)
                    crew.workers.append(worker)
                    there += 1
                if worker is None:
                    break
                worker.ask(place := waiting.popleft(), fits[place])
            if stopping or not waiting:
                for worker in crew.workers:
                    if worker.fit is None:
                        worker.dismiss()
            if not there:
                break
            with suppress(queue.Empty):
                worker, message = crew.messages.get(timeout=POLL)
                if message is None:
                    there -= 1
                    if worker.fit is not None and not stopping:
                        failure = failure or lost(fits[worker.fit], worker.process.wait())
                elif "news" in message:
                    news = heard(message)
                    if isinstance(news, FitEnds):
                        results[news.fit], worker.fit = news.result, None
                    show(news)
                else:
                    assert worker.fit is not None
                    planned, worker.fit = fits[worker.fit], None
                    if not stopping:
                        failure = failure or raised(planned, message)
        except KeyboardInterrupt:  # a second signal: no longer waits for the end of a slice
            pending.saving = True
            crew.signal(signal.SIGINT)
    if failure is not None:
        raise failure
    if len(results) < len(fits):
        raise Interrupted(NOTHING_CHANGED, pending.signal or signal.SIGTERM)
    return [results[place] for place in range(len(fits))]


def lost(planned: PlannedFit, code: int) -> BptrainError:
    """What is raised for a process that has ended in the middle of a fit."""
    how = f"exit code {code}"
    if code < 0:
        how = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        how += ", perhaps since memory ran out" if how == "SIGKILL" else ""
    return StorageError(f"{planned.name}: its process has ended in the middle ({how})")


def raised(planned: PlannedFit, message: dict[str, Any]) -> BaseException:
    """What a fit has raised in its process, as far as this one can raise it."""
    kind = message["failed"]
    if kind == "MemoryError":
        return MemoryError(message["message"])
    if kind == "bug":
        error = RuntimeError(f"{planned.name}: {message['message']}")
        error.add_note(f"In the process of {planned.name}:\n{message['traceback']}")
        return error
    problems = [Problem(**problem) for problem in message["problems"]]
    if kind == "Interrupted":
        return Interrupted(problems[0].message, message["signal"])
    return named(planned, getattr(errors, kind)(problems))


def named(planned: PlannedFit, error: BptrainError) -> BptrainError:
    """The error of a fit, which says of which, but for what is wrong with the config or in a line of a file."""
    if isinstance(error, UsageError):
        return error
    return error.reworded(
        problem if problem.line else problem._replace(message=f"{planned.name}: {problem.message}")
        for problem in error.problems
    )

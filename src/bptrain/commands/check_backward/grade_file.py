"""Grades a file: its functions run in a child process, with limits of time, memory and processes.

A verdict is made here, in the parent, from results that have come completely; so nothing that the file prints, and no
way in which its process ends, can look like one.
"""

import queue
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bptrain.commands.check_backward.child_process import Child, child_process, processes_of
from bptrain.commands.check_backward.grade import Grade, graded, not_graded
from bptrain.commands.check_backward.grading_points import expected_at
from bptrain.commands.check_backward.grading_task import GradingTask, grading_task
from bptrain.commands.check_backward.user_functions import Fault
from bptrain.commands.check_backward.wire import heard, packed, unpacked
from bptrain.errors import Problem, StorageError, UsageError
from bptrain.gradient_check.submission import ExpectedQuantity
from bptrain.parts.types import Array
from bptrain.plugins.loading import plugins_in_use
from bptrain.plugins.script import read_script

TIME_LIMIT, MEMORY_LIMIT = 30.0, 1024  # seconds; megabytes beyond what bptrain itself uses
TIME_BOUNDS, MEMORY_BOUNDS = (0.1, 86_400), (1, 2**20)  # those of the options of `bptrain check-backward`
START = 120.0  # seconds in which a child must be ready, before the file's code runs
LOOK = 0.25  # seconds between two looks at the clock and at how many processes there are
PROCESSES = 64  # that a submission may have
LOADING = "file"  # what runs before the first function
TOO_LONG = [getattr(signal, name, 0) for name in ("SIGXCPU", "SIGALRM")]  # what ends a child by itself
# Of a message: bytes for its frame, for a number of any dtype, and for what is said of a quantity in words.
FRAME, NUMBER, WORDS = 2**20, 16, 2**16


@dataclass(frozen=True)
class Limits:
    """What the code of a file may use. Raises UsageError for a limit that is not within its bounds."""

    seconds: float = TIME_LIMIT
    megabytes: int = MEMORY_LIMIT

    def __post_init__(self) -> None:
        for name, value, (least, most), unit in (
            ("time_limit", self.seconds, TIME_BOUNDS, "seconds"),
            ("memory_limit", self.megabytes, MEMORY_BOUNDS, "MB"),
        ):
            if not least <= value <= most:  # so is nan refused
                raise UsageError(f"{name} is {value:,}, not from {least:,} to {most:,} {unit}")


DEFAULT = Limits()


def check_backward(
    file: str | Path,
    config: str | Path,
    overrides: Sequence[str] | Mapping[str, Any] | None = None,
    *,
    time_limit: float = TIME_LIMIT,
    memory_limit: int = MEMORY_LIMIT,
) -> Grade:
    """Grades the `forward`, `backward` and `step` of a Python file on a config's network, in a process of its own.

    time_limit      seconds that its code may take
    memory_limit    megabytes that it may use beyond what bptrain itself does (Linux)

    Whatever its functions do is part of the grade. It is no sandbox: they have all the rights of the user. Raises
    UsageError for a file, config or limit that cannot be used, DataError, NumericalError where the network itself is
    not finite there, and StorageError where no process can be started.
    """
    return grade_file(file, grading_task(config, overrides), Limits(time_limit, memory_limit))


def grade_file(file: str | Path, task: GradingTask, limits: Limits = DEFAULT) -> Grade:
    """Grades the functions of a file. Raises UsageError where it cannot be used, StorageError without a process."""
    read_script(str(file), "submission")
    request = {
        **task.plain,
        "file": str(file),
        "plugins": [str(plugin.script.path) for plugin in plugins_in_use()],
        "time_limit": limits.seconds,
        "memory_limit": limits.megabytes,
    }
    expected = [expected_at(point) for point in task.points]
    every = [one for of in expected for entries in of.values() for one in entries]
    longest = FRAME + sum(NUMBER * one.right.size + WORDS for one in every)
    with child_process(str(file), longest) as child:
        watch = ChildWatch(str(file), task, limits, expected, child)
        child.ask(packed(request, task.arrays))
        grade = watch.until_it_ends()
    return grade._replace(output=child.output(), seconds=watch.seconds)


class ChildWatch:
    """The watch over a child: what it is at, and what is left of its time."""

    def __init__(
        self,
        file: str,
        task: GradingTask,
        limits: Limits,
        expected: Sequence[Mapping[str, Sequence[ExpectedQuantity]]],
        child: Child,
    ) -> None:
        self.file, self.task, self.limits, self.expected, self.child = file, task, limits, expected, child
        self.running, self.instances = LOADING, len(task.points[0].X_0)
        self.seconds: float | None = None  # that the file's code has run
        self._began: float | None = None
        self._deadline = time.monotonic() + START

    def until_it_ends(self) -> Grade:
        """The grade, whatever becomes of the child. Raises UsageError where the file cannot be used."""
        grade = None
        while grade is None:
            try:
                message = self.child.messages.get(timeout=LOOK)
            except queue.Empty:
                message = b""
            fault = self._beyond_a_limit() if message == b"" else None
            if message is None:
                fault = self._without_results()
            elif isinstance(message, ValueError):
                fault = self._unreadable(message)
            if fault is not None:
                grade = not_graded(self.file, self.task, self.running, self.instances, fault)
            elif isinstance(message, bytes) and message:
                grade = self._heard(message)
        self.seconds = None if self._began is None else time.monotonic() - self._began
        return grade

    def _heard(self, message: bytes) -> Grade | None:
        try:
            return self._meaning(*unpacked(message))
        except ValueError as error:
            return not_graded(self.file, self.task, self.running, self.instances, self._unreadable(error))

    def _unreadable(self, error: ValueError) -> Fault:
        said = f"its results cannot be read, since something else was written there ({error})"
        return Fault("ended", f"{self.where}: {said}")

    def _meaning(self, record: Mapping[str, Any], arrays: Sequence[Array]) -> Grade | None:
        """What a message comes to. Raises ValueError for one that a child does not send."""
        if "ready" in record:
            self._began = time.monotonic()
            self._deadline = self._began + self.limits.seconds
        elif "running" in record:
            self.running, self.instances = str(record["running"]), int(record["instances"])
        elif "out_of_memory" in record:
            said = f"{self.where} needs more memory than {self.limits.megabytes:,} MB (--memory-limit)"
            return not_graded(self.file, self.task, self.running, self.instances, Fault("memory_limit", said))
        elif "problems" in record:
            raise UsageError([Problem(**problem) for problem in record["problems"]])
        elif "answers" in record:
            told = record["answers"]
            if len(told) != len(self.expected) or not all(told[0].keys() == one.keys() for one in told):
                raise ValueError("results of other points or functions than those asked for")
            if not {"forward", "backward"} <= told[0].keys():
                raise ValueError("results of fewer functions than those asked for")
            found = [heard(one, arrays, of) for one, of in zip(told, self.expected, strict=True)]
            return graded(self.file, self.task, found)
        else:
            raise ValueError("no message of a child")
        return None

    def _beyond_a_limit(self) -> Fault | None:
        """The limit that has been passed, if one has."""
        if time.monotonic() >= self._deadline:
            if self._began is None:
                self._refuse_start(f"it was not ready after {START:.0f} s")
            return self._too_long("did not finish within")
        if self._began is not None and processes_of(self.child.process.pid) > PROCESSES:
            return Fault("process_limit", f"{self.where} started more than {PROCESSES} processes")
        return None

    def _without_results(self) -> Fault:
        """Why a child that says no more has not sent all results; it may still be running."""
        while True:
            try:
                code = self.child.process.wait(LOOK)
                break
            except subprocess.TimeoutExpired:
                fault = self._beyond_a_limit()
                if fault is not None:
                    return fault
        if self._began is None:
            self._refuse_start(f"it ended with exit code {code}")
        if -code in TOO_LONG:
            return self._too_long("used more than")
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Fault("ended", f"{self.where} ended the process, {how}, before all results were there")

    def _too_long(self, how: str) -> Fault:
        return Fault("time_limit", f"{self.where} {how} {self.limits.seconds:g} s (--time-limit)")

    def _refuse_start(self, why: str) -> NoReturn:
        raise StorageError(
            f"the process for {self.file} could not start: {why}. {self.child.output()}".strip()
        )

    @property
    def where(self) -> str:
        """What the child is at, in words."""
        if self.running == LOADING:
            return "loading the file"
        return f"{self.running} on {'one instance' if self.instances == 1 else f'{self.instances} instances'}"

"""What a child process does: it runs the functions of one file, and sends what they return to its parent.

The file may do what it likes in here: print, end the process, close streams, never return. What it prints goes to one
pipe, the results to another that has no name. It is no sandbox: the code has all the rights of the user.
"""

import math
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bptrain.commands.check_backward.grading_points import answers, expected_at, points_again
from bptrain.commands.check_backward.user_functions import load_functions
from bptrain.commands.check_backward.wire import LENGTH, Read, packed, told, unpacked
from bptrain.errors import STOPPING, UsageError
from bptrain.plugins.loading import plugged_in

GRACE = 5  # seconds after which the process ends by itself where its parent is gone
MB = 2**20
PR_SET_PDEATHSIG = 1  # of prctl(2)


class Sender:
    """The way to the parent: what stdout was before anything of the file ran."""

    def __init__(self) -> None:
        self._channel, self._owner = os.dup(1), os.getpid()
        os.dup2(2, 1)

    def send(self, message: bytes) -> None:
        """Sends a message. A process that the file's code has forked is not the one to speak, and ends."""
        if os.getpid() != self._owner:
            os._exit(0)
        rest = memoryview(message)
        while rest:
            rest = rest[os.write(self._channel, rest) :]


def main() -> None:
    """Reads what is asked for from stdin, and answers it. Raises what is wrong with the request."""
    sender = Sender()
    end_with_the_parent()
    request, arrays = unpacked(sys.stdin.buffer.read()[LENGTH:])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = [request["file"]]
    if hasattr(signal, "pthread_sigmask"):  # which the parent held back while this process began
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    with plugged_in(request["plugins"]):
        try:
            answer(sender, request, arrays)
        except MemoryError:
            sender.send(packed({"out_of_memory": True}))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # which the file may have closed, or replaced
            stream.flush()
    os._exit(0)  # without what the file has left to be done at the end


def end_with_the_parent() -> None:
    """On Linux, has this process killed as soon as its parent is gone, however that ended (prctl(2))."""
    if sys.platform == "linux":
        # A Python without ctypes, or a C library without prctl: the alarm is left.
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def answer(sender: Sender, request: Mapping[str, Any], arrays: list[Any]) -> None:
    """Runs the functions, says before each which one it is, and sends at the end what all of them returned."""
    try:
        points = points_again(request, arrays)
        for point in points:
            expected_at(point)  # loads all that is used, before memory is limited
    except UsageError as error:
        sender.send(packed({"problems": [problem._asdict() for problem in error.problems]}))
        return
    limit(request["time_limit"], request["memory_limit"])
    sender.send(packed({"ready": True}))
    try:
        functions = load_functions(Path(request["file"]))
    except UsageError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        sender.send(packed({"problems": [problem._asdict() for problem in error.problems]}))
        return
    sent: list[Any] = []
    found = []
    for point in points:
        read: dict[str, Read] = {}
        for name, values in answers(functions, point):
            if values is None:
                sender.send(packed({"running": name, "instances": len(point.X_0)}))
            else:
                read[name] = values
        found.append(told(read, sent))
    sender.send(packed({"answers": found}, sent))


def limit(seconds: float, megabytes: int) -> None:
    """Limits time and memory from here on, as far as the system can; memory on Linux alone."""
    if hasattr(signal, "alarm"):
        signal.alarm(math.ceil(seconds) + GRACE)
    try:
        import resource
    except ImportError:  # Windows
        return
    whole = math.ceil(seconds) + 1
    limits = {resource.RLIMIT_CPU: (whole, whole + GRACE), resource.RLIMIT_CORE: (0, 0)}
    with suppress(OSError):  # elsewhere the system does not say how much is in use
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = used + megabytes * MB
        limits[resource.RLIMIT_AS] = (most, most)
    for kind, wanted in limits.items():
        _, hard = resource.getrlimit(kind)
        most_of_all = math.inf if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(kind, (int(min(wanted[0], most_of_all)), int(min(wanted[1], most_of_all))))

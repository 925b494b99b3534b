"""A child process for the functions of one file: how it begins, what is heard of it, and that it always ends.

It has a session of its own, so that a Ctrl-C typed at the keyboard does not reach it, and it is killed with all that it
has started when the block that it is made for ends: by a result, a limit, an error or a signal.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from bptrain.commands.check_backward.wire import read_message
from bptrain.errors import STOPPING, StorageError

KEPT = 10_000  # bytes of what it prints
# In the child: the modules of this process, wherever it has them from, and no others. While they are loaded, looking
# for garbage finds none.
BOOT = (
    "import gc, json, sys; sys.path[:] = json.loads(sys.argv[1]); gc.disable(); "
    "from bptrain.commands.check_backward.child_main import main; gc.enable(); main()"
)
# One thread: what the code takes is the time of one processor, and threads take memory.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Child:
    """A child process that runs, and what it has said so far: messages, and what its code has printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", longest: int) -> None:
        self.process, self.longest = process, longest  # bytes of a message
        # None at the end; ValueError, after which no more is read, for what is no message.
        self.messages: queue.Queue[bytes | ValueError | None] = queue.Queue()
        self._printed, self._dropped = bytearray(), 0
        self._readers = [
            self._reading(read, stream)
            for read, stream in ((self._listen, process.stdout), (self._keep, process.stderr))
        ]

    def ask(self, request: bytes) -> None:
        """Sends what is asked for, and nothing more."""
        assert self.process.stdin is not None
        rest = memoryview(request)
        with suppress(BrokenPipeError):  # it has ended already, which is found where an answer is awaited
            while rest:
                rest = rest[self.process.stdin.write(rest) :]
        self.process.stdin.close()

    def output(self) -> str:
        """The beginning of what its code has printed."""
        text = bytes(self._printed).decode(errors="replace").rstrip("\n")
        return text + (f"\n… and {self._dropped:,} bytes more" if self._dropped else "")

    def end(self) -> None:
        """Kills it, and what is left of its group, which may outlive it."""
        if not hasattr(os, "killpg"):  # Windows
            self.process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):  # nobody is left; on macOS, only the dead are
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        streams = [self.process.stdin]
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(1.0)
            if not reader.is_alive():  # else one that left its group holds the pipe open
                streams.append(stream)
        for stream in streams:
            if stream is not None:
                stream.close()

    def _reading(self, read: Callable[[IO[bytes]], None], stream: IO[bytes] | None) -> threading.Thread:
        thread = threading.Thread(target=read, args=(stream,), daemon=True)
        thread.start()
        return thread

    def _listen(self, stream: IO[bytes]) -> None:
        """Hands on each message, and None at the end or ValueError at what is none."""
        message: bytes | ValueError | None = b""
        while isinstance(message, bytes):
            try:
                message = read_message(stream, self.longest)
            except ValueError as error:
                message = error
            self.messages.put(message)
        while stream.read(2**16):  # so that nobody waits for what is no message to be read
            pass

    def _keep(self, stream: IO[bytes]) -> None:
        """Keeps the beginning of what is printed; the rest is read so that nobody waits."""
        while part := stream.read(2**16):
            room = max(0, KEPT - len(self._printed))
            self._printed += part[:room]
            self._dropped += len(part[room:])


@contextmanager
def child_process(file: str, longest: int) -> Iterator[Child]:
    """A child that is killed with its whole group when the block ends, however that is. Raises StorageError.

    Signals wait while it begins and while it is ended: there is no instant at which one would leave it behind.
    """
    before = hold_signals()
    child = None
    try:
        child = Child(started(file), longest)
        release_signals(before)
        yield child
    finally:
        try:
            hold_signals()
        finally:
            if child is not None:
                child.end()
            release_signals(before)


def started(file: str) -> "subprocess.Popen[bytes]":
    """The process. Raises StorageError where there can be none."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", BOOT, json.dumps(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
            start_new_session=True,
        )
    except OSError as error:
        raise StorageError(f"could not start a process for {file}: {error.strerror or error}") from error


def hold_signals() -> Any:
    """Keeps signals that stop a command waiting, where the system can; what was kept before."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return None
    return signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def release_signals(before: Any) -> None:
    """Lets signals come as they did before."""
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def processes_of(session: int) -> int:
    """How many processes a session has, where the system says it (Linux); else 0."""
    count = 0
    with suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdecimal():
                with suppress(OSError):  # it has ended meanwhile
                    status = Path("/proc", entry, "stat").read_bytes()
                    count += int(status.rpartition(b")")[2].split()[3]) == session
    return count

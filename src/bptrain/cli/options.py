"""Options and behavior that every command shares."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from bptrain.console.screen import Screen
    from bptrain.errors import BptrainError

BROKEN_PIPE_EXIT = 141  # 128 + SIGPIPE, as a shell shows it

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A line for every epoch; tracebacks of bugs.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key, such as training.epochs=20. Repeatable."
    ),
]


@contextmanager
def command(name: str, json: bool, quiet: bool = False, verbose: bool = False) -> Iterator["Screen"]:
    """The screen of a command; inside the block every error becomes a message and an exit code."""
    from bptrain.console.screen import Screen
    from bptrain.errors import BptrainError, Interrupted, StorageError, UsageError

    screen = Screen(name, json, quiet, verbose)
    error: BptrainError
    try:
        with sigterm_in_order():
            yield screen
        return
    except BptrainError as raised:
        error = raised
    except KeyboardInterrupt:
        error = Interrupted("stopped; nothing was changed", signal.SIGINT)
    except MemoryError as raised:
        why = str(raised).rstrip(".") or "the memory of this machine is used up"
        error = UsageError(f"not enough memory: {why}. Try smaller network.sizes or training.batch_size.")
    except BrokenPipeError:  # `bptrain … | head`: whoever read us has seen enough
        silence(sys.stdout)
        raise typer.Exit(BROKEN_PIPE_EXIT) from None
    except OSError as raised:  # files are the store's and the data's own care: what is left is the streams
        error = StorageError(f"could not write to the output: {raised.strerror or raised}")
    except typer.Exit:
        raise
    except Exception as raised:
        if verbose:
            raise
        error = bug(raised)
    try:
        screen.error(error)
    except OSError:  # a full disk behind both streams: the exit code still tells
        silence(sys.stdout)
        silence(sys.stderr)
    raise typer.Exit(error.exit_code)


@contextmanager
def sigterm_in_order() -> Iterator[None]:
    """SIGTERM as an exception inside the block; while a fit trains, `interrupts` takes its place.

    Outside the main thread, where Python delivers no signals, it changes nothing.
    """
    from bptrain.errors import Interrupted

    def end(number: int, frame: FrameType | None) -> None:
        raise Interrupted("terminated; nothing was changed", number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def silence(stream: TextIO) -> None:
    """Sends what is left in a stream's buffer nowhere, so that closing it at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def bug(error: Exception) -> "BptrainError":
    """What the user is told of an exception that should not have been."""
    from bptrain.errors import BptrainError, Problem

    message = f"this is a bug in bptrain, not a mistake of yours: {type(error).__name__}: {error}. "
    message += f"The traceback is in {save_traceback()}; please report it."
    return BptrainError(Problem("bug", message))


def save_traceback() -> str:
    """Writes the current traceback to a file of its own; its path."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="bptrain-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}")
    return file.name

"""What every command shares: how it is declared, its common options, and what becomes of an error."""

import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import Parameter
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TextIO

import typer

from bptrain.errors import BptrainError, Interrupted, Problem, StorageError, UsageError, stopping_signals

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen

EXPECTED = (BptrainError, KeyboardInterrupt, MemoryError, OSError)
BROKEN_PIPE_EXIT = 141  # 128 + SIGPIPE, as a shell shows it

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="One line per epoch; tracebacks of bugs.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a key, such as training.epochs=20. Repeatable."
    ),
]
Plugin = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file with your own parts. Repeatable."),
]

DataRoot = Annotated[
    Path | None,
    typer.Option("--data-root", metavar="DIR", help="Where the data of the run lies now, if it has moved."),
]


class Command(NamedTuple):
    """A command as `main` adds it."""

    name: str  # its words, such as "config show"
    summary: str  # its line in the list of commands
    run: Callable[..., None]  # with the parameters that typer makes arguments and options of


def command(
    name: str, summary: str, *, plugins: bool = False, notes: bool = True
) -> Callable[[Callable[..., None]], Command]:
    """Declares a command by its function, whose first parameter is the screen; the others are arguments and options.

    The options that commands share are added behind them: --plugin where the command uses parts, --json, and
    --quiet and --verbose where it prints more than its result. One that the function names itself is handed to it
    as well.
    """
    shared: dict[str, tuple[Any, Any]] = {"plugin": (Plugin, None)} if plugins else {}
    shared["json"] = (Json, False)
    if notes:
        shared |= {"quiet": (Quiet, False), "verbose": (Verbose, False)}

    def declared(function: Callable[..., None]) -> Command:
        _, *own = inspect.signature(function).parameters.values()
        names = [parameter.name for parameter in own]
        added = [
            Parameter(option, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for option, (annotation, default) in shared.items()
            if option not in names
        ]

        def run(**given: Any) -> None:
            streams = (given["json"], given.get("quiet", False), given.get("verbose", False))
            with running(name, *streams, given.get("plugin")) as screen:
                function(screen, **{option: given[option] for option in names})

        as_typed: Any = run
        as_typed.__signature__ = inspect.Signature([*own, *added])
        as_typed.__doc__ = function.__doc__
        return Command(name, summary, run)

    return declared


@contextmanager
def running(
    name: str, json: bool, quiet: bool, verbose: bool, plugins: Sequence[str] | None
) -> Iterator["Screen"]:
    """The screen of a command, with the parts of plug-ins; in the block an error becomes a message and an exit code."""
    from bptrain.console.terminal.screen import Screen

    screen = Screen(name, json, quiet, verbose)
    with Signals() as signals:
        try:
            with with_plugins(plugins):
                yield screen
            return
        except (typer.Exit, BrokenPipeError) as ended:
            code = end_quietly(ended)
        except BaseException as raised:
            signals.ending = True
            if verbose and not isinstance(raised, EXPECTED):
                raise
            code = report(screen, raised)
    raise typer.Exit(code)


def with_plugins(files: Sequence[str] | None) -> AbstractContextManager[None]:
    """The parts of plug-ins, registered as long as the command lasts."""
    if not files:  # then there is nothing to load
        return nullcontext()
    from bptrain.plugins.loading import plugged_in

    return plugged_in(files)


def end_quietly(ended: typer.Exit | BrokenPipeError) -> int:
    """The exit code of a command that has said all it had to say, or whose reader has seen enough."""
    if isinstance(ended, typer.Exit):
        return ended.exit_code
    silence(sys.stdout)
    return BROKEN_PIPE_EXIT


def report(screen: "Screen", raised: BaseException) -> int:
    """Prints what went wrong, and returns its exit code."""
    error = as_error(raised)
    try:
        screen.error(error)
    except OSError:  # a full disk behind both streams: the exit code still says it
        silence(sys.stdout)
        silence(sys.stderr)
    return error.exit_code


def as_error(raised: BaseException) -> BptrainError:
    """What is printed for an exception."""
    if isinstance(raised, BptrainError):
        return raised
    if isinstance(raised, KeyboardInterrupt):
        return Interrupted("stopped; nothing was changed", signal.SIGINT)
    if isinstance(raised, MemoryError):
        why = str(raised).rstrip(".") or "this machine is out of memory"
        return UsageError(f"not enough memory: {why}. Try smaller network.sizes or training.batch_size.")
    if isinstance(
        raised, OSError
    ):  # store and data handle errors of files themselves; what is left is the output streams
        return StorageError(f"could not write to the output: {raised.strerror or raised}")
    message = f"this is a bug in bptrain, not a mistake of yours: {type(raised).__name__}: {raised}. "
    message += f"The traceback is in {save_traceback()}; please report it."
    return BptrainError(Problem("bug", message))


class Signals:
    """SIGTERM and SIGHUP as an exception inside the block, and no signal at all while the command is `ending`.

    While a fit trains, `commands/fit/follow.py` handles signals instead. Outside the main thread, where Python delivers
    no signals, it changes nothing.
    """

    def __init__(self) -> None:
        self.ending = False
        self._before: dict[int, Any] = {}

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.ending:
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Interrupted("terminated; nothing was changed", number)

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            self._before = {n: signal.signal(n, self._end) for n in stopping_signals()}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def silence(stream: TextIO) -> None:
    """Sends what is left in a stream's buffer nowhere, so that closing it at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def save_traceback() -> str:
    """Writes the current traceback to a file of its own; its path."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="bptrain-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}")
    return file.name

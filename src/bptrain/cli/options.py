"""Options and behavior that every command shares."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bptrain.console.screen import Screen

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
    from bptrain.errors import BUG_EXIT, BptrainError, Problem

    screen = Screen(name, json, quiet, verbose)
    try:
        yield screen
    except BptrainError as error:
        screen.error(error)
        raise typer.Exit(error.exit_code) from None
    except BrokenPipeError:  # `bptrain … | head`: whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE_EXIT) from None
    except typer.Exit:
        raise
    except Exception as error:
        if verbose:
            raise
        path = save_traceback()
        message = f"this is a bug in bptrain, not a mistake of yours: {type(error).__name__}: {error}. "
        message += f"The traceback is in {path}; please report it."
        screen.error(BptrainError(Problem("bug", message)))
        raise typer.Exit(BUG_EXIT) from None


def save_traceback() -> str:
    """Writes the current traceback to a file of its own; its path."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="bptrain-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{' '.join(sys.argv)}\n\n{traceback.format_exc()}")
    return file.name

"""The entry point: parses the command line and turns what a command raises into an exit code."""

import gc
import io
import os
import signal
import sys
from typing import Any

import typer

from bptrain.cli.application import FILES, GROUPS, all_commands, by_itself, first_words, print_version
from bptrain.cli.command import end_quietly, silence
from bptrain.console.terminal.spelling import SPELLED
from bptrain.errors import STOPPING, STORAGE_EXIT


def run(arguments: list[str]) -> int:
    """Runs a command line and returns its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us; its number must not go to another file
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (open to the end)
    try:
        code = dispatch(arguments)
        sys.stdout.flush()
    except typer.TyperException as error:
        return usage_error(error, arguments)
    except BrokenPipeError as error:  # whoever read the help has seen enough
        return end_quietly(error)
    except OSError as error:  # --help or --version into a full disk
        print(f"error: could not write to the output: {error.strerror}", file=sys.stderr)
        silence(sys.stdout)
        return STORAGE_EXIT
    return code if isinstance(code, int) else 0


def dispatch(arguments: list[str]) -> object:
    """Calls the command that is named first, loading no other; or else a group or the application.

    Through the application, typer would load pydantic to find out that its own --help was not given.
    """
    if arguments == ["--version"]:  # for which no command need be loaded
        print_version()
        return 0
    words = first_words(arguments, FILES)
    command = by_itself(words) if words else all_commands()
    if not words:
        words = first_words(arguments, GROUPS)
        for word in words:
            command = command.commands[word]
    arguments = arguments[len(words) :]
    if not arguments and hasattr(command, "commands"):  # a group by itself lists its commands
        arguments = ["--help"]
    return command(arguments, standalone_mode=False, prog_name=" ".join(("bptrain", *words)))


def usage_error(error: typer.TyperException, arguments: list[str]) -> int:
    """A command line that does not parse, reported like every other error."""
    from bptrain.console.terminal.screen import Screen
    from bptrain.errors import Problem, UsageError

    first = {words[0] for words in FILES}
    named = next((place for place, argument in enumerate(arguments) if argument in first), len(arguments))
    name = " ".join(first_words(arguments[named:], FILES) or first_words(arguments[named:], GROUPS))
    help_of = f"bptrain {name} --help" if name else "bptrain --help"
    said = " ".join(error.format_message().removesuffix(".").replace("Value error, ", "").split())
    meant = f" {found}" if (found := hint(error, arguments)) else ""
    message = f"{said}.{meant} Try '{help_of}'."
    Screen(name, json="--json" in arguments).error(UsageError(Problem("usage", message)))
    return UsageError.exit_code


def hint(error: typer.TyperException, arguments: list[str]) -> str | None:
    """What was probably meant, where the command takes keys of the config by --set."""
    from bptrain.cli.usage_hints import SET, hint_for

    wanted: Any = error  # the command whose parameters do not fit, where it is known
    options = getattr(getattr(wanted, "cmd", None), "params", ())
    if not any(SET in option.opts for option in options):
        return None
    return hint_for(getattr(error, "option_name", None), arguments)


def main() -> None:
    """Runs the command line of this process."""
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a sign that their encoding lacks is spelled, any other is a number
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED)
    code = run(sys.argv[1:])
    for number in STOPPING:  # all is said and saved: nothing may change the exit code now
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # else Python looks through all that was loaded once more before the process ends
    sys.exit(code)

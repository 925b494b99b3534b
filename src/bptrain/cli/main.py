"""The entry point: parses the command line and turns what a command raises into an exit code."""

import io
import os
import signal
import sys
from typing import Annotated

import typer

import bptrain
from bptrain.cli.check_backward import check_backward_command
from bptrain.cli.completion import completion_command
from bptrain.cli.eval import eval_command
from bptrain.cli.explain import explain_command
from bptrain.cli.fit import fit_command
from bptrain.cli.gradcheck import gradcheck_command
from bptrain.cli.list import list_command
from bptrain.cli.options import end_quietly, silence
from bptrain.errors import STORAGE_EXIT

HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="bptrain",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,  # its options would make typer load pydantic for every `--help`
    context_settings=HELP,
)


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        print(f"bptrain {bptrain.__version__}")
        raise typer.Exit


@app.callback()
def callback(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train multilayer perceptrons from a YAML file, with gradients that can be proven."""


app.command("fit", context_settings=HELP)(fit_command)
app.command("eval", context_settings=HELP)(eval_command)
app.command("gradcheck", context_settings=HELP)(gradcheck_command)
app.command("check-backward", context_settings=HELP)(check_backward_command)
app.command("explain", context_settings=HELP)(explain_command)
app.command("list", context_settings=HELP)(list_command)
app.command("completion", context_settings=HELP)(completion_command)


def run(arguments: list[str]) -> int:
    """Runs a command line and returns its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us; its number must not go to another file
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (open to the end)
    try:
        code = dispatch(arguments or ["--help"])
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
    """Calls the command that is named first, or else the application.

    Through the application typer would load pydantic to tell that its own --help was not given.
    """
    application = typer.main.get_command(app)
    command = getattr(application, "commands", {}).get(arguments[0])
    if command is None:
        return application(arguments, standalone_mode=False, prog_name="bptrain")
    return command(arguments[1:], standalone_mode=False, prog_name=f"bptrain {arguments[0]}")


def usage_error(error: typer.TyperException, arguments: list[str]) -> int:
    """A command line that does not parse, told like every other error."""
    from bptrain.console.screen import Screen
    from bptrain.errors import Problem, UsageError

    commands = {info.name for info in app.registered_commands}
    name = next((argument for argument in arguments if argument in commands), "")
    hint = f"bptrain {name} --help" if name else "bptrain --help"
    message = f"{error.format_message()} Try '{hint}'."
    Screen(name, json="--json" in arguments).error(UsageError(Problem("usage", message)))
    return UsageError.exit_code


def main() -> None:
    """Runs the command line of this process."""
    for stream in (sys.stdout, sys.stderr):  # what their encoding lacks is told by its number
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # all is said and saved: nothing may change the exit code now
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)

"""The entry point: parses the command line and turns what a command raises into an exit code."""

import io
import os
import shutil
import signal
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

import bptrain
from bptrain.cli.command import Command, end_quietly, silence
from bptrain.cli.config_show import config_app
from bptrain.cli.data_cache_list import cache_app
from bptrain.cli.data_inspect import data_app
from bptrain.cli.runs_prune import runs_app
from bptrain.console.terminal.spelling import SPELLED
from bptrain.errors import STOPPING, STORAGE_EXIT

# The files of the commands, in the order in which --help lists them.
COMMANDS = (
    "init",
    "validate",
    "fit",
    "eval",
    "predict",
    "gradcheck",
    "check_backward",
    "explain",
    "list",
    "inspect",
    "runs",
    "runs_prune",
    "config_show",
    "data_inspect",
    "data_compare",
    "data_cache_list",
    "data_cache_clear",
    "schema",
    "doctor",
    "completion",
)
# Of commands with two words; `runs` is a command by itself as well.
GROUPS = {"config": config_app, "data": data_app, "runs": runs_app}
GROUPS_IN_GROUPS = {"data cache": cache_app}
BY_THEMSELVES: dict[str, typer.Typer] = {}  # commands that have the name of a group
HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
NARROW = 52  # columns, below which typer would not go
if (columns := shutil.get_terminal_size().columns) < NARROW:
    HELP["terminal_width"] = max(columns - 1, 20)

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
    """Train multilayer perceptrons from a YAML file, and check their gradients.

    \b
    Examples:
      bptrain fit configs/iris.yaml
      bptrain eval
      bptrain fit --help
    """


def add(file: str) -> None:
    """Adds the command that a file of this folder declares, to its group if it is in one."""
    declared: Command = getattr(import_module(f"bptrain.cli.{file}"), f"{file}_command")
    *group, name = declared.name.split()
    to = {**GROUPS, **GROUPS_IN_GROUPS}[" ".join(group)] if group else app
    to.command(name, short_help=declared.summary, context_settings=HELP)(declared.run)
    if not group and name in GROUPS:
        BY_THEMSELVES[name] = typer.Typer(rich_markup_mode=None, add_completion=False)
        BY_THEMSELVES[name].command(name, short_help=declared.summary, context_settings=HELP)(declared.run)


for file in COMMANDS:
    add(file)
for words, group_app in GROUPS_IN_GROUPS.items():
    outer, inner = words.split()
    GROUPS[outer].add_typer(group_app, name=inner, context_settings=HELP)
for name, group_app in GROUPS.items():
    app.add_typer(group_app, name=name, context_settings=HELP)


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
    """Calls the command that is named first, in its group if it is in one, or else the application.

    Through the application, typer would load pydantic to find out that its own --help was not given.
    """
    command: Any = typer.main.get_command(app)
    for word, alone in BY_THEMSELVES.items():  # which typer has replaced by the groups
        command.commands[word] = typer.main.get_command(alone)
    name = "bptrain"
    while arguments and arguments[0] in getattr(command, "commands", {}):
        command, name = below(command, arguments), f"{name} {arguments[0]}"
        arguments = arguments[1:]
    if not arguments and hasattr(command, "commands"):  # a group by itself lists its commands
        arguments = ["--help"]
    return command(arguments, standalone_mode=False, prog_name=name)


def below(command: Any, arguments: list[str]) -> Any:
    """The command or group that the first word means: of a name that both have, the group where it has the second."""
    first, *others = arguments
    group: Any = typer.main.get_command(GROUPS[first]) if first in GROUPS else None
    return group if group is not None and set(others[:1]) & set(group.commands) else command.commands[first]


def usage_error(error: typer.TyperException, arguments: list[str]) -> int:
    """A command line that does not parse, reported like every other error."""
    from bptrain.console.terminal.screen import Screen
    from bptrain.errors import Problem, UsageError

    commands: set[str | None] = {info.name for info in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    name = next((argument for argument in arguments if argument in commands), "")
    below_it = [info.name for info in GROUPS[name].registered_commands] if name in GROUPS else []
    if name and name in BY_THEMSELVES and set(arguments[1:2]) & set(below_it):
        name = f"{name} {arguments[1]}"
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
    sys.exit(code)

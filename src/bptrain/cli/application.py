"""The commands that there are: one by itself, of whose files no other is loaded, and the application that has all."""

import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer

import bptrain
from bptrain.cli.command import Command

# The files of the commands, in the order in which --help lists them.
COMMANDS = (
    "init",
    "validate",
    "fit",
    "eval",
    "predict",
    "ensemble",
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
# The first words of commands with more than one, and the file that declares the group; `runs` is a command as well.
GROUPS = {
    ("config",): "config_show",
    ("data",): "data_inspect",
    ("data", "cache"): "data_cache_list",
    ("runs",): "runs_prune",
}
HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
NARROW = 52  # columns, below which typer would not go
if (columns := shutil.get_terminal_size().columns) < NARROW:
    HELP["terminal_width"] = max(columns - 1, 20)


def words_of(file: str) -> tuple[str, ...]:
    """How the command of a file is typed: `check-backward`, `config show`."""
    words = file.split("_")
    group = first_words(words[:-1], GROUPS)
    return (*group, "-".join(words[len(group) :]))


def first_words(arguments: Sequence[str], known: Mapping[tuple[str, ...], str]) -> tuple[str, ...]:
    """The words of the command, or of the group, that a command line begins with; none where it begins with none."""
    return next((words for n in (3, 2, 1) if (words := tuple(arguments[:n])) in known), ())


FILES = {words_of(file): file for file in COMMANDS}


def declared(file: str) -> Command:
    """What a file of this folder declares as its command."""
    command: Command = getattr(import_module(f"bptrain.cli.{file}"), f"{file}_command")
    return command


def by_itself(words: tuple[str, ...]) -> Any:
    """A command as typer makes it, without an application."""
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    add(alone, declared(FILES[words]))
    return typer.main.get_command(alone)


def add(to: typer.Typer, command: Command) -> None:
    """Adds a command to an application, or to a group."""
    to.command(command.name.split()[-1], short_help=command.summary, context_settings=HELP)(command.run)


@cache
def application() -> typer.Typer:
    """The application with all commands and groups."""
    app = typer.Typer(
        name="bptrain",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,  # its options would make typer load pydantic for every `--help`
        context_settings=HELP,
    )
    app.callback()(callback)
    groups = {
        words: getattr(import_module(f"bptrain.cli.{file}"), f"{words[-1]}_app")
        for words, file in GROUPS.items()
    }
    for words, file in FILES.items():
        add(groups.get(words[:-1], app), declared(file))
    for words in sorted(groups, key=len, reverse=True):  # a group in a group is complete before that is added
        groups.get(words[:-1], app).add_typer(groups[words], name=words[-1], context_settings=HELP)
    return app


def all_commands() -> Any:
    """The application as typer makes it."""
    whole: Any = typer.main.get_command(application())
    for words in GROUPS.keys() & FILES.keys():  # commands that typer has replaced by their groups
        whole.commands[words[0]] = by_itself(words)
    return whole


def print_version() -> None:
    """Prints the version."""
    print(f"bptrain {bptrain.__version__}")


def version_wanted(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        print_version()
        raise typer.Exit


def callback(
    version: Annotated[
        bool, typer.Option("--version", callback=version_wanted, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train multilayer perceptrons from a YAML file, and check their gradients.

    \b
    Examples:
      bptrain fit configs/iris.yaml
      bptrain eval
      bptrain fit --help
    """

"""`bptrain init`: a ready config for a data file."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bptrain.cli.command import command
from bptrain.formats import listed

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("init", "Write a config for a data file, or from a template.")
def init_command(
    screen: "Screen",
    data: Annotated[Path | None, typer.Option(metavar="FILE", help=f"The data file: {listed()}.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help=f"Target column; repeatable. For {listed('array', ' and ')}: the file of the targets.",
        ),
    ] = None,
    task: Annotated[
        Literal["auto", "classification", "regression"],
        typer.Option(help="Set the task yourself if it is guessed wrong."),
    ] = "auto",
    template: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="An example instead: minimal, full, derivation, xor, penguins or linnerud."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The config file to write.")] = Path(
        "config.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing config.")] = False,
) -> None:
    """Write a commented config that trains as it is, for your data or from a template.

    It inspects the columns, excludes uninformative ones (and prints why), and chooses task, loss, network and
    training. It also writes bptrain.schema.json, with which editors complete and check the config.

    \b
    Examples:
      bptrain init --data titanic.csv --target Survived
      bptrain init --template xor --output xor.yaml
    """
    from bptrain.errors import UsageError

    if template is not None and (data is not None or target or task != "auto"):
        raise UsageError("--template has its own data: leave out --data, --target and --task")
    if template is not None:
        from_template(screen, template, output, force)
    elif data is not None:
        from_data(screen, data, target or [], task, output, force)
    else:
        raise UsageError(
            "nothing to write a config for: give --data FILE --target COLUMN, or --template xor for an example"
        )
    screen.note(f"next: bptrain fit {shlex.quote(str(output))}")


def from_template(screen: "Screen", name: str, output: Path, force: bool) -> None:
    """Writes a template and its data."""
    from bptrain.commands.init.templates import TEMPLATES, template
    from bptrain.commands.init.writing import SCHEMA, refuse_to_overwrite, write
    from bptrain.config.suggestions import suggest
    from bptrain.errors import Problem, UsageError

    if name not in TEMPLATES:
        message = f"unknown template {name}: choose one of {', '.join(TEMPLATES)}"
        raise UsageError(Problem("wrong_choice", message, suggestion=suggest.value(name, TEMPLATES)))
    chosen = template(name)
    refuse_to_overwrite(output, chosen.data, force)
    text = f"# yaml-language-server: $schema={SCHEMA}\n{chosen.text}"
    report(screen, write(text, output, chosen.data), {"template": name})


def from_data(screen: "Screen", data: Path, targets: list[str], task: str, output: Path, force: bool) -> None:
    """Writes a config for a data file."""
    from bptrain.commands.init.config_text import render_config
    from bptrain.commands.init.draft import draft
    from bptrain.commands.init.writing import SCHEMA, refuse_to_overwrite, validate_draft, write

    refuse_to_overwrite(output, {}, force)
    made = draft(data, targets, output, task)
    given = " ".join(f"--target {shlex.quote(target)}" for target in targets)
    said_task = "" if task == "auto" else f" --task {task}"
    text = render_config(
        made, SCHEMA, f"bptrain init --data {shlex.quote(str(data))} {given}{said_task}".strip(), output.name
    )
    done = validate_draft(text, output)
    screen.note(f"task: {made.choices.task} ({made.choices.why})")
    left_out = {one.column.name: one.why_not for one in made.candidates if one.why_not is not None}
    for name, why in left_out.items():
        screen.note(f"excluded: {name}: {why}")
    for name, message in done.warnings:
        screen.warn(name, message)
    fields: dict[str, Any] = {
        "task": made.choices.task,
        "excluded": left_out,
        "sizes": list(done.setup.network.sizes),
    }
    report(screen, write(text, output, {}), fields)


def report(screen: "Screen", written: Any, fields: dict[str, Any]) -> None:
    """Prints which files were written, the config last."""
    for file in (*written.data, written.schema):
        screen.note(f"wrote {file}")
    screen.result(str(written.config))
    files = {
        "config": str(written.config),
        "schema": str(written.schema),
        "data": [str(f) for f in written.data],
    }
    screen.record({**files, **fields})

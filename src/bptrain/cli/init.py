"""`bptrain init`: a ready config for a data file."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bptrain.cli.options import command
from bptrain.formats import listed

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("init", "Write a config for a data file, or from a template.")
def init_command(
    screen: "Screen",
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"The data to learn from: {listed()}.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help=f"What to learn; repeatable. Of {listed('array', ' and ')} the file of the targets.",
        ),
    ] = None,
    task: Annotated[
        Literal["auto", "classification", "regression"], typer.Option(help="If the target does not tell.")
    ] = "auto",
    template: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Without data: minimal, full, derivation, xor, penguins or linnerud."
        ),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The config to be written.")] = Path(
        "config.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Write over a config that is there.")] = False,
) -> None:
    """Write a commented config that trains as it is, for your data or from a template.

    It looks at the columns, leaves out those that tell nothing (with the reason), and chooses task, loss, network and
    training. Beside the config lies bptrain.schema.json, with which editors complete and check it.

    \b
    Examples:
      bptrain init --data titanic.csv --target Survived
      bptrain init --template xor --output xor.yaml
    """
    from bptrain.errors import UsageError

    if template is not None and (data is not None or target or task != "auto"):
        raise UsageError("--template brings its own data: leave out --data, --target and --task")
    if template is not None:
        from_template(screen, template, output, force)
    elif data is not None:
        from_data(screen, data, target or [], task, output, force)
    else:
        raise UsageError(
            "what is the config for? Give --data FILE --target COLUMN, or --template xor for one to play with"
        )
    screen.note(f"next: bptrain fit {shlex.quote(str(output))}")


def from_template(screen: "Screen", name: str, output: Path, force: bool) -> None:
    """Writes a template and its data."""
    from bptrain.commands.init.templates import TEMPLATES, template
    from bptrain.commands.init.writing import SCHEMA, refuse_to_overwrite, write
    from bptrain.config.suggestions import suggest
    from bptrain.errors import Problem, UsageError

    if name not in TEMPLATES:
        message = f"there is no template {name}: {', '.join(TEMPLATES)}"
        raise UsageError(Problem("wrong_choice", message, suggestion=suggest.value(name, TEMPLATES)))
    chosen = template(name)
    refuse_to_overwrite(output, chosen.data, force)
    text = f"# yaml-language-server: $schema={SCHEMA}\n{chosen.text}"
    told(screen, write(text, output, chosen.data), {"template": name})


def from_data(screen: "Screen", data: Path, targets: list[str], task: str, output: Path, force: bool) -> None:
    """Writes a config for a data file."""
    from bptrain.commands.init.draft import draft
    from bptrain.commands.init.page import render_config
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
    left_out = {one.column.name: one.why_not for one in made.judged if one.why_not is not None}
    for name, why in left_out.items():
        screen.note(f"left out: {name}: {why}")
    for name, message in done.warnings:
        screen.warn(name, message)
    fields: dict[str, Any] = {
        "task": made.choices.task,
        "excluded": left_out,
        "sizes": list(done.setup.network.sizes),
    }
    told(screen, write(text, output, {}), fields)


def told(screen: "Screen", written: Any, fields: dict[str, Any]) -> None:
    """Tells which files were written, the config last."""
    for file in (*written.data, written.schema):
        screen.note(f"wrote {file}")
    screen.result(str(written.config))
    files = {
        "config": str(written.config),
        "schema": str(written.schema),
        "data": [str(f) for f in written.data],
    }
    screen.record({**files, **fields})

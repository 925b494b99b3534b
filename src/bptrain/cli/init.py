"""`bptrain init`: a ready config for a data file."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.commands.init.recipes import Effort
    from bptrain.console.terminal.screen import Screen


@command("init", "Write a config for a data file, or from a template.")
def init_command(
    screen: "Screen",
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The data file: a table or arrays, such as csv or npz."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Target column; repeatable. For a file with one array, such as npy: the file of the targets.",
        ),
    ] = None,
    task: Annotated[
        Literal["auto", "classification", "regression"],
        typer.Option(help="Set the task yourself if it is guessed wrong."),
    ] = "auto",
    effort: Annotated[
        Literal["quick", "standard", "best"],
        typer.Option(
            help="How much time a fit may take: a small network, a larger one, or the most accurate."
        ),
    ] = "standard",
    features: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The array of the inputs, in a file of several arrays such as npz."
        ),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column (of npz: the array) that says what each row weighs."),
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file of validation rows; repeatable for tables. For npy or idx twice: inputs, targets.",
        ),
    ] = None,
    test: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A file of test rows, given likewise.")
    ] = None,
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="How the file is written, such as data.header=false. Repeatable.",
        ),
    ] = None,
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

    others = {role: files for role, files in (("validation", validation), ("test", test)) if files}
    of_data = (data is not None, target, task != "auto", effort != "standard", features, weight, others, set)
    if template is not None and any(of_data):
        options = "--data, --target, --task, --effort, --features, --weight, --validation, --test and --set"
        raise UsageError(f"--template has its own data: leave out {options}")
    if template is not None:
        from_template(screen, template, output, force)
    elif data is not None:
        from_data(
            screen, data, target or [], task, output, force, features, weight, set or [], others, effort
        )
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


def from_data(
    screen: "Screen",
    data: Path,
    targets: list[str],
    task: str,
    output: Path,
    force: bool,
    features: str | None,
    weight: str | None,
    overrides: list[str],
    others: dict[str, list[Path]],
    effort: "Effort",
) -> None:
    """Writes a config for a data file."""
    from bptrain.commands.init.config_text import flow, render_config
    from bptrain.commands.init.draft import draft
    from bptrain.commands.init.input_columns import left_out_lines
    from bptrain.commands.init.reading import DECLARED, declared_conventions
    from bptrain.commands.init.writing import SCHEMA, refuse_to_overwrite, validate_draft, write

    refuse_to_overwrite(output, {}, force)
    declared = declared_conventions(data, overrides)
    made = draft(data, targets, output, task, declared, features, weight, others, effort)
    words = ["bptrain", "init", "--data", str(data)]
    words += [word for target in targets for word in ("--target", target)]
    words += [word for override in overrides for word in ("--set", override)]
    words += [word for role, files in others.items() for file in files for word in (f"--{role}", str(file))]
    words += [] if features is None else ["--features", features]
    words += [] if weight is None else ["--weight", weight]
    words += [] if task == "auto" else ["--task", task]
    words += [] if effort == "standard" else ["--effort", effort]
    text = render_config(made, SCHEMA, shlex.join(words), output.name)
    done = validate_draft(text, output)
    for note in made.profile.notes:
        screen.note(note)
    for key in made.keys:
        if key.why != DECLARED:
            screen.note(f"data.{key.name}: {flow(key.value)} ({key.why})")
    screen.note(f"task: {made.choices.task} ({made.choices.why})")
    left_out = {one.column.name: one.why_not for one in made.candidates if one.why_not is not None}
    for line in left_out_lines(made.candidates):
        screen.note(f"excluded: {line}")
    screen.warn_all(done.warnings)
    fields: dict[str, Any] = {
        "task": made.choices.task,
        "effort": effort,
        "excluded": left_out,
        "sizes": [done.setup.prepared.schema.n_inputs, *done.setup.network.sizes[1:]],
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

"""The summary of a validation, in a dozen lines."""

import shutil
import sys
import textwrap
from collections.abc import Generator, Iterator

from bptrain.build.converted_data import Converting
from bptrain.commands.fit.ready import Compiling
from bptrain.commands.validate.cost_model import in_words, size_in_words
from bptrain.commands.validate.validate import Validated
from bptrain.console.fit import converting
from bptrain.console.terminal.screen import Screen, figure
from bptrain.drain import drain
from bptrain.errors import printable
from bptrain.formats.problems import some_of

NAME = 13  # columns of what a line is about
NARROW = 60  # columns; on narrower terminals the text is below its name


def show_steps(screen: Screen, going: Generator[Converting | Compiling, None, Validated]) -> Validated:
    """Runs a validation to its end, says when that takes a while, and prints the warnings."""
    compiling = "compiling the training loop for this network; fit will reuse it …"
    done = drain(
        going, lambda step: screen.note(converting(step) if isinstance(step, Converting) else compiling)
    )
    screen.warn_all(done.warnings)
    return done


def show_validation(screen: Screen, done: Validated) -> None:
    """The summary; a line is broken on a terminal alone."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for name, text in summary(done):
        for line in lines(name, printable(text, spaces=True), width):
            screen.result(line)
    n = len(done.warnings)
    warned = f", with {n} warning{'' if n == 1 else 's'}" if n else ""
    screen.result(f"{done.setup.loaded.document.file}: valid{warned}")


def summary(done: Validated) -> Iterator[tuple[str, str]]:
    """What each line is about, and what it says."""
    setup, plan = done.setup, done.fit.plan
    config, schema, network = setup.loaded.config, setup.prepared.schema, setup.network
    what, *others = setup.prepared.notes
    yield "task", what.removeprefix("task: ")
    for note in others:
        name, _, text = note.partition(": ")
        yield name, text
    if done.ensemble is not None:
        yield (
            "ensemble",
            f"{done.ensemble.members} members by {done.ensemble.by}; what follows is of the first",
        )
    rows, how = ", ".join(f"{n:,} {name}" for name, n in done.split_rows.items()), setup.prepared.how_split
    has_note = any(note.startswith("split: ") for note in others)
    yield "rows", f"{rows} ({how})" if how and not has_note else rows
    columns = [feature.name for feature in schema.features]
    plural = "" if len(columns) == 1 else "s"
    yield "inputs", f"{network.inputs} from {len(columns)} column{plural}: {some_of(columns)}"
    kinds = [f"{feature.name} {feature.kind}" for feature in schema.features if feature.is_special]
    if kinds:
        yield "kinds", some_of(kinds)
    labels = schema.labels or schema.target.names
    of = ", ".join(schema.target.names)
    yield "outputs", f"{network.sizes[-1]} for {of}" + ("" if labels == (of,) else f": {some_of(labels)}")
    sizes = " -> ".join(map(str, network.sizes))
    each = done.activations[0] if len(set(done.activations)) == 1 else ", ".join(done.activations)
    yield "network", f"{sizes}, {each}, {network.size:,} parameters, {config.network.dtype}"
    yield "loss", f"{config.loss.name}; initial loss {figure(done.loss)} per row ({done.rows} rows)"
    yield (
        "optimizer",
        f"{config.optimizer.name}, {updates(plan.steps_per_epoch)} per epoch, {epochs(plan.epochs)}",
    )
    if done.refit_rows is not None:
        yield (
            "refit",
            f"then {done.refit_rows:,} train and validation rows, for the best epoch's number of epochs",
        )
    yield "metrics", ", ".join(setup.metrics)
    yield "engine", f"{done.choice.name} ({done.choice.reason})"
    time, size = in_words(done.estimate.seconds_per_epoch), size_in_words(done.estimate.memory)
    yield (
        "estimate",
        f"about {time} per epoch, {size} for rows, weights and batches (estimated from operation counts)",
    )


def updates(n: int) -> str:
    """A count of updates."""
    return f"{n:,} update{'' if n == 1 else 's'}"


def epochs(n: int) -> str:
    """A count of epochs."""
    return f"{n:,} epoch{'' if n == 1 else 's'}"


def lines(name: str, text: str, width: int | None) -> list[str]:
    """One line of the summary, broken to fit the terminal."""
    if width is None:
        return [f"{name:<{NAME}}{text}"]
    if width < NARROW:
        return [name, *textwrap.wrap(text, width - 1, initial_indent="  ", subsequent_indent="    ")]
    return textwrap.wrap(
        text, width - 1, initial_indent=f"{name:<{NAME}}", subsequent_indent=" " * (NAME + 2),
        break_on_hyphens=False,
    )  # fmt: skip

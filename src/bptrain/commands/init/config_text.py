"""The config of a data file as YAML, with a comment for every choice."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bptrain.commands.init.draft import Draft
from bptrain.commands.init.input_columns import CODES, InputCandidate, what_they_make, without_odd_rows
from bptrain.commands.init.recipes import SHARE
from bptrain.config.yaml.scalars import is_text
from bptrain.data.column_kinds import HOW
from bptrain.data.notations import in_words
from bptrain.data.profile import Column, Profile
from bptrain.data.settings import BUCKETS
from bptrain.errors import printable, short
from bptrain.formats.problems import some_of

LISTED = 40  # columns that are listed one by one
MARKED = 10  # columns with markers of missing values that are listed
ROLES = {"validation": "selects the best weights", "test": "is for the final result"}
FEW_ROWS = 40  # of which all are training rows
# What a plain scalar may look like for every reader of YAML.
PLAIN = re.compile(r"[A-Za-z_./](?:[A-Za-z0-9_ .()/+-]*[A-Za-z0-9_()/+-])?")
WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML 1.1 reads them as something else
Lines = Iterator[tuple[str, str]]


def render_config(draft: Draft, schema: str, command: str, output: str) -> str:
    """The text of a config; `schema` is the file that its first line names, `command` what it was written by."""
    head = [
        f"# yaml-language-server: $schema={schema}",
        comment(f"Written by: {command}"),
        comment(f"Train: bptrain fit {output}. Check without training: bptrain validate {output}"),
        "",
    ]
    sections = (task_lines(draft), data_lines(draft), network_lines(draft), training_lines(draft))
    return "\n".join([*head, *(line for section in sections for line in aligned(section))]) + "\n"


def task_lines(draft: Draft) -> Lines:
    """The task."""
    yield f"task: {draft.choices.task}", draft.choices.why


def data_lines(draft: Draft) -> Lines:
    """The section data."""
    profile = draft.profile
    yield "data:", ""
    if draft.target_file is not None:
        files = flow({"inputs": draft.data, "target": draft.target_file})
        yield f"  train: {files}", f"{profile.rows:,} rows of {profile.width:,} inputs"
    else:
        of = "" if profile.is_table else f" of {profile.width:,} inputs"
        yield f"  train: {scalar(draft.data)}", f"{profile.rows:,} rows{of}; a path is relative to this file"
        if draft.target_names:
            names = draft.target_names
            yield (
                f"  target: {scalar(names[0]) if len(names) == 1 else flow(names)}",
                about_targets(draft.targets),
            )
    for role, files in draft.other_files.items():
        yield f"  {role}: {flow(files)}", ROLES[role]
    for key in draft.keys:
        yield f"  {key.name}: {flow(key.value)}", key.why
    if draft.arrays is not None:
        if draft.arrays.features != "X":
            yield f"  features: {scalar(draft.arrays.features)}", "the array of the inputs"
        if draft.arrays.unused:
            unused = comment(", ".join(draft.arrays.unused))
            yield f"  {unused}: not used; another set goes into a file of its own: data.test", ""
    if draft.weight is not None:
        yield f"  weight: {scalar(draft.weight)}", "what each row counts, in loss and metrics"
    yield from input_lines(draft.candidates)
    yield from exclude_lines(draft.candidates)
    yield from marker_lines(draft)
    yield from kind_lines(draft.candidates)
    yield from missing_lines(draft)
    yield from split_lines(draft)
    if profile.is_bytes:
        yield "  scale: {name: minmax, low: 0, high: 255}", "bytes become 0 to 1"
    else:
        yield "  scale: standard", "numbers: mean 0, standard deviation 1 over the training rows"
    if draft.choices.task == "regression":
        yield "  clip_predictions: true", "to the range of the training targets; false: they may go beyond"


def split_lines(draft: Draft) -> Lines:
    """The shares of the roles that have no file of their own."""
    roles, rows = [role for role in ROLES if role not in draft.other_files], draft.profile.rows
    ensemble = draft.choices.recipe.ensemble
    if ensemble is not None and ensemble.by == "fold":  # which makes the validation rows
        roles.remove("validation")
    if not roles:
        return
    if rows < FEW_ROWS:
        shares, why = dict.fromkeys(roles, 0.0), f"{rows} rows are too few for {' and '.join(roles)} rows"
    else:
        shares, why = dict.fromkeys(roles, SHARE), ", ".join(f"{role} {ROLES[role]}" for role in roles)
    yield f"  split: {flow({role: share or 0 for role, share in shares.items()})}", why


def about_targets(targets: tuple[Column, ...]) -> str:
    """What the targets are."""
    if len(targets) > 1:
        return ""
    (column,) = targets
    if column.kind == "numbers" and column.distinct > len(column.counts):
        return column.span
    shown = ", ".join(f"{short(label)}: {n:,}" for label, n in column.counts[:6])
    return shown + (f" and {column.distinct - 6} more" if column.distinct > 6 else "")


def input_lines(candidates: tuple[InputCandidate, ...]) -> Lines:
    """The inputs, in comments."""
    inputs = [column for column in candidates if column.why_not is None]
    if not inputs:
        return
    made = sum(column.inputs for column in inputs)
    yield f"  # {what_they_make(len(inputs), made)}" + (":" if len(inputs) <= LISTED else ""), ""
    if len(inputs) <= LISTED:
        width = min(max(len(scalar(one.column.name)) for one in inputs), 30)
        for one in inputs:
            yield f"  {comment(f'  {scalar(one.column.name):<{width}}  {one.about}')}", ""
    codes = [one.column.name for one in inputs if may_be_codes(one.column)]
    if codes:
        example = flow({codes[0]: "categorical"})
        yield (
            f"  # if an integer column is a code, mark it as categorical: columns: {example}",
            "",
        )


def may_be_codes(column: Column) -> bool:
    """Whether the numbers of a column may stand for kinds of something."""
    return column.kind == "numbers" and column.dates is None and column.whole and 2 < column.distinct <= CODES


def exclude_lines(candidates: tuple[InputCandidate, ...]) -> Lines:
    """The columns that are no inputs, each with the reason."""
    left_out = [column for column in candidates if column.why_not is not None]
    if not left_out:
        return
    yield "  exclude:", ""
    for one in left_out:
        yield f"    - {scalar(one.column.name)}", one.why_not or ""
        offered = without_odd_rows(one.column)
        if offered is not None:
            yield f"    {comment(f'to use it without such rows: {offered}')}", ""


def marker_lines(draft: Draft) -> Lines:
    """How numbers are written; the cells that were read as missing although something stands in them, and the key that
    makes them values.
    """
    columns = [*draft.targets, *(one.column for one in draft.candidates if one.why_not is None)]
    written: dict[str, list[str]] = {}
    for column in columns:
        if column.notation is not None:
            written.setdefault(in_words(column.notation), []).append(scalar(column.name))
    for words, names in written.items():
        yield f"  {comment(f'numbers with {words}: {some_of(names, MARKED)}')}", ""
    marked = [column for column in columns if column.markers]
    found = list(dict.fromkeys(marker for column in marked for marker, _ in column.markers))
    for column in marked[:MARKED]:
        cells = ", ".join(f"{n:,} {marker}" for marker, n in column.markers[:3])
        line = f"{scalar(column.name)}: cells read as missing: {cells}"
        if column.kind != "numbers":
            others = [marker for marker in found if marker not in dict(column.markers)]
            line += f"; if they are values: missing_markers: {flow(others)}"
        yield f"  {comment(line)}", ""
    if marked[MARKED:]:
        yield f"  {comment(f'and {len(marked) - MARKED:,} more columns with such cells')}", ""


def kind_lines(candidates: tuple[InputCandidate, ...]) -> Lines:
    """The columns whose kind is written out: dates, and categories that are hashed."""
    said = [(one, stated) for one in candidates if (stated := stated_kind(one)) is not None]
    if said:
        yield "  columns:", ""
    for one, (value, why) in said:
        yield f"    {scalar(one.column.name)}: {flow(value)}", why


def stated_kind(one: InputCandidate) -> tuple[Any, str] | None:
    """The kind of an input as `data.columns` has it, with a comment; None where it need not be said."""
    form = one.column.dates
    if one.why_not is not None or (form is None and not one.is_hashed):
        return None
    if form is None:
        value = {"kind": "categorical", "encode": "hash", "buckets": BUCKETS}
        return value, f"{one.column.distinct:,} categories share {BUCKETS} inputs"
    if form.also is not None:
        why = f"or format: {form.also} ({HOW[form.also]}): the cells do not tell"
        return {"kind": "datetime", "format": form.form}, why
    if one.column.kind == "numbers":
        return {"kind": "datetime", "format": form.form}, "whole numbers that are all dates"
    return "datetime", HOW[form.form]


def missing_lines(draft: Draft) -> Lines:
    """What is done with empty cells."""
    policies, why = missing_policies(draft.profile, draft.targets, draft.candidates)
    yield f"  missing: {policies}", why


def missing_policies(
    profile: Profile, targets: tuple[Column, ...], candidates: tuple[InputCandidate, ...]
) -> tuple[str, str]:
    """What is done with empty cells, and the comment on it."""
    gaps = [one.column for one in candidates if one.why_not is None and one.column.missing]
    without = [column for column in targets if column.missing]
    if profile.is_table and without:
        policies = {column.name: "drop" for column in without}
        policies |= {
            one.name: "median" if one.kind == "numbers" or one.dates else "most_frequent" for one in gaps
        }
        return flow(policies), "rows without a target are dropped"
    if without:
        return "drop", "rows without a target are dropped"
    if gaps or profile.missing:
        return "median", "text columns: the most frequent value"
    return "error", "no cell is empty; or mean, median, most_frequent, drop"


def network_lines(draft: Draft) -> Lines:
    """Network, loss and optimizer."""
    choices, recipe = draft.choices, draft.choices.recipe
    yield "network:", ""
    sizes = flow(["auto", *recipe.hidden, "auto"])
    yield f"  sizes: {sizes}", "the numbers of inputs and outputs come from the data"
    functions = flow([*(recipe.activation for _ in recipe.hidden), choices.output])
    yield f"  activations: {functions}", "bptrain list activations shows all"
    if recipe.embedding is not None:
        embed = flow({"name": "periodic", **recipe.embedding._asdict()})
        yield f"  input: {{embed: {embed}}}", "beside each number trained functions of it, made of cosines"
    loss: dict[str, Any] = {"name": choices.loss}
    if recipe.smoothing:
        loss["label_smoothing"] = recipe.smoothing
        why = "targets a little below 1 and above 0, so that outputs do not become too sure"
        yield f"loss: {flow(loss)}", why
    else:
        yield f"loss: {choices.loss}", "bptrain list losses shows all"
    if choices.rare is not None:
        balanced = flow({**loss, "class_weight": "balanced"})
        yield comment(f"{choices.rare} is rare; if it matters as much as the others: loss: {balanced}"), ""
    adam = {"name": "adam", "learning_rate": recipe.learning_rate, "beta2": recipe.beta2}
    yield f"optimizer: {flow(adam)}", "beta2: how long squared gradients are remembered"


def training_lines(draft: Draft) -> Lines:
    """How long."""
    choices, recipe = draft.choices, draft.choices.recipe
    yield "training:", ""
    yield f"  batch_size: {recipe.batch_size}", "rows per update"
    average = flow({"decay": recipe.average})
    yield f"  average: {average}", "the weights used are a mean of those of the last updates"
    if recipe.patience is None:
        yield f"  epochs: {recipe.epochs}", ""
    else:
        yield f"  epochs: {recipe.epochs}", "at most"
        stopping = flow({"patience": recipe.patience, "min_delta": 0})
        yield f"  early_stopping: {stopping}", "stops when validation loss stops improving"
    if recipe.ensemble is not None:
        how = (
            "each validates with an eighth of the rows"
            if recipe.ensemble.by == "fold"
            else "of different seeds"
        )
        yield (
            f"ensemble: {flow(recipe.ensemble._asdict())}",
            f"the mean of {recipe.ensemble.members} networks, {how}",
        )
    if choices.task == "classification" and choices.rare is not None:
        yield "metrics: [accuracy, balanced_accuracy]", "bptrain list metrics shows all"


def scalar(value: Any) -> str:
    """A value, quoted where it would be read as another."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if PLAIN.fullmatch(text) and is_text(text) and text.lower() not in WORDS:
        return text
    return f'"{"".join(escaped(character) for character in text)}"'


def escaped(character: str) -> str:
    """A character in double quotes."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(entry) for entry in value)}]"
    return scalar(value)


def comment(text: str) -> str:
    """Text behind a #: one line of it."""
    return f"# {printable(text)}"


def aligned(lines: Iterable[tuple[str, str]], most: int = 44) -> list[str]:
    """Lines, each with its comment, if any, in one column; right after the text of a line longer than `most`."""
    pairs = list(lines)
    width = max((len(line) for line, said in pairs if said and len(line) <= most), default=0)
    return [f"{line:<{width}}  {comment(said)}" if said else line for line, said in pairs]

"""The config of a data file, with a comment for every choice."""

from collections.abc import Iterator

from bptrain.commands.init.columns import CODES, Judged
from bptrain.commands.init.draft import Draft
from bptrain.commands.init.yaml_text import aligned, comment, flow, scalar
from bptrain.data.profile import Column

LISTED = 40  # columns that are listed one by one
FEW_ROWS = 40  # of which none are held out
Lines = Iterator[tuple[str, str]]


def render_config(draft: Draft, schema: str, command: str, output: str) -> str:
    """The text of a config; `schema` is the file that its first line names, `command` what it was written by."""
    head = [
        f"# yaml-language-server: $schema={schema}",
        comment(f"Written by: {command}"),
        comment(f"It trains as it is: bptrain fit {output}. What it would train: bptrain validate {output}"),
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
    yield from input_lines(draft.judged)
    yield from exclude_lines(draft.judged)
    yield from missing_lines(draft)
    if profile.rows < FEW_ROWS:
        yield "  split: {validation: 0, test: 0}", f"{profile.rows} rows are too few to hold any out"
    else:
        yield (
            "  split: {validation: 0.15, test: 0.15}",
            "validation chooses the best weights, test is kept for the end",
        )
    if profile.is_bytes:
        yield "  scale: {name: minmax, low: 0, high: 255}", "bytes become 0 to 1"
    else:
        yield "  scale: standard", "numbers: mean 0, deviation 1 over the training rows"


def about_targets(targets: tuple[Column, ...]) -> str:
    """What is to be learned."""
    if len(targets) > 1:
        return ""
    (column,) = targets
    if column.kind == "numbers" and column.distinct > len(column.counts):
        return column.span
    shown = ", ".join(f"{label}: {n:,}" for label, n in column.counts[:6])
    return shown + (f" and {column.distinct - 6} more" if column.distinct > 6 else "")


def input_lines(judged: tuple[Judged, ...]) -> Lines:
    """The inputs, in comments."""
    inputs = [column for column in judged if column.why_not is None]
    if not inputs:
        return
    made = sum(column.inputs for column in inputs)
    yield f"  # {len(inputs)} columns make {made:,} inputs" + (":" if len(inputs) <= LISTED else ""), ""
    if len(inputs) <= LISTED:
        width = min(max(len(scalar(one.column.name)) for one in inputs), 30)
        for one in inputs:
            yield f"  {comment(f'  {scalar(one.column.name):<{width}}  {one.about}')}", ""
    codes = [one.column.name for one in inputs if may_be_codes(one.column)]
    if codes:
        example = flow({codes[0]: "categorical"})
        yield (
            f"  # whole numbers that are codes and not amounts are better categories: columns: {example}",
            "",
        )


def may_be_codes(column: Column) -> bool:
    """Whether the numbers of a column may stand for kinds of something."""
    return column.kind == "numbers" and column.whole and 2 < column.distinct <= CODES


def exclude_lines(judged: tuple[Judged, ...]) -> Lines:
    """The columns that are no inputs, each with the reason."""
    left_out = [column for column in judged if column.why_not is not None]
    if not left_out:
        return
    yield "  exclude:", ""
    for one in left_out:
        yield f"    - {scalar(one.column.name)}", one.why_not or ""


def missing_lines(draft: Draft) -> Lines:
    """What is done with empty cells."""
    gaps = [one.column for one in draft.judged if one.why_not is None and one.column.missing]
    targets = [column for column in draft.targets if column.missing]
    if draft.profile.is_table and targets:
        policies = {column.name: "drop" for column in targets}
        policies |= {one.name: "median" if one.kind == "numbers" else "most_frequent" for one in gaps}
        yield f"  missing: {flow(policies)}", "rows without a target teach nothing"
    elif targets:
        yield "  missing: drop", "rows without a target teach nothing"
    elif gaps or draft.profile.missing:
        yield "  missing: median", "text columns: the most frequent value"
    else:
        yield "  missing: error", "no cell is empty; or mean, median, most_frequent, drop"


def network_lines(draft: Draft) -> Lines:
    """Network, loss and optimizer."""
    choices = draft.choices
    yield "network:", ""
    yield f"  sizes: [auto, {choices.network.hidden}, auto]", "inputs and outputs are counted in the data"
    yield f"  activations: [relu, {choices.output}]", "bptrain list activations shows all"
    yield f"loss: {choices.loss}", "bptrain list losses shows all"
    if choices.rare is not None:
        balanced = flow({"name": choices.loss, "class_weight": "balanced"})
        yield comment(f"{choices.rare} is rare; where it matters as much as the others: loss: {balanced}"), ""
    yield f"optimizer: {{name: adam, learning_rate: {choices.network.learning_rate}}}", ""


def training_lines(draft: Draft) -> Lines:
    """How long."""
    choices, network = draft.choices, draft.choices.network
    yield "training:", ""
    yield f"  batch_size: {network.batch_size}", "rows an update"
    if choices.stops_early:
        yield f"  epochs: {network.epochs}", "at most"
        yield (
            "  early_stopping: {patience: 20, min_delta: 0.0001}",
            "ends where the validation loss no longer falls",
        )
    else:
        yield "  epochs: 200", ""
    if choices.task == "classification" and choices.rare is not None:
        yield "metrics: [accuracy, balanced_accuracy]", "bptrain list metrics shows all"

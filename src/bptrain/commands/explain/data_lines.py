"""What a row of the data is to the network: its inputs x_0, its target t, its weight ω."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bptrain.build.data import prepare_data
from bptrain.commands.explain import input_lines
from bptrain.commands.explain.derivation import DerivationLine, DerivationSection, listed, number, shape
from bptrain.commands.explain.part_lines import Alphabet, own_words, text_of
from bptrain.config import Loaded
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.features import Feature
from bptrain.data.schema import Schema
from bptrain.errors import DataError, printable
from bptrain.formats.problems import some_of
from bptrain.parts.scalers import scalers

FEW = 6  # numbers of targets or classes that are listed
KINDS_OF_COLUMNS: dict[str, Callable[[Feature], bool]] = {
    "1 for the category, 0 for the others": lambda one: one.kind == "categorical" and not one.buckets,
    "1 in the bucket of the category, 0 in the others": lambda one: one.buckets > 0,
    "one more category for all that are rare or unknown": lambda one: one.has_other,
    "1 for true, 0 for false": lambda one: one.kind == "boolean",
    "the place of the level in its order, from 0, scaled as a number is": lambda one: one.kind == "ordinal",
    "days since 1970, scaled as a number is": lambda one: one.kind == "datetime" and one.form != "time",
    "the part of the day that has passed, scaled as a number is": lambda one: one.form == "time",
    "sine and cosine of the angle in the year": lambda one: "year" in one.cycles,
    "sine and cosine of the angle in the week": lambda one: "week" in one.cycles,
    "sine and cosine of the angle in the day": lambda one: "day" in one.cycles,
    "one more input, 1 where the cell was missing": lambda one: one.indicator,
}
NUMBER_OF = {
    "identity": "the number",
    "log": "ln of the number",
    "log1p": "ln of 1 + the number",
}  # by function
KINDS = {  # Target.kind -> what t is
    "classes": "1 for the class of the instance, 0 for the others",
    "binary": "1 for the second class, 0 for the first",
    "distribution": "the probability of each class",
    "multilabel": "1 for yes, 0 for no",
    "values": "the target",
}


class RowsSeen(NamedTuple):
    """What was read of the data."""

    schema: Schema | None = None  # None: the data could not be read
    train: int | None = None  # training rows
    validation: bool | None = None  # whether there are validation rows; None: the data could not be read
    reason: str = ""  # why it could not be read
    how_split: str = ""  # how validation and test rows are split off


def rows_seen(loaded: Loaded, needed: bool) -> RowsSeen:
    """Reads the data of a config. Raises DataError where it is `needed` for a size or the task and cannot be read."""
    try:
        prepared = prepare_data(loaded)
    except DataError as error:
        if needed:
            raise
        return RowsSeen(reason=printable(error.problems[0].message))
    rows, has_validation = len(prepared.splits["train"].X), "validation" in prepared.splits
    return RowsSeen(prepared.schema, rows, has_validation, how_split=prepared.how_split)


def data_lines(config: Config, network: Network, seen: RowsSeen, alphabet: Alphabet) -> DerivationSection:
    """x_0, t, and ω where rows weigh differently."""
    n, m, x = network.inputs, network.sizes[-1], input_lines.name_of_inputs(network)
    scale = text_of(scalers, config.data.scale, "data.scale", "inputs", alphabet)
    how = scale.equations[0] if scale.equations else own_words(scalers, config.data.scale.name)
    lines = [
        DerivationLine(f"{x}: the inputs of an instance", shape(n, 1)),
        DerivationLine(f"numbers in {x} are scaled by {config.data.scale.name}: {how}"),
        *scale.lines(first=1),
        *column_scale_lines(config, alphabet),
        *(() if seen.schema is None else kind_lines(seen.schema)),
        DerivationLine(f"t: {target_text(config, seen)}", shape(m, 1)),
        *target_scale_lines(config, seen, alphabet),
        *weight_lines(config, seen),
    ]
    if seen.train is None:
        lines.append(DerivationLine("N: the number of training rows"))
        lines.append(DerivationLine(f"the data cannot be read: {seen.reason}"))
    else:
        lines.append(DerivationLine(f"N = {seen.train} training rows"))
        if seen.how_split:
            lines.append(DerivationLine(f"the other rows are split off: {printable(seen.how_split)}"))
    return DerivationSection("Data", tuple(lines))


def column_scale_lines(config: Config, alphabet: Alphabet) -> Iterator[DerivationLine]:
    """The columns that are scaled in a way of their own."""
    for name, column in config.data.columns.items():
        if column.scale is None:
            continue
        text = text_of(scalers, column.scale, f"data.columns.{name}.scale", name, alphabet)
        how = text.equations[0] if text.equations else own_words(scalers, column.scale.name)
        yield DerivationLine(f"{printable(name)} is scaled by {column.scale.name}: {how}")
        yield from text.lines(first=1)


def kind_lines(schema: Schema) -> Iterator[DerivationLine]:
    """What becomes of columns that are not numbers."""
    for what, chosen in KINDS_OF_COLUMNS.items():
        names = [printable(feature.name) for feature in schema.features if chosen(feature)]
        if names:
            yield DerivationLine(f"{what}: {some_of(names, FEW)}")


def target_text(config: Config, seen: RowsSeen) -> str:
    """What t is."""
    return KINDS["values"] if seen.schema is None else KINDS[seen.schema.target.kind]


def target_scale_lines(config: Config, seen: RowsSeen, alphabet: Alphabet) -> Iterator[DerivationLine]:
    """How t comes from the target in its own units, which is not so for classes."""
    chosen = config.data.scale_target
    if seen.schema is not None and seen.schema.target.kind != "values":
        return
    if chosen.name == "auto":
        said = "scaled to suit the outputs (data.scale_target: auto)"
    else:
        text = text_of(scalers, chosen, "data.scale_target", "target", alphabet)
        how = text.equations[0] if text.equations else own_words(scalers, chosen.name)
        yield DerivationLine(f"t is scaled by {chosen.name}: {how}")
        yield from text.lines(first=1)
        said = "scaled"
    if config.data.clip_predictions:
        yield DerivationLine(
            "predictions are clipped to the range of the training rows' targets (data.clip_predictions)"
        )
    target = None if seen.schema is None else seen.schema.target
    if target is None:
        yield DerivationLine(f"t is {said} where it is a number")
        return
    scaled = {*target.center} != {0.0} or {*target.spread} != {1.0} or target.function != "identity"
    if not scaled:
        yield DerivationLine("t is in the units of the data: it is not scaled")
        return
    centers, spreads = (listed_numbers(values) for values in (target.center, target.spread))
    number_of = NUMBER_OF[target.function]
    yield DerivationLine(f"t is {said}: {number_of} in the data − {centers}, over {spreads}")


def listed_numbers(values: tuple[float, ...]) -> str:
    """Some numbers, in brackets where there are several."""
    shown = [f"{value:.6g}" for value in values]
    return shown[0] if len(shown) == 1 else f"[{listed(shown) if len(shown) > FEW else ', '.join(shown)}]"


def weight_lines(config: Config, seen: RowsSeen) -> Iterator[DerivationLine]:
    """ω, the weight of a row."""
    column, of_class = config.data.weight, config.loss.class_weight
    if column is None and of_class is None:
        return
    factors = [] if column is None else [f"the row's {printable(column)} (data.weight)"]
    factors += [] if of_class is None else ["the weight of its class"]
    yield DerivationLine(f"ω: the weight of an instance, {' times '.join(factors)}")
    if of_class is None:
        return
    if of_class == "balanced":
        said = "balanced: N / (K N_k), N_k = the training rows of class k"
    else:
        said = ", ".join(f"{printable(str(label))}: {number(float(w))}" for label, w in of_class.items())
    yield DerivationLine(f"the weight of a class is {said} (loss.class_weight)")
    if seen.schema is None:
        yield DerivationLine("K: the number of classes; k: one of them")
    else:
        weights = listed_numbers(seen.schema.class_weights)
        yield DerivationLine(f"K = {len(seen.schema.labels)} classes; their weights are {weights}")

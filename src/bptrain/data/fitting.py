"""What is learned from the training rows alone: fill values, categories, scaling."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from bptrain.data.cells import value_of
from bptrain.data.column_kinds import ColumnKind, number_of
from bptrain.data.dates import cycles_that_vary
from bptrain.data.features import Feature, outside
from bptrain.data.levels import level_key
from bptrain.data.missing import FILLS, fill_of_number, fill_of_text
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.table import ColumnBlock, chunks, text_of
from bptrain.data.targets import Target, all_values, range_of
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import ErrorList
from bptrain.formats.text_columns import is_whole
from bptrain.parts.scalers import FUNCTIONS, Affine, Scaler, minmax, none, standard
from bptrain.parts.types import Array

FIT_CHUNK = 1 << 23  # 64 MB of float64: so many numbers are fitted at a time


def fit_features(
    block: ColumnBlock, rows: Array, settings: DataSettings, kinds: Mapping[str, ColumnKind]
) -> tuple[Feature, ...]:
    """The features, fitted on these rows. Missing cells are filled before the scaling is fitted.

    `kinds` are those of the columns that are neither numbers nor categories. Raises DataError for a column without a
    value in these rows, or with values that cannot be scaled.
    """
    by_name: dict[str, Feature] = {}
    k = len(block.number_names)
    step = max(1, FIT_CHUNK // len(rows))
    for start in range(0, k, step):
        names = block.number_names[start : start + step]
        numbers = _chosen(block, rows, slice(start, start + step))
        cycles = _cycles(numbers, names, kinds)  # of the cells that are there, so before any is filled
        fills = [_fill_column(numbers[:, j], name, settings, kinds) for j, name in enumerate(names)]
        for scaler, columns in _by_scaler(names, settings, kinds):
            _check_constants(scaler, [names[j] for j in columns], [fills[j] for j in columns], settings)
            chosen = numbers if len(columns) == len(names) else numbers[:, columns]
            fitted = _fit(scaler, chosen, tuple(names[j] for j in columns), block, rows)
            for j, c, s in zip(columns, fitted.center.tolist(), fitted.spread.tolist(), strict=True):
                name, kind = names[j], kinds.get(names[j], NUMERIC)
                feature = Feature(name, "numeric", kind.order, fills[j], c, s, fitted.function, fitted.clip)
                by_name[name] = _of_kind(feature, kind, cycles.get(name, ()), settings)
    for name in block.texts:
        by_name[name] = _categories(block, name, rows, settings)
    return tuple(by_name[name] for name in block.names)


def _chosen(block: ColumnBlock, rows: Array, columns: slice) -> Array:
    """Some columns of these rows, float64, C-contiguous, in room of their own."""
    width = len(block.number_names[columns])
    chosen = block.storage.empty((len(rows), width), np.float64)
    for part in chunks(len(rows), width):
        chosen[part] = block.numbers[rows[part], columns]
    return chosen


NUMERIC = ColumnKind("numeric")


def _by_scaler(
    names: tuple[str, ...], settings: DataSettings, kinds: Mapping[str, ColumnKind]
) -> list[tuple[Scaler, list[int]]]:
    """The scalers, each with the places of its columns; booleans stay 0 and 1 unless they are given one.

    Places in an order, and days, are no amounts: where numbers are scaled by their logarithms, these are standardized.
    Raises DataError where logarithms of them are asked for.
    """
    groups: dict[int, tuple[Scaler, list[int]]] = {}
    of_others = STANDARD if kinds and function_of(settings.scale) else settings.scale
    for j, name in enumerate(names):
        kind, own = kinds.get(name, NUMERIC).kind, settings.options(name).scale
        default = settings.scale if kind == "numeric" else UNSCALED if kind == "boolean" else of_others
        if own is not None and kind != "numeric" and function_of(own):
            message = f"column {name} is {kind}, and {function_of(own)} is a scaling of numbers"
            raise DataError(Problem("scaled_kind", message, path=f"data.columns.{name}.scale"))
        scaler = default if own is None else own
        groups.setdefault(id(scaler), (scaler, []))[1].append(j)
    return list(groups.values())


UNSCALED, STANDARD = none(), standard()


def function_of(scaler: Scaler) -> str:
    """The function of a scaler; "" where it is the identity."""
    function = scaler(np.array([[1.0], [2.0]])).function
    return "" if function == "identity" else function


def _check_constants(
    scaler: Scaler, names: Sequence[str], fills: Sequence[float | None], settings: DataSettings
) -> None:
    """Raises DataError for a constant of the config that the scaling of its column does not take."""
    for name, value in zip(names, fills, strict=True):
        if value is None or settings.policy(name) != "constant":
            continue
        function = function_of(scaler)
        if function and not FUNCTIONS[function].defined(np.array(value)):
            takes = FUNCTIONS[function].values
            message = f"column {name} is filled with {value:g}, and the scaling {function} takes {takes}"
            raise DataError(Problem("fill_value", message, path=f"data.missing.{name}.value"))


def _cycles(
    numbers: Array, names: Sequence[str], kinds: Mapping[str, ColumnKind]
) -> dict[str, tuple[str, ...]]:
    """Name -> the cycles of a column of dates."""
    dates = [(j, name) for j, name in enumerate(names) if kinds.get(name, NUMERIC).kind == "datetime"]
    return {name: cycles_that_vary(numbers[:, j], kinds[name].form) for j, name in dates}


def _of_kind(feature: Feature, kind: ColumnKind, cycles: tuple[str, ...], settings: DataSettings) -> Feature:
    """A feature that was scaled as a number, as what it is."""
    indicator = feature.fill is not None and settings.fill(feature.name).indicator
    if kind.kind == "numeric":
        return feature._replace(indicator=indicator)
    chosen: Any = kind.kind
    return feature._replace(kind=chosen, form=kind.form, cycles=cycles, indicator=indicator)


def _categories(block: ColumnBlock, name: str, rows: Array, settings: DataSettings) -> Feature:
    """A column of categories: those of these rows, the rare ones apart, or none where they are hashed."""
    options, policy, fill = settings.options(name), settings.policy(name), settings.fill(name)
    if options.scale is not None:
        message = (
            f"column {name} has categories, which are not scaled: declare it numeric, or remove its scale"
        )
        raise DataError(Problem("scaled_categories", message, path=f"data.columns.{name}.scale"))
    counts = {text: n for text, n in block.texts[name][rows].counts().items() if text is not None}
    stand_in = None
    if policy == "constant":
        stand_in = str(fill.value)
        counts.setdefault(stand_in, options.min_count)
    if not counts:
        raise _empty(name)
    if policy in FILLS and stand_in is None:
        stand_in = fill_of_text(block, name, rows)
    levels = sorted(counts, key=level_key)
    rare = tuple(level for level in levels if counts[level] < options.min_count)
    common = tuple(level for level in levels if counts[level] >= options.min_count)
    if options.buckets:
        common = rare = ()
    return Feature(
        name,
        "categorical",
        common,
        stand_in,
        unknown=options.unknown,
        rare=rare,
        buckets=options.buckets,
        indicator=stand_in is not None and fill.indicator,
    )


def _fill_column(
    column: Array, name: str, settings: DataSettings, kinds: Mapping[str, ColumnKind]
) -> float | None:
    """Fill the missing cells of a column in place; the value, or None where the policy fills none."""
    policy = settings.policy(name)
    if policy not in FILLS:
        return None
    missing = np.isnan(column)
    if missing.all():
        raise _empty(name)
    if policy == "constant":
        value = constant_of(name, settings.fill(name).value, kinds.get(name, NUMERIC))
    else:
        kind, there = kinds.get(name, NUMERIC).kind, column[~missing]
        frequent = kind == "boolean"  # half of true is no value
        value = fill_of_number("most_frequent" if frequent else policy, there)
        if kind == "datetime" and is_whole(there):  # half past nothing is no day
            value = float(round(value))
    column[missing] = value
    return value


def constant_of(name: str, value: object, kind: ColumnKind) -> float:
    """The number that a constant of the config stands for. Raises DataError where the column has none such."""
    text = text_of(str(value).lower() if isinstance(value, bool) else value)
    found = value_of(text) if kind.kind == "numeric" else number_of(kind)(text)
    if not isinstance(found, float):
        message = f"column {name} is {kind.kind}, so {text!r} cannot fill it"
        raise DataError(Problem("fill_value", message, path=f"data.missing.{name}.value"))
    return found


def _empty(name: str) -> DataError:
    message = f"column {name} has no value in any training row; list it in data.exclude"
    return DataError(Problem("empty_column", message, path="data.exclude"))


def _fit(scaler: Scaler, values: Array, names: tuple[str, ...], block: ColumnBlock, rows: Array) -> Affine:
    """The scaler's map of these values, which are those of some rows of a block.

    Raises DataError where the columns are too large for it, and for values that its function does not take.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        fitted = scaler(values)
    if fitted.function != "identity":
        errors = ErrorList()
        for row, k in np.argwhere(~FUNCTIONS[fitted.function].defined(values)):
            errors.add(partial(outside, block, int(rows[row]), names[k], fitted.function, values[row, k]))
        errors.raise_if_any()
    bad = np.flatnonzero(~(np.isfinite(fitted.center) & np.isfinite(fitted.spread)))
    if bad.size:
        names_of_bad = ", ".join(names[k] for k in bad[:10])
        message = f"the numbers of {names_of_bad} are too large to be scaled; correct or rescale them"
        raise DataError(Problem("too_large", message, path="data.train"))
    return fitted


def fit_target(
    target: Target, block: ColumnBlock, rows: Array, settings: DataSettings, facts: NetworkFacts
) -> tuple[Target, str | None]:
    """The target with its scaling, and a note of what was chosen for the user, if anything.

    Raises DataError at data.scale_target where labels would be scaled, and at data.clip_predictions likewise.
    """
    scaler, note = settings.scale_target, None
    if settings.clip_predictions:
        target = _bounded(target, block, rows)
    if target.kind != "values":
        if scaler is not None and not _is_identity(scaler):
            message = "labels and probabilities are not scaled; remove it, or set task: regression"
            raise DataError(Problem("scaled_labels", message, path="data.scale_target"))
        return target, None
    if scaler is None:
        scaler, note = automatic_scaler(facts)
    if scaler is None:
        m = len(target.names)
        return target._replace(center=(0.0,) * m, spread=(1.0,) * m), None
    fitted = _fit(scaler, all_values(block, rows), target.names, block, rows)
    if fitted.clip != "none":
        message = "clipped values cannot be turned back into those of the target: choose another scaling"
        raise DataError(Problem("clipped_target", message, path="data.scale_target"))
    center, spread = tuple(fitted.center.tolist()), tuple(fitted.spread.tolist())
    return target._replace(center=center, spread=spread, function=fitted.function), note


def _bounded(target: Target, block: ColumnBlock, rows: Array) -> Target:
    """The target with the range of these rows, which predictions do not leave."""
    if target.kind != "values":
        message = "labels and probabilities have no range to clip to; remove it, or set task: regression"
        raise DataError(Problem("clipped_labels", message, path="data.clip_predictions"))
    low, high = range_of(block, rows)
    return target._replace(bounds=tuple(zip(low.tolist(), high.tolist(), strict=True)))


def automatic_scaler(facts: NetworkFacts) -> tuple[Scaler | None, str | None]:
    """How numeric targets are scaled where the user leaves it to us, and a note of it; None for not."""
    if facts.scale_is_none or facts.loss_outputs != "values":  # the loss expects targets in its own range
        return None, None
    low, high = facts.output_range or (-math.inf, math.inf)
    if math.isinf(low) and math.isinf(high):
        return standard(), "scale_target: standard (the output has no bounds)"
    if math.isinf(high):  # where it is open, so not where a bound on the other side holds it
        to = (max(low, 0.0), max(low, 0.0) + 1)
    elif math.isinf(low):
        to = (min(high, 0.0) - 1, min(high, 0.0))
    else:  # an output that approaches its bounds but never reaches them needs room
        margin = 0.1 * min(1.0, high - low)
        to = (low + margin, high - margin)
    reach = f"the output lies between {low:g} and {high:g}"
    return minmax(to=to), f"scale_target: minmax to [{to[0]:g}, {to[1]:g}] ({reach})"


def _is_identity(scaler: Scaler) -> bool:
    """Whether a scaler leaves numbers as they are, whatever its name."""
    with np.errstate(all="ignore"):
        center, spread, function, clip = scaler(np.array([[-1.0], [3.0]]))
    return bool(center[0] == 0 and spread[0] == 1 and function == "identity" and clip == "none")

"""What is learned from the training rows alone: fill values, categories, scaling."""

import math

import numpy as np

from bptrain.data.features import Feature
from bptrain.data.levels import level_key
from bptrain.data.missing import FILLS, fill_of_number, fill_of_text
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.table import ColumnBlock
from bptrain.data.targets import Target, values_of
from bptrain.errors import DataError, Problem
from bptrain.parts.scalers import Affine, Scaler, minmax, standard
from bptrain.parts.types import Array

FIT_CHUNK = 1 << 23  # 64 MB of float64: so many numbers are fitted at a time


def fit_features(block: ColumnBlock, rows: Array, settings: DataSettings) -> tuple[Feature, ...]:
    """The features, fitted on these rows. Missing numbers are filled before the scaling is fitted.

    Raises DataError for a column without a value in these rows, or with values too large to scale.
    """
    by_name: dict[str, Feature] = {}
    k = len(block.number_names)
    step = max(1, FIT_CHUNK // len(rows))
    for start in range(0, k, step):
        names = block.number_names[start : start + step]
        numbers = block.numbers[rows, start : start + step].astype(np.float64)
        fills = [_fill_column(numbers[:, j], name, settings.policy(name)) for j, name in enumerate(names)]
        center, spread = _fit(settings.scale, numbers, names)
        for name, fill, c, s in zip(names, fills, center.tolist(), spread.tolist(), strict=True):
            by_name[name] = Feature(name, "numeric", (), fill, c, s)
    for name, cells in block.texts.items():
        categories = tuple(sorted(set(cells[rows]) - {None}, key=level_key))
        if not categories:
            raise _empty(name)
        fill_text = fill_of_text(block, name, rows) if settings.policy(name) in FILLS else None
        by_name[name] = Feature(name, "categorical", categories, fill_text)
    return tuple(by_name[name] for name in block.names)


def _fill_column(column: Array, name: str, policy: str) -> float | None:
    """Fill the missing cells of a column in place; the value, or None where the policy fills none."""
    if policy not in FILLS:
        return None
    missing = np.isnan(column)
    if missing.all():
        raise _empty(name)
    value = fill_of_number(policy, column[~missing])
    column[missing] = value
    return value


def _empty(name: str) -> DataError:
    message = f"column {name} has no value in any training row; list it in data.exclude"
    return DataError(Problem("empty_column", message, path="data.exclude"))


def _fit(scaler: Scaler, rows: Array, names: tuple[str, ...]) -> Affine:
    """The scaler's map. Raises DataError where the columns are too large for it."""
    with np.errstate(over="ignore", invalid="ignore"):
        fitted = scaler(rows)
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

    Raises DataError at data.scale_target where labels would be scaled.
    """
    scaler, note = settings.scale_target, None
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
    center, spread = _fit(scaler, values_of(block)[rows], target.names)
    return target._replace(center=tuple(center.tolist()), spread=tuple(spread.tolist())), note


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
    center, spread = scaler(np.array([[-1.0], [3.0]]))
    return bool(center[0] == 0 and spread[0] == 1)

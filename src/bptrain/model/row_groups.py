"""A model on groups of rows: those with the same value in a column."""

from typing import Any, NamedTuple

import numpy as np

from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.errors import DataError, Problem, short
from bptrain.parts.metrics import mean_over_rows
from bptrain.parts.types import Array
from bptrain.store.plain import plain
from bptrain.training.evaluation import Evaluation, Seen
from bptrain.training.intervals import Intervals

VALUES = 20  # a column with more different numbers is cut into QUARTERS parts
QUARTERS = 4
MOST = 100  # groups


class RowGroup(NamedTuple):
    """Rows with the same value."""

    value: str | float | None  # a text, a number, "LOW to HIGH" of a part, or None where the cell is missing
    rows: Array  # their numbers among all


class GroupReport(NamedTuple):
    """A model on one group."""

    value: str | float | None
    evaluation: Evaluation
    intervals: Intervals
    selection_rate: (
        dict[str, float] | None
    )  # label -> share of rows predicted as it (or with a yes); None for values

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "value": self.value,
            "rows": self.evaluation.rows,
            "loss": plain(self.evaluation.loss),
            "metrics": plain(self.evaluation.metrics),
            "intervals": plain(self.intervals.metrics),
            **({} if self.selection_rate is None else {"selection_rate": plain(self.selection_rate)}),
        }


class ByColumn(NamedTuple):
    """A model on the groups of a column."""

    column: str
    groups: tuple[GroupReport, ...]

    def record(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"column": self.column, "groups": [group.record() for group in self.groups]}


def groups_of(column: Array, name: str) -> list[RowGroup]:
    """The groups of a column, N numbers with NaN or texts with None, in order, the missing cells last.

    A column of more than VALUES different numbers is cut at its quartiles. Raises DataError for more than MOST texts.
    """
    if column.dtype.kind == "f":
        missing = np.isnan(column)
        values, place = np.unique(column[~missing], return_inverse=True)
        named: list[str | float] = [float(value) for value in values]
        if len(values) > VALUES:
            inner = np.quantile(column[~missing], np.arange(1, QUARTERS) / QUARTERS)
            parts = np.searchsorted(inner, values)
            place = parts[place]
            ends = [(values[parts == part].min(), values[parts == part].max()) for part in np.unique(parts)]
            named = [span(float(low), float(high)) for low, high in ends]
            place = np.unique(place, return_inverse=True)[1]
    else:
        missing = np.fromiter((cell is None for cell in column), bool, len(column))
        texts, place = np.unique(column[~missing].astype(str), return_inverse=True)
        named = texts.tolist()
        if len(named) > MOST:
            message = (
                f"{name} has {len(named):,} different values, and there can be at most {MOST} groups: choose another "
                "column"
            )
            raise DataError(Problem("many_groups", message))
    rows = np.flatnonzero(~missing)
    found = [RowGroup(value, rows[place == k]) for k, value in enumerate(named)]
    return [*found, *([RowGroup(None, np.flatnonzero(missing))] if missing.any() else [])]


def span(low: float, high: float) -> str:
    """A range of values in words."""
    return short(low) if low == high else f"{short(low)} to {short(high)}"


def of_rows(seen: Seen, rows: Array) -> Seen:
    """What a model makes of some of the rows."""
    scores = None if seen.scores is None else seen.scores[rows]
    return Seen(seen.losses[rows], seen.predicted[rows], scores)


def some_rows(data: Rows, rows: Array) -> Rows:
    """Some of the rows, by their places."""
    of_some = (
        None if each is None else each[rows] for each in (data.sample_weight, data.row_weight, data.groups)
    )
    sample_weight, row_weight, groups = of_some
    return Rows(
        data.X[rows],
        data.T[rows],
        data.y_true[rows],
        data.row_index[rows],
        sample_weight,
        row_weight,
        data.notes,
        groups,
    )


def selection_rates(schema: Schema, predicted: Array, weight: Array | None) -> dict[str, float] | None:
    """The share of rows that are predicted as each class, or with a yes at each label, by what they weigh."""
    if schema.task == "regression":
        return None
    each = predicted if predicted.ndim > 1 else predicted[:, None] == np.arange(len(schema.labels))
    shares = mean_over_rows(each, weight)
    return dict(zip(map(str, schema.labels), np.asarray(shares, np.float64).tolist(), strict=True))

"""The schema: everything about the columns that a trained model needs to take raw files later."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from bptrain.data import features as feature_code
from bptrain.data import targets as target_code
from bptrain.data.cells import OLDER_RULES, CellRules
from bptrain.data.column_kinds import with_kinds
from bptrain.data.column_statistics import Statistics
from bptrain.data.features import Feature
from bptrain.data.missing import kept_rows
from bptrain.data.table import Table
from bptrain.data.targets import Label, Target
from bptrain.parts.scalers import CLIPS, FUNCTIONS
from bptrain.parts.types import Array

DEFAULTS = Target((), "values").coding  # not written, so that a schema without them reads as it always did
LATER = (  # fields of a feature that version 1 did not have, and which are written where they are not the default
    "function", "clip", "unknown", "rare", "buckets", "form", "cycles", "indicator",
)  # fmt: skip
VERSION = 2  # of the JSON; a schema without a version is of version 1, which had numbers and categories alone


class Schema(NamedTuple):
    """The columns of a data set as a network sees them; part of a checkpoint."""

    task: Literal["classification", "regression"]
    features: tuple[Feature, ...]
    target: Target
    drop: frozenset[str] = frozenset()  # columns for whose missing cells the row is dropped
    weight: str | None = None  # the column that says what each row weighs
    class_weights: tuple[float, ...] = ()  # what a row of each class weighs; empty: 1
    left_out: tuple[str, ...] | None = ()  # the other columns of the training file; None: not known
    cells: CellRules = OLDER_RULES  # what the cells of a table mean
    statistics: Statistics = Statistics()  # of the training rows, the targets included

    @property
    def numeric(self) -> frozenset[str]:
        """The features that are amounts: no dates, orders or answers, which are read as numbers too."""
        return frozenset(feature.name for feature in self.features if feature.kind == "numeric")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns of X that are numbers, dates or levels in an order: no categories, answers or indicators."""
        starts = np.cumsum([0] + [feature.width for feature in self.features])
        placed = zip(self.features, starts, strict=False)
        return tuple(int(start) for one, start in placed if one.kind not in ("categorical", "boolean"))

    @property
    def n_inputs(self) -> int:
        """n_0."""
        return feature_code.width(self.features)

    @property
    def n_outputs(self) -> int:
        """n_L."""
        return self.target.n_outputs

    @property
    def labels(self) -> tuple[Label, ...]:
        """The classes, in the order of their numbers; empty for regression."""
        return self.target.labels

    def with_kinds(self, table: Table) -> Table:
        """A table that was just read, with numbers in place of booleans, levels and dates. Raises DataError."""
        declared = {feature.name: feature.column_kind for feature in self.features}
        return table._replace(features=with_kinds(table.features, declared, infer=False, rules=self.cells)[0])

    def encode_features(self, table: Table, dtype: DTypeLike, rows: Array | None = None) -> Array:
        """X, N × n_0 and C-contiguous, of some rows (default: all). Raises DataError."""
        return feature_code.encode(self.features, table.features, dtype, rows)

    def encode_target(self, table: Table, dtype: DTypeLike, rows: Array | None = None) -> Array:
        """T, N × n_L, of some rows (default: all). Raises DataError."""
        assert table.target is not None
        chosen = np.arange(table.target.rows) if rows is None else rows
        true = self.true_classes(table, rows)
        return target_code.encode(self.target, table.target, true, chosen, dtype)

    def true_classes(self, table: Table, rows: Array | None = None) -> Array:
        """The true class numbers, N (multilabel: N × m of 0 and 1), or values, N × m. Raises DataError."""
        assert table.target is not None
        return target_code.true_of(self.target, table.target, rows)

    def classes_of(self, outputs: Array) -> Array:
        """The predicted class numbers, N (multilabel: N × m of 0 and 1), of outputs X_L, N × n_L."""
        return target_code.classes_of(self.target, outputs)

    def scores_of(self, outputs: Array) -> Array:
        """The scores of the classes, N × K (multilabel: of yes, N × m), of outputs X_L, N × n_L."""
        return target_code.scores_of(self.target, outputs)

    def decode(self, outputs: Array) -> Array:
        """Predictions of outputs X_L, N × n_L: labels, N, or values in original units, N × m, float64."""
        return target_code.decode(self.target, outputs)

    def rows_to_keep(self, table: Table) -> Array:
        """The numbers of the rows that are not dropped. Raises DataError for missing cells."""
        filled = frozenset(feature.name for feature in self.features if feature.fill is not None)
        return kept_rows(table, self.drop, filled)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, one list per column of the schema; floats survive exactly."""
        numbers = [feature for feature in self.features if feature.kind != "categorical"]
        levels = [feature for feature in self.features if feature.kind in ("categorical", "ordinal")]
        more = {feature.name: _more(feature) for feature in self.features}
        return {
            "version": VERSION,
            "task": self.task,
            "features": {
                "names": [feature.name for feature in self.features],
                "categories": {feature.name: list(feature.categories) for feature in levels},
                "fill": {f.name: f.fill for f in self.features if f.fill is not None},
                "center": [feature.center for feature in numbers],
                "spread": [feature.spread for feature in numbers],
                **(
                    {"columns": {name: said for name, said in more.items() if said}}
                    if any(more.values())
                    else {}
                ),
                **({} if self.left_out == () else {"left_out": self.left_out and list(self.left_out)}),
            },
            "target": {
                "names": list(self.target.names),
                "kind": self.target.kind,
                "labels": list(self.target.labels),
                "center": list(self.target.center),
                "spread": list(self.target.spread),
                **{name: value for name, value in self.target.coding.items() if value != DEFAULTS[name]},
                **({} if self.target.function == "identity" else {"function": self.target.function}),
                **({"bounds": [list(pair) for pair in self.target.bounds]} if self.target.bounds else {}),
                **({} if self.target.booleans == () else {"booleans": self.target.booleans}),
            },
            "drop": sorted(self.drop),
            **({} if self.weight is None else {"weight": self.weight}),
            **({"class_weights": list(self.class_weights)} if self.class_weights else {}),
            **({} if self.cells == OLDER_RULES else {"cells": self.cells.to_json()}),
            **({"statistics": self.statistics.to_json()} if self.statistics.rows else {}),
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> "Schema":
        """The schema that `to_json` wrote, here or in any version before.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        version = json.get("version", 1)
        if version not in range(1, VERSION + 1):
            raise ValueError(
                f"the schema is of version {version}, and this bptrain reads versions 1 to {VERSION}"
            )
        columns = json["features"]
        categories, fill, more = columns["categories"], columns["fill"], columns.get("columns", {})
        scaling = iter(zip(columns["center"], columns["spread"], strict=True))
        features: list[Feature] = []
        for name in columns["names"]:
            said: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in more.get(name, {}).items()
            }
            levels = tuple(categories.get(name, ()))
            if said.get("function", "identity") not in FUNCTIONS:
                raise ValueError(f"column {name} is scaled by an unknown function, {said['function']}")
            if said.get("clip", "none") not in CLIPS:
                raise ValueError(f"column {name} is clipped in an unknown way, {said['clip']}")
            kind: Any = said.pop("kind", "categorical" if name in categories else "numeric")
            if kind == "categorical":
                features.append(Feature(name, kind, levels, fill.get(name), **said))
                continue
            center, spread = next(scaling, (None, None))
            if center is None or spread is None:
                raise ValueError(f"the schema has no scaling of column {name}")
            number = fill.get(name)
            features.append(
                Feature(
                    name,
                    kind,
                    levels,
                    None if number is None else float(number),
                    float(center),
                    float(spread),
                    **said,
                )
            )
        left_out = columns.get("left_out", () if version > 1 else None)
        t = json["target"]
        target = Target(
            tuple(t["names"]),
            t["kind"],
            tuple(t["labels"]),
            tuple(t["center"]),
            tuple(t["spread"]),
            smoothing=float(t.get("smoothing", DEFAULTS["smoothing"])),
            threshold=float(t.get("threshold", DEFAULTS["threshold"])),
            counts=bool(t.get("counts", DEFAULTS["counts"])),
            separate=bool(t.get("separate", DEFAULTS["separate"])),
            function=t.get("function", "identity"),
            bounds=tuple((float(low), float(high)) for low, high in t.get("bounds", ())),
            booleans=_booleans(t, version),
        )
        return cls(
            json["task"],
            tuple(features),
            target,
            frozenset(json["drop"]),
            json.get("weight"),
            tuple(json.get("class_weights", ())),
            None if left_out is None else tuple(left_out),
            CellRules.from_json(json.get("cells")),
            Statistics.from_json(json["statistics"]) if "statistics" in json else Statistics(),
        )


def _more(feature: Feature) -> dict[str, Any]:
    """What a column is beyond a plain number or plain categories."""
    defaults = Feature._field_defaults
    kind = {} if feature.kind in ("numeric", "categorical") else {"kind": feature.kind}
    said = {key: getattr(feature, key) for key in LATER if getattr(feature, key) != defaults[key]}
    return kind | {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}


def _booleans(target: Mapping[str, Any], version: int) -> tuple[str, ...] | None:
    """The target columns of true and false; version 1 does not say of numbers whether they were such."""
    known = version > 1 or target["kind"] in ("classes", "binary")
    found = target.get("booleans", () if known else None)
    return None if found is None else tuple(found)

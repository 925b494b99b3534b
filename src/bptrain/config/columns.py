"""The keys of one column, in `data.columns`, and what fills its missing cells, in `data.missing`."""

from typing import Annotated, Any, Literal

from annotated_types import Interval, MinLen
from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from bptrain.config import forms, part
from bptrain.config.part import PartConfig
from bptrain.config.section import Column, Count, Section
from bptrain.config.yaml.scalars import number
from bptrain.parts.scalers import scalers

ColumnKind = Literal["numeric", "categorical", "boolean", "ordinal", "datetime", "text"]
Policy = Literal["error", "mean", "median", "most_frequent", "drop"]
Scaler = Annotated[PartConfig, part.part(scalers), forms.part_of("scaler")]


def _map_or_text(value: Any) -> str:
    return "<map>" if isinstance(value, dict) else "<text>"


def _level(value: Any) -> str:
    """A level, or the value that fills a cell, as the text that it is in a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float) and value != "":
        return number(value) if isinstance(value, float) else str(value)
    raise PydanticCustomError("wrong_type", "wrong_type", {"expected": "a text or a number"})


Level = Annotated[str, PlainValidator(_level), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class ColumnConfig(Section):
    """What a column is, and how it becomes inputs; a kind alone, or a mapping."""

    kind: ColumnKind | None = Field(default=None, description="overrides the inferred kind; text: no input")
    scale: Scaler | None = Field(default=None, description="scaling of this column, in place of data.scale")
    order: Annotated[tuple[Level, ...], MinLen(2)] | None = Field(
        default=None, description="the levels of an ordinal, from the lowest to the highest"
    )
    format: Literal["ymd", "dmy", "mdy", "time"] | None = Field(
        default=None, description="order of day, month and year in dates; time: a time of day alone"
    )
    unknown: Literal["error", "ignore", "bucket"] | None = Field(
        default=None,
        description="categories not in the training rows: refused, zeros (default), or an input of their own",
    )
    min_count: Count | None = Field(
        default=None, description="categories with fewer training rows share one input"
    )
    encode: Literal["one_hot", "hash"] | None = Field(
        default=None, description="one input per category (default), or per bucket of hashed categories"
    )
    buckets: Annotated[int, Interval(ge=2, le=1_000_000)] | None = Field(
        default=None, description="number of buckets of encode: hash (default: 64)"
    )

    @property
    def meant(self) -> ColumnKind | None:
        """The kind, which other keys may imply; None where the data decides."""
        if self.kind is not None:
            return self.kind
        if self.order is not None:
            return "ordinal"
        if self.format is not None:
            return "datetime"
        return "categorical" if self.of_categories else None

    @property
    def of_categories(self) -> tuple[str, ...]:
        """The keys that are given and that only categories have."""
        keys = ("unknown", "min_count", "encode", "buckets")
        return tuple(key for key in keys if getattr(self, key) is not None)


class FillConfig(Section):
    """What stands in for the missing cells of a column."""

    fill: Literal["mean", "median", "most_frequent", "constant"] = Field(
        description="of the training rows; constant: the value given"
    )
    value: Level | None = Field(default=None, description="the value of fill: constant")
    indicator: bool = Field(default=False, description="one more input: 1 where the cell was missing")


def _fill_or_text(value: Any) -> str:
    return "<fill>" if isinstance(value, dict | FillConfig) else "<text>"


MissingOfColumn = Annotated[
    Annotated[Policy, Tag("<text>")] | Annotated[FillConfig, Tag("<fill>")], Discriminator(_fill_or_text)
]
Missing = Annotated[
    Annotated[Policy, Tag("<text>")] | Annotated[dict[Column, MissingOfColumn], Tag("<map>")],
    Discriminator(_map_or_text),
]

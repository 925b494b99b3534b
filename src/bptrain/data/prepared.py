"""A data set that is ready for training, and what a run keeps of it."""

from collections.abc import Mapping
from typing import NamedTuple

from bptrain.data.index_files import KEY as INDEX_KEY
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings
from bptrain.errors import DataError, Warned
from bptrain.formats.files import digest
from bptrain.parts.types import Array

Warnings = tuple[Warned, ...]


class Rows(NamedTuple):
    """One split, ready for the network."""

    X: Array  # N × n_0
    T: Array  # N × n_L
    y_true: Array  # class numbers, N (multilabel: N × m of 0 and 1), or values in original units, N × m
    row_index: Array  # the number of each row in its file, counted from 0
    sample_weight: Array | None = (
        None  # what the loss of each row weighs, N: row weight × class weight; None: 1
    )
    row_weight: Array | None = None  # what each row weighs in metrics, N, float64: its data.weight; None: 1
    notes: tuple[str, ...] = ()  # of a file of its own: how it is written, and what was done to its cells
    groups: Array | None = (
        None  # a number for the group of each row, N, by data.split.group; None: there are none
    )


class KeptSchema(NamedTuple):
    """What a run keeps of its data: the schema by which it is read again, and the digests of its files."""

    schema: Schema
    digest: Mapping[str, str]


class ChangedDataError(DataError):
    """The data of a run is not what it was."""


class ReadingNotes(NamedTuple):
    """Notes and warnings of reading data."""

    notes: tuple[str, ...]
    warnings: Warnings


class Prepared(NamedTuple):
    """A data set, ready for training."""

    schema: Schema
    splits: dict[str, Rows]  # "train", then "validation" and "test" where they have rows
    digest: dict[str, str]  # file role -> SHA-256: "train", "train_target", "validation", …
    notes: tuple[str, ...]  # what was decided for the user; the task is the first
    warnings: Warnings
    how_split: str = (
        ""  # how the training file's rows are split, the end of a sentence; "": none is split off
    )
    read_again: ReadingNotes | None = None  # what is said where the data is read again by this schema


def refuse_changes(kept: KeptSchema, digests: Mapping[str, str]) -> None:
    """Raises ChangedDataError where data with these digests is not that of a run."""
    if kept.digest != digests:
        raise ChangedDataError("the data has changed since the run was trained")


def digests_of(settings: DataSettings) -> dict[str, str]:
    """File role -> digest. Raises DataError."""
    sources = {"train": settings.train, "validation": settings.validation, "test": settings.test}
    found: dict[str, str] = {}
    for name, source in sources.items():
        found |= {} if source is None else source.digests(name)
    split = settings.split
    return (
        found
        if split.test_rows is None
        else {**found, "split_index": digest(split.test_rows.path, INDEX_KEY)}
    )

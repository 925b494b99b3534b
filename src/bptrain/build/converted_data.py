"""Data above `data.memory`: converted once, kept in a directory, and mapped from there.

What is kept is found by its key: the digests of the data, all that decides how it is read and split, the schema, and
the dtype. A config whose schema is not known yet has asked for the data before, or has not (`find_asked`). The version
of bptrain is part of either, so that what a new version reads in another way is read again.
"""

from collections.abc import Generator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

import bptrain
from bptrain.caches import cache_directory
from bptrain.config import Loaded
from bptrain.config.resolved import data_paths, to_plain, with_data_paths
from bptrain.config.schema import Config
from bptrain.data.converted.changes import in_memory, kept_under, new_entry, storing
from bptrain.data.converted.entries import DamagedEntryError, KeptData, find, find_asked
from bptrain.data.converted.entry_record import FORMAT, arrays_of, digest_of
from bptrain.data.least_memory import in_megabytes, least_bound
from bptrain.data.prepare import prepare
from bptrain.data.prepared import KeptSchema, Prepared, ReadingNotes, digests_of, refuse_changes
from bptrain.data.schema import Schema
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.storage import MappedFiles
from bptrain.errors import DataError
from bptrain.plugins.records import records

PLACES = ("root", "memory", "cache")  # keys of data that say where things lie, and nothing of the data
DIGITS = 32  # of a key
SMALL = 0.5  # of the bound: what reading has taken may not be given back yet
PER_ROW = 64  # bytes of figures of a row, beside those of each output


class Converting(NamedTuple):
    """Data is about to be read through files, and converted if it is large, which may take a while."""

    data: str
    cache: Path


def converting_data(
    loaded: Loaded,
    settings: DataSettings,
    facts: NetworkFacts,
    dtype: DTypeLike,
    kept_schema: KeptSchema | None,
) -> Generator[Converting, None, Prepared]:
    """The data set with its arrays in mapped files: those that are kept, or else new ones; in memory if it is small.

    Yields Converting before it reads any. Raises what `prepare` does, and StorageError where there is no room, or no
    such directory can be made.
    """
    digests = digests_of(settings)
    cache = usable_cache(loaded, kept_schema is not None)
    reading = how_it_is_read(loaded, digests, dtype)
    asked = word_for({**reading, **what_finds_the_schema(loaded, facts)})
    key: str | None
    notes: ReadingNotes | None
    if kept_schema is None:
        with storing(cache):
            key, notes = find_asked(cache, asked) or (None, None)
    else:
        refuse_changes(kept_schema, digests)
        key, notes = key_of(kept_schema.schema, reading), None
    why = f"converted, since it may take more than data.memory ({loaded.config.data.memory}),"
    try:
        found = None if key is None else find(cache, key)
    except DamagedEntryError as error:
        found, why = None, f"what was kept is damaged ({error}), so it is converted again"
    if found is not None:
        return noted(found, notes, f"data: {size_of(found)} of converted data in {found.place}")

    yield Converting(settings.train.name, cache)
    with storing(cache), new_entry(cache) as room:
        # Not in the room, which Windows does not rename as long as files in it are open.
        storage = MappedFiles(cache, loaded.config.data.memory_bound)
        prepared = prepare(settings, facts, loaded.config.seed, dtype, None, kept_schema, storage)
        if prepared.digest != digests:
            raise DataError(f"{settings.train.name} has changed while it was read: try again")
        if bytes_in_memory(prepared, loaded.config) <= (loaded.config.data.memory_bound or 0) * SMALL:
            return in_memory(prepared)
        key, new = key_of(prepared.schema, reading), asked if kept_schema is None else None
        made = kept_under(cache, key, room, prepared, settings.train.name, new)
    notes = ReadingNotes(prepared.notes, prepared.warnings)
    note = f"data: {why} to {size_of(made)} in {made.place}"
    least = least_bound(sum(len(split.X) for split in prepared.splits.values()))
    if (loaded.config.data.memory_bound or 0) < least:
        note += f"; data.memory: {in_megabytes(least)} is the least that holds while data is converted"
    return noted(made, notes, note)


def first_rows(
    loaded: Loaded,
    settings: DataSettings,
    facts: NetworkFacts,
    dtype: DTypeLike,
    limit: int,
    kept_schema: KeptSchema | None,
) -> Prepared:
    """The first rows of each split of a large data set. Nothing is kept. Raises what `converting_data` does."""
    cache = usable_cache(loaded, kept_schema is not None)
    with storing(cache):
        storage = MappedFiles(cache, loaded.config.data.memory_bound)
        return prepare(settings, facts, loaded.config.seed, dtype, limit, kept_schema, storage)


def bytes_in_memory(prepared: Prepared, config: Config) -> int:
    """About what a fit takes more for rows that are in memory: an estimate that is rather too large.

    That is their arrays, some of them twice; what is worked out of each row, such as outputs and figures; and the
    matrices of all layers for the rows of a batch.
    """
    widths = [size for size in config.network.sizes[1:-1] if size != "auto"]
    n, m = prepared.schema.n_inputs, prepared.schema.n_outputs
    itemsize, training = np.dtype(config.network.dtype).itemsize, config.training
    rows = sum(len(split.X) for split in prepared.splits.values())
    in_a_batch = rows if training.mode == "batch" else min(rows, training.batch_size or 1)
    arrays = sum(array.nbytes for split in prepared.splits.values() for _, array in arrays_of(split))
    return arrays * 5 // 4 + rows * (PER_ROW + 4 * m * 8) + in_a_batch * (n + sum(widths) + m) * 4 * itemsize


def usable_cache(loaded: Loaded, of_run: bool) -> Path:
    """The directory of converted data, made where it is not there: `data.cache`, else the user's.

    That of a run is the user's where it cannot be made, or where even the directory around it is gone: the run was
    moved, or has come from another machine. Raises StorageError.
    """
    chosen, users = loaded.absolute().data.cache, cache_directory("data")
    cache = users if chosen is None else Path(chosen)
    make = partial(Path.mkdir, mode=0o700, exist_ok=True)
    if of_run:
        with suppress(OSError):
            make(cache)
            return cache
        cache = users
    with storing(cache):
        make(cache, parents=True)
    return cache


def noted(kept: KeptData, notes: ReadingNotes | None, note: str) -> Prepared:
    """What was kept, with what was said when it was read first, where that is known, and one line more."""
    prepared = kept.prepared
    if notes is not None:
        prepared = prepared._replace(**notes._asdict())
    return prepared._replace(notes=(*prepared.notes, note))


def size_of(kept: KeptData) -> str:
    """Its size in words."""
    return f"{kept.record.size / 1e6:,.1f} MB"


def how_it_is_read(loaded: Loaded, digests: Mapping[str, str], dtype: DTypeLike) -> dict[str, Any]:
    """All that decides what data becomes, but its schema; of its files the digests, and of their paths the names."""
    config = loaded.config
    names = {role: tuple(Path(path).name for path in paths) for role, paths in data_paths(config).items()}
    data = to_plain(with_data_paths(config, names))["data"]
    split = config.data.split
    seedless = split.seed is not None or split.by == "hash" or "seed" in split.idle
    return {
        "format": FORMAT,
        "version": bptrain.__version__,
        "digests": digests,
        "dtype": np.dtype(dtype).str,
        "data": {key: value for key, value in data.items() if key not in PLACES},
        "seed": None if seedless else config.seed,
        "plugins": records({"data": data}),
    }


def what_finds_the_schema(loaded: Loaded, facts: NetworkFacts) -> dict[str, Any]:
    """What decides about the schema beside the data section."""
    config = loaded.config
    return {"task": config.task, "class_weight": config.loss.class_weight, "facts": facts._asdict()}


def key_of(schema: Schema, reading: Mapping[str, Any]) -> str:
    """The key of what data becomes by a schema."""
    return word_for({**reading, "schema": schema.to_json()})


def word_for(deciding: Mapping[str, Any]) -> str:
    """A short word that is another one for other values."""
    return digest_of(in_lists(deciding))[:DIGITS]


def in_lists(value: Any) -> Any:
    """Plain values with lists for mappings, whose keys may be labels of any type, in the order of their keys."""
    if isinstance(value, Mapping):
        entries = sorted(((repr(key), entry) for key, entry in value.items()), key=lambda pair: pair[0])
        return ["map", *([key, in_lists(entry)] for key, entry in entries)]
    return [in_lists(entry) for entry in value] if isinstance(value, list | tuple) else value

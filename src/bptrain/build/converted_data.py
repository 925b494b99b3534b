"""Data above `data.memory`: converted once, kept in a directory, and mapped from there.

What is kept is found by its key: the digests of the data, all that decides how it is read, split and encoded, and the
dtype. The version of bptrain is a part of it, so that what a new version reads in another way is read again. A run
that goes on, or is evaluated, has a schema: what was kept for its config serves where it has the same one.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import bptrain
from bptrain.caches import cache_directory
from bptrain.config import Loaded
from bptrain.config.resolved import data_paths, to_plain, with_data_paths
from bptrain.data.converted.changes import added, storing
from bptrain.data.converted.entries import DamagedEntryError, KeptData, find
from bptrain.data.converted.entry_record import FORMAT
from bptrain.data.prepare import prepare
from bptrain.data.prepared import KeptSchema, Prepared, digests_of, refuse_changes
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.storage import MappedFiles
from bptrain.errors import DataError
from bptrain.plugins.records import records

PLACES = ("root", "memory", "cache")  # keys of data that say where things lie, and nothing of the data


def converted_data(
    loaded: Loaded,
    settings: DataSettings,
    facts: NetworkFacts,
    dtype: DTypeLike,
    kept_schema: KeptSchema | None,
) -> Prepared:
    """The data set with its arrays in mapped files: those that are kept, or else new ones.

    Raises what `prepare` does, and StorageError where there is no room, or no such directory can be made.
    """
    digests = digests_of(settings)
    if kept_schema is not None:
        refuse_changes(kept_schema, digests)
    cache = usable_cache(loaded, kept_schema is not None)
    asked = what_decides(loaded, facts, digests, dtype)
    keys = [key_of(asked)]
    if kept_schema is not None:
        keys.append(key_of({**asked, "schema": kept_schema.schema.to_json()}))
    damaged = ""
    for key in keys:
        try:
            found = find(cache, key)
        except DamagedEntryError as error:
            damaged = f"what was kept is damaged ({error}), and "
            continue
        if found is not None and (kept_schema is None or has_schema(found, kept_schema)):
            note = f"data: {megabytes(found)} of converted data are in {found.place}"
            return noted(found, kept_schema, note)

    def make(directory: Path) -> Prepared:
        seed, storage = loaded.config.seed, MappedFiles(directory)
        prepared = prepare(settings, facts, seed, dtype, kept_schema=kept_schema, storage=storage)
        if prepared.digest != digests:
            raise DataError(f"{settings.train.name} has changed while it was read: try again")
        return prepared

    kept = added(cache, keys[-1], settings.train.name, make)
    bound = loaded.config.data.memory
    note = f"data: {damaged}more than data.memory ({bound}), converted to {megabytes(kept)} in {kept.place}"
    return noted(kept, kept_schema, note)


def first_rows(
    loaded: Loaded,
    settings: DataSettings,
    facts: NetworkFacts,
    dtype: DTypeLike,
    limit: int,
    kept_schema: KeptSchema | None,
) -> Prepared:
    """The first rows of each split of a large data set. Nothing is kept. Raises what `converted_data` does."""
    cache = usable_cache(loaded, kept_schema is not None)
    with storing(cache):
        return prepare(settings, facts, loaded.config.seed, dtype, limit, kept_schema, MappedFiles(cache))


def cache_of(loaded: Loaded) -> Path:
    """The directory of converted data: `data.cache`, else the user's."""
    chosen = loaded.absolute().data.cache
    return cache_directory("data") if chosen is None else Path(chosen)


def usable_cache(loaded: Loaded, of_run: bool) -> Path:
    """The same, which is made where it is not there; where that of a run cannot be, the user's. Raises StorageError."""
    cache = cache_of(loaded)
    make = partial(Path.mkdir, mode=0o700, parents=True, exist_ok=True)
    if of_run:
        with suppress(OSError):  # the run has come from another machine
            make(cache)
            return cache
        cache = cache_directory("data")
    with storing(cache):
        make(cache)
    return cache


def has_schema(found: KeptData, kept: KeptSchema) -> bool:
    """Whether data was converted by the schema of a run."""
    return plainly(found.record.schema) == plainly(kept.schema.to_json())


def noted(kept: KeptData, kept_schema: KeptSchema | None, note: str) -> Prepared:
    """What was kept, with what is said of it: when it was read first, or else when it is read by the schema of a run."""
    prepared = kept.prepared
    if kept_schema is not None and prepared.read_again is not None:
        prepared = prepared._replace(**prepared.read_again._asdict())
    return prepared._replace(notes=(*prepared.notes, note))


def megabytes(kept: KeptData) -> str:
    """Its size in words."""
    return f"{kept.record.size / 1e6:,.1f} MB"


def what_decides(
    loaded: Loaded, facts: NetworkFacts, digests: Mapping[str, str], dtype: DTypeLike
) -> dict[str, Any]:
    """All that decides what data becomes, as plain values: of its files the digests, and of their paths the names."""
    config = loaded.config
    names = {role: tuple(Path(path).name for path in paths) for role, paths in data_paths(config).items()}
    plain = to_plain(with_data_paths(config, names))
    split = config.data.split
    seedless = split.seed is not None or split.by == "hash" or "seed" in split.idle
    return {
        "format": FORMAT,
        "version": bptrain.__version__,
        "digests": digests,
        "dtype": np.dtype(dtype).str,
        "data": {key: value for key, value in plain["data"].items() if key not in PLACES},
        "task": config.task,
        "class_weight": config.loss.beside.get("class_weight"),
        "facts": facts._asdict(),
        "seed": None if seedless else config.seed,
        "plugins": records({"data": plain["data"]}),
    }


def key_of(asked: Mapping[str, Any]) -> str:
    """A short word for all that decides."""
    return hashlib.sha256(plainly(asked).encode()).hexdigest()[:32]


def plainly(value: Any) -> str:
    """Plain values as one text, the same for the same values; keys may be labels of any type."""
    return json.dumps(_in_lists(value))


def _in_lists(value: Any) -> Any:
    """Mappings as sorted lists of their entries."""
    if isinstance(value, Mapping):
        return ["map", sorted([[repr(key), _in_lists(entry)] for key, entry in value.items()], key=lambda e: e[0])]
    return [_in_lists(entry) for entry in value] if isinstance(value, list | tuple) else value

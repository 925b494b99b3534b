"""A safetensors file that is sealed: its one metadata key, `bptrain`, is a record in JSON with a SHA-256 over all.

The record is canonical JSON, so equal content makes equal bytes.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.engines.snapshots import pieces
from bptrain.errors import CheckpointError
from bptrain.parts.types import Array
from bptrain.store.atomic import write_atomically
from bptrain.store.tensors import content

ONE_NETWORK, ENSEMBLE = 1, 2  # the formats that there are


class Sealed(NamedTuple):
    """What such a file holds, verified against its digest."""

    path: Path
    record: dict[str, Any]
    tensors: dict[str, Array]


def write_sealed(path: Path, record: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    """Writes tensors and their record, atomically. Raises StorageError."""
    sealed = {**record, "digest": digest_of(record, tensors)}
    write_atomically(path, content(tensors, {"bptrain": _canonical(sealed)}))


def read_sealed(path: Path, formats: Sequence[int] = (ONE_NETWORK,)) -> Sealed:
    """Reads and verifies such a file. Raises CheckpointError when it is missing, corrupt or another file."""
    with _opened(path) as file:
        record = _record(path, file, formats)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
        digest = record.pop("digest")
        if digest != digest_of(record, tensors):
            raise CheckpointError(f"{path} is corrupt: its content does not match its digest")
        return Sealed(path, record, tensors)


def read_record(path: Path, parse: Callable[[str], Any] = json.loads) -> dict[str, Any]:
    """The record of one network alone, unverified; the tensors are not read. Raises CheckpointError."""
    with _opened(path) as file:
        return _record(path, file, (ONE_NETWORK,), parse)


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """What is missing in the record of a file inside the block, or is of another kind, is a CheckpointError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is corrupt, or no checkpoint: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The safetensors file; whatever is wrong with it inside the block is a CheckpointError."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    try:
        with whole(path), safe_open(path, framework="numpy") as file:
            yield file
    except OSError as error:
        raise CheckpointError(f"could not read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is corrupt, or no checkpoint: {error}") from error


def _record(
    path: Path, file: Any, formats: Sequence[int], parse: Callable[[str], Any] = json.loads
) -> dict[str, Any]:
    text = (file.metadata() or {}).get("bptrain")
    if text is None:
        raise CheckpointError(f"{path} is a safetensors file, but not a checkpoint of bptrain")
    record: dict[str, Any] = parse(text)
    found = record["format"]
    if found == ENSEMBLE and found not in formats:
        member = path.parent / "members" / "001"
        message = f"{path} is an ensemble, and this takes one network: name a member of it, such as {member}"
        raise CheckpointError(message)
    if found not in formats:
        known = f"format{'s' if len(formats) > 1 else ''} {' and '.join(map(str, formats))}"
        raise CheckpointError(f"{path} has checkpoint format {found}; this version reads {known}")
    return record


def digest_of(record: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """SHA-256 over a record and tensors, with their names, types and shapes."""
    digest = hashlib.sha256(_canonical(record).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype.str}:{tensor.shape}".encode())
        for piece in pieces(tensor):
            digest.update(piece.data)
    return digest.hexdigest()


def _canonical(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

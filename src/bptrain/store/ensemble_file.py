"""The file of an ensemble: the weights of all members, and what each needs to take raw rows.

Tensors: `members.1.layers.1.weight`, `members.1.layers.1.bias` …, those of `best.safetensors` of each member's run. The
record has for each member what that file says: config, schema with labels and scaling, digests of the data, numerics,
plug-ins, position; and of a regression the absolute errors that prediction intervals are made of.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.errors import CheckpointError
from bptrain.store import checkpoint
from bptrain.store.sealed_file import ENSEMBLE, Sealed, whole, write_sealed


class StoredEnsemble(NamedTuple):
    """The file as read, verified against its digest."""

    path: Path
    members: tuple[checkpoint.Stored, ...]
    absolute_errors: dict[str, Any] | None = None  # of rows that the members that count had not seen


def write(
    path: Path, members: Sequence[checkpoint.Stored], absolute_errors: Mapping[str, Any] | None = None
) -> None:
    """Writes the weights for use of several checkpoints to one file, atomically. Raises StorageError."""
    tensors = {
        f"{_prefix(k)}{name}": tensor
        for k, stored in enumerate(members)
        for name, tensor in stored.tensors.items()
    }
    record = {
        "format": ENSEMBLE,
        "members": [
            {**checkpoint.facts_record(stored.facts), "position": stored.position, "best": stored.best}
            for stored in members
        ],
        **({} if absolute_errors is None else {"absolute_errors": absolute_errors}),
    }
    write_sealed(path, record, tensors)


def is_ensemble(sealed: Sealed) -> bool:
    """Whether a file is that of an ensemble."""
    return bool(sealed.record.get("format") == ENSEMBLE)


def stored_ensemble(sealed: Sealed) -> StoredEnsemble:
    """What the file of an ensemble holds. Raises CheckpointError."""
    path, record, tensors = sealed
    with whole(path):
        members = []
        for k, own in enumerate(record["members"]):
            prefix = _prefix(k)
            of_member = {
                name.removeprefix(prefix): tensor
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }
            members.append(
                checkpoint.Stored(path, checkpoint.facts_from(own), own["position"], own["best"], of_member)
            )
        if not members:
            raise CheckpointError(f"{path} is corrupt: it is an ensemble without members")
        return StoredEnsemble(path, tuple(members), record.get("absolute_errors"))


def _prefix(member: int) -> str:
    """What the names of a member's tensors begin with; members are counted from 1 there."""
    return f"members.{member + 1}."

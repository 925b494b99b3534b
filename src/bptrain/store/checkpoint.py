"""The checkpoint: one safetensors file with everything that a resumed run, or a prediction, needs.

Tensors: `layers.1.weight` (n_1 × n_0), `layers.1.bias` (n_1) … are the weights; `optimizer.<slot>` are the slots,
each the flat vector or a scalar; `best.layers.1.weight` … are the best weights so far. The weights for use are the
best ones where `position.restored` is true (a run that has ended), else `optimizer.average` where it is there, else
`layers.…`. One metadata key, `bptrain`, holds canonical JSON: the config, the column schema with labels and
scaling, the digests of the data, the numerics (versions, engine, BLAS, threads), the plug-ins that are used, the
position, a SHA-256 over all of it and the tensors, and in the best weights of a regression that has ended the absolute
errors of its validation rows. It holds no time, host or path, so equal runs write equal bytes.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.network import Network
from bptrain.engines.base import OptimizerState
from bptrain.errors import CheckpointError
from bptrain.parts.averaging import AVERAGE
from bptrain.parts.controls import Watch
from bptrain.parts.methods import UpdateRule
from bptrain.parts.types import Array
from bptrain.store.plain import parsed, plain
from bptrain.store.sealed_file import ONE_NETWORK, Sealed, read_record, read_sealed, whole, write_sealed
from bptrain.training.refit import OUT_OF_TIME
from bptrain.training.state import Best, FirstFit, State

NOTHING: Mapping[str, Any] = MappingProxyType({})
IN_FILE = {"numerics": "bits"}  # facts that have another name in the file
# What checkpoints of an earlier version do not say of their position.
LATER: dict[str, Any] = {
    "rate_factor": 1.0,
    "patience": {"best": None, "wait": 0, "rest": 0},
    "plateau": {"best": None, "wait": 0, "rest": 0},
    "stopped": None,
    "restored": False,
}


class Facts(NamedTuple):
    """What is the same in every checkpoint of a run; plain JSON types."""

    config: dict[str, Any]
    schema: dict[str, Any]
    data: dict[str, str]  # digests of the data files
    numerics: dict[str, Any]  # the numerics: versions, engine, BLAS, threads; "bits" in the file
    baseline: dict[str, Any]  # the best guess without inputs, from the training rows
    plugins: Sequence[Mapping[str, Any]] = ()  # those that the config uses


class Stored(NamedTuple):
    """A checkpoint as read, verified against its digest."""

    path: Path
    facts: Facts
    position: dict[str, Any]
    best: dict[str, Any] | None
    tensors: dict[str, Array]
    absolute_errors: dict[str, Any] | None = (
        None  # of the validation rows, for prediction intervals; of a refitted model those before the refit
    )

    @property
    def before_refit(self) -> FirstFit | None:
        """Where the first fit ended, if its weights are from a refit: they were trained on validation rows too."""
        found = self.position.get("before_refit")
        return None if found is None else FirstFit(found["epochs"], found["updates"], found["stopped"])

    @property
    def fit_updates(self) -> int:
        """The updates that its weights have had: in a refit without those of the first fit."""
        before = self.before_refit
        return int(self.position["updates"]) - (0 if before is None else before.updates)


def write(path: Path, network: Network, method: UpdateRule, facts: Facts, state: State) -> None:
    """Writes the state of a run, atomically. Raises StorageError."""
    tensors = _blocks(network, state.optimizer_state.w)
    for name, slot in zip(method.slots, state.optimizer_state.slots, strict=True):
        tensors[f"optimizer.{name}"] = np.asarray(slot)
    best = None
    if state.best is not None:
        tensors |= _blocks(network, state.best.w, "best.")
        best = {"epoch": state.best.epoch, "updates": state.best.updates, "value": plain(state.best.value)}
    position = {
        "epoch": state.epoch,
        "step": state.step,
        "updates": state.updates,
        "loss_sum": state.loss_sum,
        "rows_seen": state.rows_seen,
        "first_loss": state.first_loss,
        "warned_of_growth": state.warned_of_growth,
        "rate_factor": state.optimizer_state.rate_factor,
        "patience": plain(state.patience._asdict()),
        "plateau": plain(state.plateau._asdict()),
        "stopped": state.stopped,
        "restored": state.restored,
        **_before_refit(state.before_refit),
    }
    _write(path, facts, position, best, tensors)


def _before_refit(first: FirstFit | None) -> dict[str, Any]:
    return {} if first is None else {"before_refit": first._asdict()}


def write_best(
    path: Path,
    network: Network,
    facts: Facts,
    best: Best,
    absolute_errors: Mapping[str, Any] | None = None,
    before_refit: FirstFit | None = None,
) -> None:
    """Writes the best weights as a separate checkpoint, without slots; with the errors that prediction intervals are
    made of, where they are known. `before_refit` is given with weights of a refit. Raises StorageError.
    """
    record = {"epoch": best.epoch, "updates": best.updates, "value": plain(best.value)}
    position = {"epoch": best.epoch, "step": 0, "updates": best.updates, **_before_refit(before_refit)}
    more = {} if absolute_errors is None else {"absolute_errors": absolute_errors}
    _write(path, facts, position, record, _blocks(network, best.w), more)


def read(path: Path) -> Stored:
    """Reads and verifies a checkpoint. Raises CheckpointError when it is missing, corrupt or of another format."""
    return stored(read_sealed(path))


def stored(sealed: Sealed) -> Stored:
    """The checkpoint that a file of one network holds. Raises CheckpointError."""
    path, record, tensors = sealed
    with whole(path):
        errors = record.get("absolute_errors")
        return Stored(path, facts_from(record), record["position"], record["best"], tensors, errors)


def facts_from(record: Mapping[str, Any]) -> Facts:
    """The facts in the record of a file. Raises KeyError."""
    known = {name: record[IN_FILE.get(name, name)] for name in Facts._fields if name != "plugins"}
    return Facts(**known, plugins=tuple(record.get("plugins", ())))  # checkpoints of old do not say


def facts_record(facts: Facts) -> dict[str, Any]:
    """The facts as the record of a file has them."""
    return {IN_FILE.get(name, name): fact for name, fact in facts._asdict().items()}


def glance(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself, its tensors neither read nor verified. Raises CheckpointError."""
    return read_record(path, parsed)


def updates_at(path: Path) -> int:
    """After how many updates a checkpoint was written, as it says itself, unverified. Raises CheckpointError."""
    with whole(path):
        return int(read_record(path)["position"]["updates"])


def weights(stored: Stored, network: Network) -> Array:
    """The flat weights for use of a checkpoint. Raises CheckpointError when they do not fit the network."""
    if stored.position.get("restored"):
        return _flat(stored, network, "best.")
    average = stored.tensors.get(f"optimizer.{AVERAGE}")
    if average is None or stored.position["updates"] == 0:
        return _flat(stored, network, "")
    if average.shape != (network.size,):
        raise CheckpointError(f"{stored.path}: the averaged weights have shape {average.shape}")
    return average


def of_best(stored: Stored) -> Stored:
    """The best weights that a checkpoint carries, as best.safetensors would hold them; all of it where it has none.

    So it is after a refit too, whose last weights are the run's.
    """
    stopped = stored.position.get("stopped")
    if stored.best is None or (stored.before_refit is not None and stopped not in (None, OUT_OF_TIME)):
        return stored
    position = {"epoch": stored.best["epoch"], "step": 0, "updates": stored.best["updates"]}
    found = {name: tensor for name, tensor in stored.tensors.items() if name.startswith("best.")}
    return stored._replace(
        position=position, tensors={name.removeprefix("best."): tensor for name, tensor in found.items()}
    )


def state(stored: Stored, network: Network, method: UpdateRule) -> State:
    """The training state of a checkpoint. Raises CheckpointError when it does not fit."""
    position = {**LATER, **stored.position}
    w = _flat(stored, network, "")
    try:
        slots = tuple(stored.tensors[f"optimizer.{name}"] for name in method.slots)
        best = None
        if stored.best is not None:
            w_best = _flat(stored, network, "best.")
            best = Best(
                stored.best["epoch"],
                stored.best["updates"],
                _number(stored.best.get("value", stored.best.get("loss"))),
                w_best,
            )
        return State(
            OptimizerState(w, slots, stored.fit_updates, position["rate_factor"]),
            epoch=position["epoch"],
            step=position["step"],
            loss_sum=position["loss_sum"],
            rows_seen=position["rows_seen"],
            first_loss=position["first_loss"],
            warned_of_growth=position["warned_of_growth"],
            best=best,
            patience=_watch(position["patience"]),
            plateau=_watch(position["plateau"]),
            stopped=position["stopped"],
            restored=position["restored"],
            before_refit=stored.before_refit,
        )
    except KeyError as error:
        raise CheckpointError(
            f"{stored.path} has no {error.args[0]}: training cannot be resumed from it"
        ) from error


def _watch(record: Mapping[str, Any]) -> Watch:
    return Watch(_number(record["best"]), record["wait"], record["rest"])


def _number(value: float | None) -> float:
    return math.nan if value is None else value  # JSON has no NaN


def _flat(stored: Stored, network: Network, prefix: str) -> Array:
    parts = []
    for block in network.blocks:
        tensor = stored.tensors.get(prefix + block.name)
        if tensor is None or tensor.shape != block.shape:
            found = "is missing" if tensor is None else f"has shape {tensor.shape}"
            raise CheckpointError(f"{stored.path}: {prefix + block.name} {found}, not {block.shape}")
        parts.append(tensor.ravel())
    return np.concatenate(parts)


def _blocks(network: Network, w: Array, prefix: str = "") -> dict[str, Array]:
    return {prefix + block.name: block.view(w) for block in network.blocks}


def _write(
    path: Path,
    facts: Facts,
    position: Mapping[str, Any],
    best: Mapping[str, Any] | None,
    tensors: dict[str, Array],
    more: Mapping[str, Any] = NOTHING,
) -> None:
    record = {"format": ONE_NETWORK, **facts_record(facts), "position": position, "best": best, **more}
    write_sealed(path, record, tensors)

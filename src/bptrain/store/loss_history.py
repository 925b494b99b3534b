"""The losses of the epochs of a run, as far as it has kept them."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from bptrain.errors import CheckpointError
from bptrain.store.run_directory import RunDirectory


def training_losses(run: RunDirectory, refit: bool) -> tuple[float, ...]:
    """The running training loss of each epoch, of the first fit or of the refit, from its first epoch on.

    Empty where metrics.jsonl cannot be read.
    """
    try:
        lines = [line for line in run.read_metrics() if of_refit(line) == refit]
    except CheckpointError:
        return ()
    return tuple(
        takewhile(lambda loss: isinstance(loss, float), (line["train"].get("loss") for line in lines))
    )


def of_refit(line: Mapping[str, Any]) -> bool:
    """Whether a line of metrics.jsonl is of an epoch of the refit."""
    return line.get("phase") == "refit"

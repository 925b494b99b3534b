"""The losses of the epochs of a run, as far as it has kept them."""

from itertools import takewhile

from bptrain.errors import CheckpointError
from bptrain.store.run_directory import RunDirectory


def training_losses(run: RunDirectory) -> tuple[float, ...]:
    """The running training loss of each epoch from the first on; empty where metrics.jsonl cannot be read."""
    try:
        lines = run.read_metrics()
    except CheckpointError:
        return ()
    return tuple(
        takewhile(lambda loss: isinstance(loss, float), (line["train"].get("loss") for line in lines))
    )

"""Which engine runs a task: from its name in the config and from counts, never from timings."""

from typing import NamedTuple

from bptrain.engines.base import Engine, Task
from bptrain.engines.numpy_engine import NumpyEngine


class Choice(NamedTuple):
    """An engine, and why it was taken."""

    engine: Engine
    reason: str


def choose_engine(name: str, task: Task) -> Choice:
    """The engine of that name; `auto` is NumPy, the one engine there is."""
    reason = "as the config says" if name != "auto" else "auto: the one engine there is"
    return Choice(NumpyEngine(task), reason)

"""What a compiled loop is written for."""

from typing import NamedTuple

from bptrain.core.network import Network
from bptrain.engines.base import GradientTransform
from bptrain.parts.optimizers import Optimizer
from bptrain.parts.schedules import Schedule


class Updates(NamedTuple):
    """How the weights are updated."""

    optimizer: Optimizer
    schedule: Schedule
    rate_per_layer: bool
    transform: GradientTransform = GradientTransform()


class KernelPlan(NamedTuple):
    """What a kernel is written for."""

    network: Network
    dtype: str  # float32 | float64
    single: bool  # one instance per update
    updates: Updates | None = None  # for run_slice
    weighted: bool = False  # rows weigh differently
    masked: tuple[int, ...] = ()  # the layers 1 … L−1 with a mask

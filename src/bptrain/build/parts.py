"""The parts that a config names, made."""

from typing import Any

import numpy as np

from bptrain.config.part import LossConfig, OptimizerConfig, PartConfig, ScheduleConfig
from bptrain.config.schema import Config
from bptrain.registry import Registry


def make(registry: Registry[Any], part: PartConfig | LossConfig | OptimizerConfig | ScheduleConfig) -> Any:
    """The part that a name with options stands for."""
    return registry.get(part.name)(**part.options)


def dtype_of(config: Config) -> type:
    """float32 or float64."""
    return np.float64 if config.network.dtype == "float64" else np.float32

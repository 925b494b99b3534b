"""The parts that a config names, made."""

from typing import Any

import numpy as np

from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.parts.describe import beside_options
from bptrain.registry import Registry


def make(registry: Registry[Any], part: PartConfig) -> Any:
    """The part that a name with options stands for, with the wrappers of its additional options."""
    made = registry.get(part.name)(**part.options)
    for option in beside_options(registry, part.name):
        if option.wrap is not None and part.beside.get(option.name) is not None:
            made = option.wrap(made, part.beside[option.name])
    return made


def dtype_of(config: Config) -> type:
    """float32 or float64."""
    return np.float64 if config.network.dtype == "float64" else np.float32

"""The settings of the data room: plain records, filled in from the config by the caller."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bptrain.data.sources import DataSource
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.parts.losses import Outputs
from bptrain.parts.scalers import Scaler, standard


class DataSettings(NamedTuple):
    """The `data` section of a config, with `task`."""

    train: DataSource
    validation: DataSource | None = None
    test: DataSource | None = None
    target: str | tuple[str, ...] | None = None  # column names; for npz an array name, "y" by default
    features: str | tuple[str, ...] = (
        "all"  # "all" or column names; for npz also an array name, "X" by default
    )
    exclude: tuple[str, ...] = ()
    columns: Mapping[str, str] = MappingProxyType({})  # name -> "numeric" | "categorical"
    validation_share: float = 0.15
    test_share: float = 0.15
    stratify: bool | None = None  # None is auto
    shuffle: bool = True
    scale: Scaler = standard()
    scale_target: Scaler | None = None  # None is auto
    missing: str | Mapping[str, str] = "error"  # error | mean | median | most_frequent | drop
    task: str = "auto"  # auto | classification | regression
    weight: str | None = None  # the column, or the array of an npz file, that says what each row weighs
    class_weight: str | Mapping[object, float] | None = None  # "balanced", or label -> weight
    conventions: Conventions = RECOGNIZED  # what the config says of how cells are written

    def policy(self, name: str) -> str:
        """What is done about a missing cell in a column."""
        return self.missing if isinstance(self.missing, str) else self.missing.get(name, "error")


class NetworkFacts(NamedTuple):
    """What the data room needs to know of the rest of the config."""

    loss_name: str
    loss_outputs: Outputs
    smoothing: float = 0.0  # Loss.smoothing
    n_inputs: int | None = None  # n_0, None where the data decides
    n_outputs: int | None = None  # n_L, likewise
    output_range: tuple[float, float] | None = (
        None  # Activation.range of layer L, None where it is the default
    )
    scale_is_none: bool = False  # data.scale is none

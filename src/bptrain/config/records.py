"""A part as a config names it."""

from typing import Any, NamedTuple


class PartConfig(NamedTuple):
    """A part by name, with every option of its factory: `registry.get(name)(**options)` makes it."""

    name: str
    options: dict[str, Any]


class LossConfig(NamedTuple):
    """The loss of a row, and how the rows of a batch are put together."""

    name: str
    options: dict[str, Any]
    reduction: str = "mean"  # or "sum"
    class_weight: str | dict[Any, float] | None = None  # "balanced", or label -> weight


class OptimizerConfig(NamedTuple):
    """A rule, and the weight decay that is put around it."""

    name: str
    options: dict[str, Any]
    weight_decay: float | None = 0.0  # None: of a solver, whose weights do not decay


class ScheduleConfig(NamedTuple):
    """A schedule, and the epochs over which the learning rate rises to it."""

    name: str
    options: dict[str, Any]
    warmup: float = 0.0

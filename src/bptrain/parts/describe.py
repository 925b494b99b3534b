"""The kinds of parts in one table, and what each part says of itself."""

import inspect
from typing import Any, Literal

from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.optimizers import optimizers
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import NonNegative
from bptrain.registry import Option, Registry

REDUCTIONS = ("mean", "sum")
KINDS: dict[str, Registry[Any]] = {
    "activations": activations,
    "losses": losses,
    "optimizers": methods,
    "schedules": schedules,
    "initializers": initializers,
    "metrics": metrics,
    "scalers": scalers,
}


def beside(kind: str, name: str) -> dict[str, Option]:
    """The options that a part takes beside those of its factory."""
    if kind == "losses":
        weights = Option(Literal["balanced"] | dict[str, float] | None, None)
        return {"reduction": Option(Literal[REDUCTIONS], "mean"), "class_weight": weights}
    if kind == "optimizers" and name in optimizers:
        return {"weight_decay": Option(NonNegative, optimizers.get(name)().weight_decay)}
    if kind == "schedules":
        return {"warmup": Option(NonNegative, 0.0)}
    return {}


def formula(registry: Registry[Any], name: str) -> str:
    """The first sentence of a part's docstring: its formula."""
    text = inspect.getdoc(registry.get(name)) or ""
    first = text.splitlines()[0] if text else name
    return first.split(". ")[0].rstrip(".")

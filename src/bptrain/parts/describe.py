"""The kinds of parts in one table, the options that all parts of a kind take in addition to their factories', and the
description of a part. To add an option to all parts of a kind, write one entry of BESIDE: the config, the JSON Schema,
`bptrain list`,
docs/parts, completion and the plug-ins' check of names read it there, and a `wrap` makes it work.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.input_steps import embeddings
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.optimizers import optimizers, with_weight_decay
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules, with_warmup
from bptrain.parts.types import NonNegative
from bptrain.registry import Option, Registry

KINDS: dict[str, Registry[Any]] = {
    "activations": activations,
    "losses": losses,
    "optimizers": methods,
    "schedules": schedules,
    "initializers": initializers,
    "metrics": metrics,
    "scalers": scalers,
    "embeddings": embeddings,
}


class WrongValue(NamedTuple):
    """What is wrong with a value: where in it, what stands there, and what is expected."""

    path: tuple[str, ...]
    value: Any
    expected: str


class Beside(NamedTuple):
    """An option that every part of a registry takes, in addition to the options of its factory.

    wrap(part, value)   the part with it, such as a schedule with a warm-up; None: other code uses the value
    explain(value)      what `bptrain explain` says of a value other than 0
    """

    name: str
    of: Registry[Any]
    type: Any  # as the annotation of a factory's argument
    about: str  # in a few words
    default: Any = None
    default_of: Callable[[str, Mapping[str, Any]], Any] | None = None  # where it depends on name and options
    faults: Callable[[Any], Iterator[WrongValue]] | None = None  # where a value is not validated by its type
    wrap: Callable[[Any, Any], Any] | None = None
    explain: Callable[[Any], str] | None = None

    def default_for(self, name: str, options: Mapping[str, Any]) -> Any:
        """The value where a config gives none."""
        return self.default if self.default_of is None else self.default_of(name, options)


def class_weight_faults(value: Any) -> Iterator[WrongValue]:
    """A class_weight is balanced, or a weight of 0 or more for some labels, which may be numbers."""
    if value in (None, "balanced"):
        return
    if not isinstance(value, dict):
        yield WrongValue((), value, "balanced, or a mapping of labels to weights")
        return
    for label, weight in value.items():
        if type(weight) not in (int, float) or not 0 <= weight < math.inf:
            yield WrongValue((str(label),), weight, "a number, 0 or more")


BESIDE = [
    Beside(
        "reduction",
        losses,
        Literal["mean", "sum"],
        "how the losses of a batch's rows are combined",
        "mean",
    ),
    Beside(
        "class_weight",
        losses,
        Literal["balanced"] | dict[str, float] | None,
        "the weight of each class's rows",
        faults=class_weight_faults,
    ),
    Beside(
        "weight_decay",
        optimizers,
        NonNegative,
        "λ of w ← w − α λ w before each step",
        default_of=lambda name, options: optimizers.get(name)(**options).weight_decay,
        wrap=with_weight_decay,
        explain=lambda value: f"λ = {value:g} (optimizer.weight_decay)",
    ),
    Beside(
        "warmup",
        schedules,
        NonNegative,
        "epochs over which the learning rate rises from 0",
        default=0.0,
        wrap=with_warmup,
        explain=lambda value: (
            f"every α rises in a straight line over the first {value:g} epochs: "
            f"it is multiplied by min(1, (s + 1) / ({value:g} n)) (schedule.warmup)"
        ),
    ),
]


def beside_options(registry: Registry[Any], name: Any) -> list[Beside]:
    """The options that a part takes in addition to its factory's; for an unknown name, those that all parts take."""
    return [one for one in BESIDE if one.of is registry or (one.of.kind == registry.kind and name in one.of)]


def beside(kind: str, name: str) -> dict[str, Option]:
    """The options that a part takes in addition to those of its factory; `kind` is a key of KINDS."""
    found = beside_options(KINDS[kind], name)
    return {one.name: Option(one.type, one.default_for(name, {})) for one in found}


def formula(registry: Registry[Any], name: str) -> str:
    """The first sentence of a part's docstring: its formula."""
    text = inspect.getdoc(registry.get(name)) or ""
    first = text.splitlines()[0] if text else name
    return first.split(". ")[0].rstrip(".")

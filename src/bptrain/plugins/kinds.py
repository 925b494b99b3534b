"""The kinds of part that a plug-in may register, and what is wrong with one that is not what its kind asks for.

The parts of bptrain have their own tests. Those of a plug-in are tried on a few numbers whenever one is made: a result
of the wrong shape would otherwise fail far from the mistake, or not at all.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

import numpy as np

from bptrain.parts.activations import Activation, activations
from bptrain.parts.describe import BESIDE
from bptrain.parts.initializers import Initializer, initializers
from bptrain.parts.losses import Loss, Outputs, losses
from bptrain.parts.methods import methods as methods  # joins the names of optimizers and solvers
from bptrain.parts.metrics import Metric, metrics
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.scalers import CLIPS, FUNCTIONS, Affine, scalers
from bptrain.parts.schedules import schedules
from bptrain.parts.solvers import Iteration, Objective, Solver, fresh_slots, solvers
from bptrain.parts.types import Array
from bptrain.registry import Registry


class Kind(NamedTuple):
    """One kind of part."""

    registry: Registry[Any]
    makes: str  # what a factory returns
    type: type | None  # None: a function
    faults: Callable[[Any], Iterator[str]]  # of a part of that type, each the end of a sentence
    functions: tuple[str, ...] = ()  # the fields that are functions

    @property
    def name(self) -> str:
        """In the singular, as messages say it."""
        return self.registry.kind

    @property
    def taken(self) -> tuple[str, ...]:
        """Keys of bptrain's own in addition to `name`, which no option may use."""
        return tuple(one.name for one in BESIDE if one.of is self.registry)


def fault(kind: Kind, part: Any) -> str | None:
    """What is wrong with what a factory returned; None where nothing is."""
    if kind.type is None and not callable(part):
        return f"returns {described(part)} and not {kind.makes}"
    if kind.type is not None and not isinstance(part, kind.type):
        return f"returns {described(part)} and not {kind.makes}"
    for name in kind.functions:
        function, optional = getattr(part, name), part._field_defaults.get(name, name) is None
        if not (callable(function) or (optional and function is None)):
            return f"has {described(function)} where the function {name} should be"
    with np.errstate(all="ignore"):
        return next(kind.faults(part), None)


def described(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} and shape {value.shape}"
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def wrong_shape(name: str, value: Any, shape: tuple[int, ...], of: str) -> Iterator[str]:
    """The fault where a value is no array of that shape."""
    if not isinstance(value, np.ndarray) or value.shape != shape:
        yield f"has {name} that gives {described(value)} for {of}, and should give an array of shape {shape}"


def activation_faults(part: Activation) -> Iterator[str]:
    """Of f, its derivative, its range and its kinks."""
    if (part.df is None) == (part.product is None):
        yield "should have either df, or the product with its Jacobian where it is not element-wise"
    for dtype in (np.float32, np.float64):
        for rows in (2, 1):  # one row by itself is an array of rows too
            z = np.linspace(-2.0, 2.0, 6).reshape(2, 3).astype(dtype)[:rows]
            x, of = part.f(z), f"z of {z.dtype} and shape {z.shape}"
            yield from wrong_shape("f", x, z.shape, of)
            if x.dtype != dtype:
                yield f"has f that gives {x.dtype} for {of}: it should keep the dtype"
            if part.df is not None:
                yield from wrong_shape("df", part.df(z, x), z.shape, of)
            if part.product is not None:
                yield from wrong_shape("product", part.product(x, z), z.shape, of)
    if not (_are_numbers(part.range) and len(part.range) == 2 and part.range[0] < part.range[1]):
        yield f"has the range {part.range!r}, which should be (low, high)"
    if not _are_numbers(part.kinks):
        yield f"has the kinks {part.kinks!r}, which should be a tuple of numbers"


def _are_numbers(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(entry, int | float) for entry in value)


def loss_faults(part: Loss) -> Iterator[str]:
    """Of E and dE, and of what the outputs are."""
    for rows in (2, 1):
        x = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])[:rows]
        t = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])[:rows]
        of = f"x and t of shape {x.shape}"
        yield from wrong_shape("E", part.E(x, t), (len(x),), of)
        yield from wrong_shape("dE", part.dE(x, t), x.shape, of)
        if part.E_of_z is not None:
            yield from wrong_shape("E_of_z", part.E_of_z(x, t), (len(x),), of)
    if part.outputs not in get_args(Outputs):
        yield f"has outputs={part.outputs!r}, which should be one of {', '.join(get_args(Outputs))}"
    for name in (part.output, part.canonical):
        if name is not None and name not in activations:
            yield f"names {name!r}, and there is no such activation"


def optimizer_faults(part: Optimizer) -> Iterator[str]:
    """Of the learning rate, the step and its slots."""
    rate: Any = part.learning_rate
    if not _are_numbers(rate if isinstance(rate, tuple) else (rate,)):
        yield f"has {described(rate)} as its learning rate, and should have a number, or one per layer"
    kinds: Any = part.slots
    if not isinstance(kinds, Mapping):
        yield "has slots that are no mapping of names to per_weight or scalar"
    unknown = [kind for kind in part.slots.values() if kind not in ("per_weight", "scalar")]
    if unknown:
        yield f"has a slot of kind {unknown[0]!r}, which should be per_weight or scalar"
    g = np.array([0.5, -1.0, 2.0])
    slots = tuple(np.zeros_like(g) if kind == "per_weight" else np.zeros(()) for kind in part.slots.values())
    after: Any = part.step(g, slots, np.ones_like(g), 0.1, 1, 1.0)
    if not (isinstance(after, tuple) and len(after) == 2 and isinstance(after[1], tuple)):
        yield f"has step that gives {described(after)}, and should give (step, slots)"
    step, kept = after
    yield from wrong_shape("step", step, g.shape, f"g of shape {g.shape}")
    if [np.shape(slot) for slot in kept] != [slot.shape for slot in slots]:
        yield f"has step that gives {described(kept)} as slots, and should give those of {list(part.slots)}"


def schedule_faults(part: Callable[..., Any]) -> Iterator[str]:
    """Of the factor of an update."""
    factor = part(0, 1, 8, 10)
    if not isinstance(factor, int | float | np.floating):
        yield f"gives {described(factor)}, and should give a number"


def initializer_faults(part: Initializer) -> Iterator[str]:
    """Of a drawn matrix, and of biases drawn with it."""
    rng = np.random.default_rng(0)
    W = part.W(rng, 3, 2)
    yield from wrong_shape("W", W, (3, 2), "n_out 3 and n_in 2")
    if part.b is not None:
        yield from wrong_shape("b", part.b(rng, W), (3,), "n_out 3")


def metric_faults(part: Metric) -> Iterator[str]:
    """Of what it says of itself."""
    if part.task not in ("classification", "regression"):
        yield f"has task={part.task!r}, which should be classification or regression"
    if part.better not in ("higher", "lower", "neither"):
        yield f"has better={part.better!r}, which should be higher, lower or neither"
    if part.reads not in ("predictions", "scores", "probabilities"):
        yield f"has reads={part.reads!r}, which should be predictions, scores or probabilities"
    weighs: Any = part.weighs
    if not isinstance(weighs, bool):
        yield f"has weighs={weighs!r}, which should be True or False"


def solver_faults(part: Solver) -> Iterator[str]:
    """Of its slots, and of an iteration on ½ ‖w‖²."""
    kinds: Any = part.slots
    if not isinstance(kinds, Mapping):
        yield "has slots that are no mapping of names to per_weight, scalar or a number"
    for kind in part.slots.values():
        if not isinstance(kind, int) and kind not in ("per_weight", "scalar"):
            yield f"has a slot of kind {kind!r}, which should be per_weight, scalar or a number"
    bowl = Objective(lambda w: float(0.5 * w @ w), lambda w: w.copy(), lambda w: np.eye(len(w)))
    w, slots = np.array([1.0, -2.0, 0.5]), fresh_slots(part, 3)
    done: Any = part.step(bowl, w, slots, 1)
    if not isinstance(done, Iteration):
        yield f"has step that gives {described(done)}, and should give an Iteration"
    yield from wrong_shape("step", done.w, w.shape, f"w of shape {w.shape}")
    if [np.shape(slot) for slot in done.slots] != [slot.shape for slot in slots]:
        yield f"has step that gives {described(done.slots)} as slots, and should give those of {list(kinds)}"


def scaler_faults(part: Callable[[Array], Any]) -> Iterator[str]:
    """Of the map that it fits to rows."""
    rows = np.arange(8.0).reshape(4, 2) ** 2
    fitted = part(rows)
    if not isinstance(fitted, Affine):
        yield f"gives {described(fitted)}, and should give an Affine"
    for name in ("center", "spread"):
        yield from wrong_shape(name, getattr(fitted, name), (2,), f"rows of shape {rows.shape}")
    if fitted.function not in FUNCTIONS:
        yield f"has function={fitted.function!r}, which should be one of {', '.join(FUNCTIONS)}"
    if fitted.clip not in CLIPS:
        yield f"has clip={fitted.clip!r}, which should be one of {', '.join(CLIPS)}"


KINDS = (
    Kind(activations, "an Activation", Activation, activation_faults, ("f", "df", "product")),
    Kind(losses, "a Loss", Loss, loss_faults, ("E", "dE", "E_of_z", "terms")),
    Kind(optimizers, "an Optimizer", Optimizer, optimizer_faults, ("step",)),
    Kind(solvers, "a Solver", Solver, solver_faults, ("step",)),
    Kind(schedules, "a schedule, a function", None, schedule_faults),
    Kind(initializers, "an Initializer", Initializer, initializer_faults, ("W", "b")),
    Kind(metrics, "a Metric", Metric, metric_faults, ("of",)),
    Kind(scalers, "a scaler, a function", None, scaler_faults),
)

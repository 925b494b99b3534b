"""The first thing that is wrong with a function: which quantity, the likely slip, and where to look."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.commands.check_backward.user_functions import Fault
from bptrain.core.network import Network, views
from bptrain.gradient_check.layers import diagnose_layers
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import Diagnosis
from bptrain.gradient_check.slips.submission_slips import backward_slip, forward_slip, step_slip
from bptrain.gradient_check.submission import ExpectedQuantity, Key, QuantityVerdict, SubmittedValues
from bptrain.parts.types import Array

SINGLE = 1e-6  # an error that float32 may come to


class Equation(NamedTuple):
    """One equation, and the shapes of its factors."""

    equation: str
    shapes: str


def equation_of(network: Network, key: Key, N: int) -> Equation:
    """The line of a quantity such as ("delta", 2), for N instances."""
    (name, i), n = key, network.sizes
    over = "" if N == 1 else f", summed over the {N} instances"
    if name == "delta":
        return delta_equation(network, i, N)
    if (name, i) == ("x", 0):
        return Equation("x[0] = x_0", f"{n[0]}×{N}")
    if name == "x":
        return Equation(f"x_{i} = f_{i}(z_{i})", f"{n[i]}×{N}")
    if name == "z":
        bias = network.bias[i]
        product = f"{n[i]}×{N} = {n[i]}×{n[i - 1]} · {n[i - 1]}×{N}"
        equation = f"z_{i} = W_{i} x_{i - 1}" + (f" + b_{i}" if bias else "")
        return Equation(equation, product + (f" + {n[i]}×1" if bias else ""))
    if name == "dW":
        shapes = f"{n[i]}×{n[i - 1]} = {n[i]}×{N} · {N}×{n[i - 1]}"
        return Equation(f"∂E/∂W_{i} = δ_{i} x_{i - 1}ᵀ", shapes)
    if name == "db":
        return Equation(f"∂E/∂b_{i} = δ_{i}{over}", f"{n[i]}×1")
    columns = n[i - 1] if name == "W" else 1
    return Equation(f"{name}_{i} ← {name}_{i} − α_{i} ∂E/∂{name}_{i}", f"{n[i]}×{columns}")


def delta_equation(network: Network, i: int, N: int) -> Equation:
    """The line of δ_i."""
    n, L, element_wise = network.sizes, network.L, network.activations[i].df is not None
    here = f"{n[i]}×{N}"
    if i == L and network.canonical:
        return Equation(f"δ_{i} = x_{i} − t", f"{here} = {here} − {here}")
    if i == L:
        equation = f"dE(x_{i}, t) ∘ f_{i}'(z_{i})" if element_wise else f"J_{i}ᵀ dE(x_{i}, t)"
        return Equation(f"δ_{i} = {equation}", f"{here} = {here} ∘ {here}" if element_wise else here)
    product, shapes = f"W_{i + 1}ᵀ δ_{i + 1}", f"{n[i]}×{n[i + 1]} · {n[i + 1]}×{N}"
    if element_wise:
        return Equation(f"δ_{i} = ({product}) ∘ f_{i}'(z_{i})", f"{here} = ({shapes}) ∘ {here}")
    return Equation(f"δ_{i} = J_{i}ᵀ ({product})", f"{here} = J_{i}ᵀ ({shapes})")


class GradingTrial(NamedTuple):
    """Every function on some instances; all by the function's name."""

    instances: int
    rates: tuple[float, ...]
    expected: Mapping[str, Sequence[ExpectedQuantity]]
    theirs: Mapping[str, SubmittedValues]
    judged: Mapping[str, tuple[QuantityVerdict, ...]]
    faults: Mapping[str, Fault]

    def wrong(self, name: str) -> bool:
        """Whether anything is wrong with a function."""
        return name in self.faults or any(one.verdict != "right" for one in self.judged[name])


class FunctionFinding(NamedTuple):
    """What is wrong first with one function."""

    function: str
    instances: int  # of the trial that shows it
    quantity: str | None  # such as "delta"; None where no quantity is at fault
    layer: int | None
    judgment: QuantityVerdict | None  # of that quantity, where it was reached
    fault: Fault | None
    slip: Diagnosis | None
    notes: tuple[str, ...]
    look: Equation | None

    def record(self) -> dict[str, Any]:
        """The fields of a finding in check-backward's JSON."""
        return {
            "function": self.function,
            "instances": self.instances,
            "quantity": self.quantity,
            "layer": self.layer,
            "judgment": None if self.judgment is None else self.judgment._asdict(),
            "problem": None
            if self.fault is None
            else {key: value for key, value in self.fault._asdict().items() if key != "computing"},
            "slip": None if self.slip is None else self.slip._asdict(),
            "notes": self.notes,
            "equation": None if self.look is None else self.look.equation,
            "shapes": None if self.look is None else self.look.shapes,
        }


def first_error(
    points: Sequence[GradientPoint], trials: Sequence[GradingTrial], name: str
) -> FunctionFinding | None:
    """What is wrong first with a function, on many instances or else on one; None where all is right."""
    for point, trial in zip(points, trials, strict=True):
        if trial.wrong(name):
            others = [other for other in trials if other is not trial]
            with np.errstate(all="ignore"):  # theirs may hold anything
                return in_trial(point, trial, name, others)
    return None


def in_trial(
    point: GradientPoint, trial: GradingTrial, name: str, others: Sequence[GradingTrial]
) -> FunctionFinding:
    """What is wrong first with a function in one trial where something is."""
    judged, fault = trial.judged[name], trial.faults.get(name)
    first = next((one for one in judged if one.verdict == "wrong"), None)
    if first is not None:
        key = first.key
    elif fault is not None and fault.computing in {one.key for one in judged}:
        key = fault.computing
    else:
        key = None
    slip = slip_of(point, trial, name, first) if first is not None else None
    notes = [*notes_on(judged, first), *notes_on_instances(trial, others, name)]
    if first is not None and first.key == ("delta", point.network.L):
        notes += notes_on_loss(point)
    if first is not None and slip is None and first.relative_error < SINGLE:
        notes.append(
            "an error as small as this may be rounding: look for float32, or a constant of few digits"
        )
    return FunctionFinding(
        name,
        trial.instances,
        key[0] if key else None,
        key[1] if key else None,
        first,
        fault,
        slip,
        tuple(notes),
        equation_of(point.network, key, trial.instances) if key else None,
    )


def slip_of(point: GradientPoint, trial: GradingTrial, name: str, first: QuantityVerdict) -> Diagnosis | None:
    """The known slip whose pattern the first wrong quantity matches."""
    theirs = trial.theirs[name]
    value = theirs[first.key]
    if not isinstance(value, np.ndarray):
        return None
    one = next(one for one in trial.expected[name] if one.key == first.key)
    source = theirs[one.source] if one.source is not None else None
    above = source if isinstance(source, np.ndarray) else None
    if name == "step":
        alike = [other for other in trial.expected[name] if other.name == first.name]  # all W_i, or all b_i
        whole = step_slip(point, trial.rates, trial.expected[name], theirs)
        return whole or step_slip(point, trial.rates, alike, theirs)
    if name == "backward":
        likely = diagnose_layers(point, *rows(point, theirs)).likely
        return likely or backward_slip(point, one, value, above)
    return None if above is None else forward_slip(point, one, value, above)


def rows(point: GradientPoint, theirs: SubmittedValues) -> tuple[list[Array | None], Array]:
    """D_1 … D_L by rows, and the flat gradient; NaN where there is none."""

    def array(key: tuple[str, int]) -> Array | None:
        value = theirs.get(key)
        return value if isinstance(value, np.ndarray) else None

    g = np.full_like(point.w, np.nan)
    into = views(point.network, g)
    D: list[Array | None] = [None] * (point.network.L + 1)
    for i in range(1, point.network.L + 1):
        delta, dW, db = array(("delta", i)), array(("dW", i)), array(("db", i))
        D[i] = None if delta is None else delta.T
        if dW is not None:
            into.W[i][...] = dW
        if (b_i := into.b[i]) is not None and db is not None:
            b_i[...] = db[:, 0]
    return D, g


def notes_on(judged: Sequence[QuantityVerdict], first: QuantityVerdict | None) -> list[str]:
    """What else is wrong, and what only follows."""
    notes = []
    gradient = [one for one in judged if one.name in ("dW", "db")]
    if first is not None and first.name == "delta" and all(one.verdict == "right" for one in gradient):
        notes.append("dW and db are all right: only delta is not what the derivation calls δ")
    also = [one for one in judged if one.verdict == "wrong" and one is not first]
    follow = [one for one in judged if one.verdict == "inherited"]
    if also:
        notes.append(f"also wrong by itself: {listed(also)}")
    if follow:
        verb = "follows" if len(follow) == 1 else "follow"
        notes.append(f"{listed(follow)} {verb} from an earlier error; fix that first")
    return notes


def notes_on_loss(point: GradientPoint) -> list[str]:
    """Where right code cannot do with dE."""
    network, L = point.network, point.network.L
    if network.canonical and not np.isfinite(network.loss.dE(point.space.X[L], point.T)).all():
        return [f"dE is not finite here, where outputs are 0 or 1; δ_{L} = x_{L} − t needs no dE"]
    return []


def notes_on_instances(trial: GradingTrial, others: Sequence[GradingTrial], name: str) -> list[str]:
    """Where many instances and one come to another verdict."""
    for other in others:
        if not other.wrong(name):
            right = "one instance" if other.instances == 1 else f"{other.instances} instances"
            return [f"it is right for {right}"]
    return []


def listed(judged: Sequence[QuantityVerdict]) -> str:
    """Quantities by their names in the code."""
    return ", ".join(f"{one.name}[{one.layer}]" for one in judged)

"""The first thing that is wrong with a function: which quantity, the likely slip, and where to look."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.commands.check_backward.calling import Fault
from bptrain.commands.check_backward.words import Line, line
from bptrain.core.network import views
from bptrain.gradient_check.grading import Judgment, Theirs, Wanted
from bptrain.gradient_check.layers import diagnose_layers
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.slips.around import backward_slip, forward_slip, step_slip
from bptrain.gradient_check.slips.base import Diagnosis
from bptrain.parts.types import Array

SINGLE = 1e-6  # an error that float32 may come to


class Trial(NamedTuple):
    """Every function on some instances; all by the function's name."""

    instances: int
    rates: tuple[float, ...]
    wanted: Mapping[str, Sequence[Wanted]]
    theirs: Mapping[str, Theirs]
    judged: Mapping[str, tuple[Judgment, ...]]
    faults: Mapping[str, Fault]

    def wrong(self, name: str) -> bool:
        """Whether anything is wrong with a function."""
        return name in self.faults or any(one.verdict != "right" for one in self.judged[name])


class Finding(NamedTuple):
    """What is wrong first with one function."""

    function: str
    instances: int  # of the trial that shows it
    quantity: str | None  # such as "delta"; None where no quantity is at fault
    layer: int | None
    judgment: Judgment | None  # of that quantity, where it was reached
    fault: Fault | None
    slip: Diagnosis | None
    notes: tuple[str, ...]
    look: Line | None


def finding(points: Sequence[Point], trials: Sequence[Trial], name: str) -> Finding | None:
    """What is wrong first with a function, on many instances or else on one; None where all is right."""
    for point, trial in zip(points, trials, strict=True):
        if trial.wrong(name):
            others = [other for other in trials if other is not trial]
            with np.errstate(all="ignore"):  # theirs may hold anything
                return in_trial(point, trial, name, others)
    return None


def in_trial(point: Point, trial: Trial, name: str, others: Sequence[Trial]) -> Finding:
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
    return Finding(
        name,
        trial.instances,
        key[0] if key else None,
        key[1] if key else None,
        first,
        fault,
        slip,
        tuple(notes),
        line(point.network, key, trial.instances) if key else None,
    )


def slip_of(point: Point, trial: Trial, name: str, first: Judgment) -> Diagnosis | None:
    """The known slip whose pattern the first wrong quantity matches."""
    theirs = trial.theirs[name]
    value = theirs[first.key]
    if not isinstance(value, np.ndarray):
        return None
    one = next(one for one in trial.wanted[name] if one.key == first.key)
    handed = theirs[one.handed] if one.handed is not None else None
    above = handed if isinstance(handed, np.ndarray) else None
    if name == "step":
        alike = [other for other in trial.wanted[name] if other.name == first.name]  # all W_i, or all b_i
        whole = step_slip(point, trial.rates, trial.wanted[name], theirs)
        return whole or step_slip(point, trial.rates, alike, theirs)
    if name == "backward":
        likely = diagnose_layers(point, *rows(point, theirs)).likely
        return likely or backward_slip(point, one, value, above)
    return None if above is None else forward_slip(point, one, value, above)


def rows(point: Point, theirs: Theirs) -> tuple[list[Array | None], Array]:
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


def notes_on(judged: Sequence[Judgment], first: Judgment | None) -> list[str]:
    """What else is wrong, and what only follows."""
    notes = []
    gradient = [one for one in judged if one.name in ("dW", "db")]
    if first is not None and first.name == "delta" and all(one.verdict == "right" for one in gradient):
        notes.append("dW and db are all right: only delta is not what the derivation calls δ")
    also = [one for one in judged if one.verdict == "wrong" and one is not first]
    follow = [one for one in judged if one.verdict == "inherited"]
    if also:
        notes.append(f"wrong by itself too: {listed(also)}")
    if follow:
        notes.append(f"wrong only by what was handed down: {listed(follow)}")
    return notes


def notes_on_loss(point: Point) -> list[str]:
    """Where right code cannot do with dE."""
    network, L = point.network, point.network.L
    if network.canonical and not np.isfinite(network.loss.dE(point.space.X[L], point.T)).all():
        return [f"dE is not finite here, where outputs are 0 or 1; δ_{L} = x_{L} − t needs no dE"]
    return []


def notes_on_instances(trial: Trial, others: Sequence[Trial], name: str) -> list[str]:
    """Where many instances and one come to another verdict."""
    for other in others:
        if not other.wrong(name):
            right = "one instance" if other.instances == 1 else f"{other.instances} instances"
            return [f"it is right for {right}"]
    return []


def listed(judged: Sequence[Judgment]) -> str:
    """Quantities by their names in the code."""
    return ", ".join(f"{one.name}[{one.layer}]" for one in judged)


def finding_record(one: Finding) -> dict[str, Any]:
    """A finding as JSON has it."""
    return {
        "function": one.function,
        "instances": one.instances,
        "quantity": one.quantity,
        "layer": one.layer,
        "judgment": None if one.judgment is None else one.judgment._asdict(),
        "problem": None
        if one.fault is None
        else {key: value for key, value in one.fault._asdict().items() if key != "computing"},
        "slip": None if one.slip is None else one.slip._asdict(),
        "notes": one.notes,
        "equation": None if one.look is None else one.look.equation,
        "shapes": None if one.look is None else one.look.shapes,
    }

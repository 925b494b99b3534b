"""Verdicts: what is said of an analytic gradient beside the numeric one, and by which rule."""

from typing import Literal, NamedTuple

import numpy as np

from bptrain.parts.types import Array

TOLERANCE = 1e-10  # with the complex step, whose error is rounding alone; right code reads below 1e-12
TOLERANCE_OF_DIFFERENCES = 1e-6
SAFETY = 10.0  # the estimated error of a difference may be too small by so much
TOO_NOISY = 1e-3  # an estimated error above it, in units of the gradient, tells nothing
VANISHING = 1e-7  # in units of s: below it the verdict adds that the gradient vanishes here

UpdateRule = Literal["complex_step", "central"]
Kinks = Literal["interval", "skip", "fail"]
Outcome = Literal["pass", "kink", "mismatch", "undecided", "left out"]


class BlockReport(NamedTuple):
    """The verdict on one W_i or b_i, or on X_0 (layer 0, parameter "input")."""

    layer: int
    parameter: str  # weight | bias | input
    shape: tuple[int, ...]
    entries: int  # entries that were checked one by one
    directions: int  # random directions through all entries that were checked
    errors: dict[str, float]  # the relative error by engine
    engine: str  # the engine with the largest, to which what follows belongs
    worst: tuple[int, ...]  # index of the entry with the largest |a − n|
    worst_analytic: float
    worst_numeric: float
    sides: tuple[float, float] | None  # the least and the largest that this entry may be at a corner
    outcome: Outcome
    passed: bool
    vanishes: bool  # ‖a‖ and ‖n‖ are both below 10⁻⁷ s

    @property
    def name(self) -> str:
        """The name that `--params` selects by."""
        return "inputs" if self.parameter == "input" else f"layers.{self.layer}.{self.parameter}"

    @property
    def relative_error(self) -> float:
        """The largest error of an engine; NaN counts as largest."""
        return float(np.max(list(self.errors.values())))

    @property
    def verdict(self) -> str:
        """The outcome, with a word where that alone would not tell."""
        words = self.outcome + (
            {True: ", between the slopes of both sides", False: ", refused"}[self.passed]
            if self.outcome == "kink"
            else ""
        )
        return words + (", the gradient vanishes here" if self.vanishes else "")


def rules(method: UpdateRule, tolerance: float, kinks: Kinks) -> dict[Outcome, str]:
    """The rule behind each outcome, in words."""
    noise = " or ten times the estimated error of the differences" if method == "central" else ""
    limit = f"{tolerance:.0e} max(|a|, |n|, q){noise}"
    at_corner = {
        "interval": "a unit's slope jumps within rounding of its z: passes where a lies between what the slopes of "
        "both sides give",
        "skip": "a unit's slope jumps within rounding of its z: such rows were left out",
        "fail": "a unit's slope jumps within rounding of its z: refused, as you asked",
    }
    return {
        "pass": f"|a − n| is at most {limit}",
        "kink": at_corner[kinks],
        "mismatch": f"|a − n| is more than {limit}, and a is not between the slopes of a corner either",
        "left out": "every weight of it stands on l1's corner at 0",
        "undecided": "the differences are too noisy here to tell",
    }


class Numeric(NamedTuple):
    """The numeric side of one block: of some of its entries, and along directions through all of them."""

    entries: Array  # places in the block, flat
    n: Array
    estimate: Array  # how far off n may be; 0 for the complex step
    v: Array  # directions × size of the block, of ±1
    n_v: Array
    estimate_v: Array


class Allowed(NamedTuple):
    """What a block's entries may be: at corners anything in center ± radius, and elsewhere off by rounding."""

    s: Array  # the scale in absolute values, which the relative error goes by
    q: Array  # the scale in squares, which the verdict goes by; never more than s
    exact: Array  # by the lines of the derivation
    center: Array
    radius: Array


class Judged(NamedTuple):
    """One gradient of one block beside the numeric one."""

    error: float  # relative, by s
    right: bool
    noisy: bool  # the differences are too noisy to tell
    worst: int  # place in the block
    vanishes: bool


class Part(NamedTuple):
    """One comparison: of all entries, or along one direction."""

    distance: float
    estimate: float  # of the numeric side's own error
    a: float
    n: float
    s: float
    q: float


def judge(a: Array, numeric: Numeric, allowed: Allowed, tolerance: float) -> Judged:
    """Judges a block's gradient a, flat: by its entries, and along each direction.

    The error is ‖a − n‖ / max(‖a‖, ‖n‖, s) over the entries, |a·v − n_v| / max(‖a‖, |n_v|, s) along a direction v. At a
    corner it is what a lacks of what is possible there. For the verdict q takes the place of s.
    """
    some, center, radius = numeric.entries, allowed.center, allowed.radius
    parts, missing = [], np.zeros(1)
    if len(some):
        missing = lacking(a[some], numeric.n, center[some], radius[some])
        known, scales = np.nan_to_num(numeric.n), (norm(allowed.s[some]), norm(allowed.q[some]))
        estimate = norm(numeric.estimate[~np.isnan(numeric.n)])
        parts.append(Part(norm(missing), estimate, norm(a[some]), norm(known), *scales))
    for v, n_v, estimate_v in zip(numeric.v, numeric.n_v, numeric.estimate_v, strict=True):
        apart = float(lacking(a @ v, n_v, center @ v, radius @ np.abs(v)))
        unknown = bool(np.isnan(n_v))
        estimate, size = (0.0, 0.0) if unknown else (float(estimate_v), abs(float(n_v)))
        parts.append(Part(apart, estimate, norm(a), size, norm(allowed.s), norm(allowed.q)))
    errors = [ratio(part.distance, np.max([part.a, part.n, part.s])) for part in parts]
    sizes = [float(np.max([part.a, part.n, part.q])) for part in parts]
    noisy = any(part.estimate > TOO_NOISY * size for part, size in zip(parts, sizes, strict=True))
    close = [
        ratio(part.distance, size) <= tolerance or part.distance <= SAFETY * part.estimate  # False for NaN
        for part, size in zip(parts, sizes, strict=True)
    ]
    return Judged(
        error=float(np.max(errors, initial=0.0)),
        right=all(close) and not noisy,
        noisy=noisy,
        worst=int(some[np.argmax(missing)]) if len(some) else 0,
        vanishes=all(max(part.a, part.n) < VANISHING * part.q for part in parts),
    )


def ratio(distance: float, size: float) -> float:
    """distance / size, and 0 where both are 0."""
    return 0.0 if size == 0 else float(distance / size)


def lacking(a: Array, n: Array, center: Array, radius: Array) -> Array:
    """|a − n|, or what a lacks of center ± radius where that is less; where no n could be had, n is NaN."""
    outside = np.where((radius > 0) | np.isnan(n), np.maximum(np.abs(a - center) - radius, 0.0), np.nan)
    return np.asarray(np.fmin(np.abs(a - n), outside))


def norm(x: Array) -> float:
    """‖x‖, inf where an entry is."""
    return float(np.linalg.norm(x))

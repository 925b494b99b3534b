"""One case with one number of threads: all contestants, checked against each other and timed in turn."""

import statistics
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cases import Case, problem
from contestants import CONTESTANTS, FIRST, OURS, PRODUCTS, Contestant
from rounds import interleaved, ratio
from worker import LeftOutError, Start, Worker

PASS_SECONDS = 0.5  # a slow contestant's pass is cut to about this; figures are per update
# A unit whose z is 0 but for rounding may be open in one program and shut in the other: one row of one unit, 1e-4 of
# the way in case G. adam divides rounding noise by itself on top.
TOLERANCE = {"gradient_descent": 1e-3, "adam": 5e-3}
OTHER_EPSILON = 5e-2


class Deviation(NamedTuple):
    """How far a contestant is from the NumPy engine after the first pass."""

    loss: float | None  # relative
    weights: float | None  # |w − w'| / |w − w_0|: a share of the way that the weights have come

    def within(self, tolerance: float) -> bool:
        """Whether both are known, and small."""
        return all(number is not None and number < tolerance for number in self)


class Figure(NamedTuple):
    """One contestant's result."""

    microseconds: float  # an update, median over the rounds
    ratios: dict[str, float]  # to each of our engines: median over the rounds of theirs / ours
    updates: int  # in a pass
    rounds: list[float]  # microseconds per update
    deviation: Deviation


class Verdict(NamedTuple):
    """One target of a case."""

    target: str
    wanted: float
    reached: float | None  # None: nobody of that family took part
    by: str

    @property
    def met(self) -> bool | None:
        """Whether it is met; None if it cannot be said."""
        return None if self.reached is None else self.reached >= self.wanted


class Outcome(NamedTuple):
    """Everything about one case with one number of threads."""

    case: Case
    threads: int
    figures: dict[str, Figure]
    left_out: dict[str, str]
    best: str  # our fastest engine
    verdicts: list[Verdict]


def measure(case: Case, threads: int, repeats: int, only: list[str]) -> Outcome:
    """Starts the contestants, compares their first passes, and times round after round."""
    workers, starts, left_out = _start(case, threads, only)
    try:
        deviations = _compare(case, starts)
        updates = {}
        for name, start in starts.items():
            updates[name] = _updates(case, start.seconds)
            workers[name].load(updates[name] * case.batch)
        rounds = interleaved({name: _pass(workers[name], updates[name]) for name in starts}, repeats)
    finally:
        for worker in workers.values():
            worker.stop()
    ours = [one.name for one in CONTESTANTS if one.family == OURS and one.name in starts]
    figures = {
        name: Figure(
            statistics.median(times),
            {engine: ratio(times, rounds[engine]) for engine in ours},
            updates[name],
            times,
            deviations[name],
        )
        for name, times in rounds.items()
    }
    best = min(ours, key=lambda name: figures[name].microseconds)
    return Outcome(case, threads, figures, left_out, best, _verdicts(case, figures, best))


def _start(
    case: Case, threads: int, only: list[str]
) -> tuple[dict[str, Worker], dict[str, Start], dict[str, str]]:
    workers: dict[str, Worker] = {}
    starts: dict[str, Start] = {}
    left_out: dict[str, str] = {}
    for one in CONTESTANTS:
        if only and one.name != FIRST and not any(word.lower() in one.name.lower() for word in only):
            continue
        workers[one.name] = Worker(case.key, one.name, threads)
        try:
            starts[one.name] = workers[one.name].start()
        except LeftOutError as error:
            left_out[one.name] = str(error)
            print(f"  {one.name} is left out: {error}", file=sys.stderr)
    if FIRST not in starts:
        raise SystemExit(f"the reference, {FIRST}, does not run, so nothing can be compared")
    return workers, starts, left_out


def _compare(case: Case, starts: dict[str, Start]) -> dict[str, Deviation]:
    """How far each is from the NumPy engine. Ends the benchmark where one that must agree does not."""
    deviations = {name: _deviation(case, start, starts[FIRST]) for name, start in starts.items()}
    for one in CONTESTANTS:
        found = deviations.get(one.name)
        other = case.optimizer == "adam" and one.other_epsilon
        tolerance = OTHER_EPSILON if other else TOLERANCE[case.optimizer]
        if found is not None and one.must_agree and not found.within(tolerance):
            raise SystemExit(
                f"case {case.key}: {one.name} did other work than {FIRST} in the first {case.check_rows} rows. "
                f"Relative deviation of the loss: {found.loss}; of the weights: {found.weights} of their way. "
                f"The tolerance is {tolerance}"
            )
    return deviations


def _deviation(case: Case, start: Start, reference: Start) -> Deviation:
    assert reference.loss is not None
    assert reference.weights is not None
    loss = None if start.loss is None else abs(start.loss / reference.loss - 1)
    if start.weights is None:
        return Deviation(loss, None)
    way = np.linalg.norm(reference.weights - problem(case).w)
    return Deviation(loss, float(np.linalg.norm(start.weights - reference.weights) / way))


def _pass(worker: Worker, updates: int) -> Callable[[], float]:
    """Microseconds per update of one pass."""
    return lambda: worker.seconds() / updates * 1e6


def _updates(case: Case, check_seconds: float) -> int:
    check, most = case.check_rows // case.batch, case.rows // case.batch
    return min(most, max(1, int(PASS_SECONDS / check_seconds * check)))


def _verdicts(case: Case, figures: dict[str, Figure], best: str) -> list[Verdict]:
    """Each target against the fastest contestant that it names."""
    verdicts = []
    for target, wanted in case.targets:
        named = [one for one in CONTESTANTS if one.name in figures and _names(target, one)]
        fastest = min(named, key=lambda one: figures[one.name].ratios[best], default=None)
        if fastest is None:
            verdicts.append(Verdict(target, wanted, None, ""))
        else:
            verdicts.append(Verdict(target, wanted, figures[fastest.name].ratios[best], fastest.name))
    return verdicts


def _names(target: str, one: Contestant) -> bool:
    if target == "best peer":
        return one.family not in (OURS, PRODUCTS)
    return target in (one.family, one.name)

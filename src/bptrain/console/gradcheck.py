"""The results of `gradcheck`, and a bar where it takes more than a moment."""

import sys
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from bptrain.commands.gradcheck.run import GradcheckResult
from bptrain.commands.gradcheck.selftest import CombinationCheck, by_parts, combinations
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import begin, end, is_redrawn
from bptrain.drain import drain
from bptrain.gradient_check.kinks import Kink
from bptrain.gradient_check.number_words import told_apart
from bptrain.gradient_check.numeric_gradient import CheckProgress
from bptrain.gradient_check.report import BlockReport, GradcheckReport

if TYPE_CHECKING:
    from rich import progress

Found = TypeVar("Found")

MOMENT = 1.0  # seconds that a check may take without a bar
KINKS = 5  # that are shown one by one
WRONG_PARTS = 3  # of which the self-test says what is wrong
UNITS = 8  # of a layer that are named


class CheckView:
    """A bar on a terminal, once a check takes more than a moment; a context, so that it is gone at the end."""

    def __init__(self, screen: Screen) -> None:
        self._wanted = is_redrawn(sys.stderr) and not (screen.quiet or screen.json)
        self._bar: progress.Progress | None = None
        self._begun = time.monotonic()

    def __enter__(self) -> "CheckView":
        return self

    def __exit__(self, *exception: object) -> None:
        end(self._bar)

    def advance(self, step: CheckProgress) -> None:
        """Shows how far a check has come."""
        if self._bar is None and self._wanted and time.monotonic() - self._begun > MOMENT:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            begin(self._bar)
            self._task = self._bar.add_task("checking", total=step.total)
        if self._bar is not None:
            self._bar.update(self._task, completed=step.done, total=step.total)

    def follow(self, check: Generator[CheckProgress, None, Found]) -> Found:
        """Runs a check to its end."""
        return drain(check, self.advance)

    def count(self, checks: Iterator[CombinationCheck]) -> list[CombinationCheck]:
        """Runs the checks of the self-test to their end."""
        total, done = sum(1 for _ in combinations()), []
        for checked in checks:
            done.append(checked)
            self.advance(CheckProgress(len(done), total))
        return done


def show_gradcheck(screen: Screen, checked: GradcheckResult) -> None:
    """Each parameter block with its errors and verdict, what is wrong in words, and the verdict in a sentence."""
    report = checked.report
    several = len(report.engines) > 1
    rows = [block_row(block, report.engines) for block in report.blocks]
    errors = list(report.engines) if several else ["relative error"]
    how = "the complex step" if report.method == "complex_step" else "central differences"
    engines = " and ".join(report.engines)
    title = f"{checked.name} at {checked.point}, engine {engines}: backpropagation compared with {how}"
    screen.table(title, ["layer", "parameter", "shape", "checked", *errors, "verdict"], rows)
    screen.note(f"method: {report.why}")
    if report.cross_check is not None and report.cross_check.passed:
        screen.note(report.cross_check.words)
    for note in checked.notes:
        screen.note(note)
    show_kinks(screen, report)
    for block in report.blocks:
        if not block.passed and block.outcome != "kink":
            screen.result(wrong_entry(block))
    show_explanations(screen, report)
    if not report.forward_error <= report.tolerance:
        screen.result(f"the forward pass itself is wrong: z or x differ by {report.forward_error:.1e}")
    show_consistency(screen, checked)
    show_units(screen, checked)
    screen.result(
        "a is the analytic gradient of a block, n the numeric one, q the scale of rounding, |·| the norm:"
    )
    for outcome, words in report.rules.items():
        screen.result(f"  {outcome}: {words}")
    screen.result(sentence(checked))


def block_row(block: BlockReport, engines: Sequence[str]) -> list[str]:
    """One line of the table. Not every engine has a gradient with respect to the inputs."""
    errors = [f"{block.errors[name]:.1e}" if name in block.errors else "-" for name in engines]
    count = f"{block.directions} directions" if block.directions else str(block.entries)
    if block.directions and block.entries:
        count += f", {block.entries}"
    return [
        str(block.layer) if block.parameter != "all" else "all",
        block.parameter,
        "x".join(map(str, block.shape)),
        count,
        *errors,
        block.verdict,
    ]


def wrong_entry(block: BlockReport) -> str:
    """The worst entry of a block, in words."""
    index = ", ".join(map(str, block.worst))
    where = "all parameters" if block.parameter == "all" else f"layer {block.layer} {block.parameter}"
    a, n = told_apart(block.worst_analytic, block.worst_numeric, 12)
    numeric = f"numeric {n}"
    if block.sides is not None:
        nearest = min(block.sides, key=lambda side: abs(side - block.worst_analytic))
        a, _ = told_apart(block.worst_analytic, nearest, 12)
        sides = [told_apart(side, block.worst_analytic, 12)[0] for side in block.sides]
        numeric = f"at a kink between {sides[0]} and {sides[1]}"
    return f"{where}: the worst entry is [{index}], analytic {a}, {numeric} (engine {block.engine})"


def show_explanations(screen: Screen, report: GradcheckReport) -> None:
    """Which parts are at fault themselves, and which slip a wrong gradient looks like."""
    for fault in report.faults:
        pattern = "" if fault.words is None else f"; this matches the pattern of: {fault.words}"
        at = "x" if fault.quantity == "∂E/∂x" else "z"
        place = f"{at} = {fault.z:.6g} (instance {fault.row}, unit {fault.unit})"
        given, right = told_apart(fault.given, fault.right, 9)
        screen.result(
            f"layer {fault.layer}: {fault.quantity} is {given} at {place}, where it should be {right}{pattern}"
        )
    for engine, likely in report.likely.items():
        screen.result(f"the gradient of engine {engine} matches the pattern of: {likely.words}")


def show_consistency(screen: Screen, checked: GradcheckResult) -> None:
    """Whether each engine is consistent with itself."""
    for one in checked.consistency:
        if not one.passed:
            screen.result(
                f"engine {one.engine} is not consistent: it should be that {one.words}; relative error {one.error:.1e}"
            )
            if one.likely is not None:
                screen.result(f"  which matches the pattern of: {one.likely.words}")
    if checked.consistency and all(one.passed for one in checked.consistency):
        screen.result("also checked: " + "; ".join({one.words: None for one in checked.consistency}))


def show_kinks(screen: Screen, report: GradcheckReport) -> None:
    """The units that are at a kink, with the slopes of both sides."""
    if not report.kinks_found:
        return
    count = len(report.kinks_found)
    screen.result(f"{count} kink{'s' if count > 1 else ''}, where a slope jumps:")
    for kink in report.kinks_found[:KINKS]:
        screen.result(f"  {kink_words(kink)}")
    if count > KINKS:
        screen.result(f"  and {count - KINKS} more, which --json lists")
    if report.rows_left_out:
        screen.result(f"{report.rows_left_out} rows at a kink were left out")


def kink_words(kink: Kink) -> str:
    """One kink in words: where, and the slopes of both sides."""
    index = ", ".join(map(str, kink.unit))
    left, right = told_apart(kink.left, kink.right, 6)
    sides = f"slope {left} on the left, {right} on the right"
    if kink.what == "penalty":
        return f"layer {kink.layer}, weight [{index}] = 0: l1 has the {sides}"
    of, at = ("f", "z") if kink.what == "f" else ("the loss", "x")
    return (
        f"layer {kink.layer}, unit {index}, instance {kink.row}: {at} = {kink.at:.3g}, {of} has the {sides}"
    )


def show_units(screen: Screen, checked: GradcheckResult) -> None:
    """Dead and saturated units, where there are some."""
    for one in checked.units:
        for kind, found in (("dead", one.dead), ("saturated", one.saturated)):
            if found:
                some = ", ".join(map(str, found[:UNITS])) + (", …" if len(found) > UNITS else "")
                screen.result(
                    f"layer {one.layer}: {len(found)} of {one.units} units {kind} on these rows ({some})"
                )


def sentence(checked: GradcheckResult) -> str:
    """The verdict."""
    report = checked.report
    stopped = "" if report.complete else "; stopped at the first mismatch"
    figures = (
        f"largest relative error {report.max_relative_error:.1e}, tolerance {report.tolerance:.0e}, "
        f"{report.entries:,} of {report.parameters:,} parameters{stopped}"
    )
    if checked.passed:
        return f"pass: {figures}"
    if report.passed:
        return "MISMATCH: the gradient is right, but an engine does not agree with itself"
    if report.gradient_passed:
        return f"MISMATCH: the gradient is right, but a part is not: {faults_in_short(report)}; {figures}"
    if {block.outcome for block in report.blocks if not block.passed} == {"kink"}:
        return f"REFUSED: units are at kinks; {figures}"
    return f"MISMATCH: {figures}"


def faults_in_short(report: GradcheckReport) -> str:
    """Which parts are at fault."""
    return " and ".join(dict.fromkeys(f"{fault.quantity} of layer {fault.layer}" for fault in report.faults))


def show_parts(screen: Screen, checks: Sequence[CombinationCheck]) -> None:
    """One row for each pair of parts, of the worst of its combinations."""
    rows = []
    for parts, of_parts in by_parts(checks).items():
        worst = max(of_parts, key=error_of)
        wrong = sum(not checked.report.passed for checked in of_parts)
        verdict = "pass" if wrong == 0 else f"mismatch in {wrong}"
        rows.append([parts, str(len(of_parts)), f"{error_of(worst):.1e}", verdict])
    title = "every activation with every loss that it allows: with and without bias, mean and sum, with penalties, "
    title += "weights and dropout"
    screen.table(title, ["activation / loss", "combinations", "relative error", "verdict"], rows)
    for checked in [checked for checked in checks if not checked.report.passed][:WRONG_PARTS]:
        screen.result(f"{checked.combination.parts}, {checked.combination.rest}:")
        show_explanations(screen, checked.report)
    passed = sum(checked.report.passed for checked in checks)
    verdict = "pass" if passed == len(checks) else "MISMATCH"
    screen.result(f"{verdict}: {passed} of {len(checks)} combinations pass")


def error_of(checked: CombinationCheck) -> float:
    """The largest error of a combination, infinity for NaN."""
    error = checked.report.max_relative_error
    return error if error == error else float("inf")

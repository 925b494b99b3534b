"""The verdict on a user's own functions: what they returned, compared with the derivation."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bptrain.commands.check_backward.findings import FunctionFinding, GradingTrial, first_error
from bptrain.commands.check_backward.grading_points import expected_at, rates_of
from bptrain.commands.check_backward.grading_task import GradingTask
from bptrain.commands.check_backward.user_functions import Fault
from bptrain.commands.check_backward.wire import Read
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.submission import ExpectedQuantity, judge_all
from bptrain.gradient_check.verdicts import TOLERANCE


class Grade(NamedTuple):
    """The verdict on a user's functions."""

    file: str
    config: str
    remarks: tuple[str, ...]  # on what they were graded
    trials: tuple[GradingTrial, ...]  # on many instances, and on a single one; none without all results
    findings: tuple[FunctionFinding, ...]  # what is wrong first, one of each function
    output: str = ""  # what the file printed
    seconds: float | None = None  # that its code ran

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def stopped(self) -> Fault | None:
        """Why there are no results, where their process did not come to its end."""
        return None if self.trials else self.findings[0].fault

    def record(self) -> dict[str, Any]:
        """The fields of check-backward's JSON."""
        return {
            "file": self.file,
            "config": self.config,
            "tolerance": TOLERANCE,
            "remarks": self.remarks,
            "functions": list(self.trials[0].judged) if self.trials else [],
            "quantities": [
                {"function": name, "instances": trial.instances, **judgment._asdict()}
                for trial in self.trials
                for name, judged in trial.judged.items()
                for judgment in judged
            ],
            "findings": [one.record() for one in self.findings],
        }


def graded(file: str, task: GradingTask, read: Sequence[Mapping[str, Read]]) -> Grade:
    """The grade of what the functions of a file returned at each point."""
    trials = tuple(
        judged_trial(point, expected_at(point), of_point)
        for point, of_point in zip(task.points, read, strict=True)
    )
    findings = [first_error(task.points, trials, name) for name in trials[0].judged]
    return Grade(file, task.config, task.remarks, trials, tuple(one for one in findings if one is not None))


def not_graded(file: str, task: GradingTask, running: str, instances: int, fault: Fault) -> Grade:
    """The grade of a file whose process has not returned all results: while what was running, and why."""
    finding = FunctionFinding(running, instances, None, None, None, fault, None, (), None)
    return Grade(file, task.config, task.remarks, (), (finding,))


def judged_trial(
    point: GradientPoint, expected: Mapping[str, Sequence[ExpectedQuantity]], read: Mapping[str, Read]
) -> GradingTrial:
    """What functions returned at a point, judged."""
    values = {name: of_function for name, (of_function, _) in read.items()}
    return GradingTrial(
        len(point.X_0),
        rates_of(point.network.L),
        expected,
        values,
        {name: tuple(judge_all(expected[name], of_function)) for name, of_function in values.items()},
        {name: fault for name, (_, fault) in read.items() if fault is not None},
    )

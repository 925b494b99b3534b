"""The grade of a user's own backpropagation: a table, and what is wrong first in words."""

from collections.abc import Sequence
from pathlib import Path

from bptrain.commands.check_backward.class_grades import ClassRow
from bptrain.commands.check_backward.contract import shape
from bptrain.commands.check_backward.findings import FunctionFinding, GradingTrial
from bptrain.commands.check_backward.grade import Grade
from bptrain.console.terminal.screen import Screen
from bptrain.gradient_check.number_words import told_apart
from bptrain.gradient_check.submission import VERDICTS, QuantityVerdict


def show_grade(screen: Screen, grade: Grade) -> None:
    """Every quantity with its errors and its verdict, then the first wrong one of each function."""
    if grade.output:
        screen.note(f"output of {grade.file}:")
        for text in grade.output.split("\n"):
            screen.note(f"  {text}", whole=True)
    if grade.stopped is not None:
        for remark in grade.remarks:
            screen.note(f"note: {remark}")
        screen.result(f"NO VERDICT: {grade.stopped.message}")
        return
    many, single = grade.trials[0], grade.trials[-1]
    rows = [
        [
            f"{one.name}[{one.layer}]",
            shape(one.shape),
            error(one),
            *([error(other)] if single is not many else []),
            verdict(one, other),
        ]
        for name, judged in many.judged.items()
        for one, other in zip(judged, single.judged[name], strict=True)
    ]
    columns = ["quantity", "shape", instances(many), *([instances(single)] if single is not many else [])]
    screen.table(f"{grade.file} on {grade.config}: relative errors", [*columns, "verdict"], rows)
    for remark in grade.remarks:
        screen.note(f"note: {remark}")
    for finding in grade.findings:
        screen.result()
        for text in finding_lines(grade.file, finding):
            screen.result(text)
    if grade.findings:
        screen.result()
    screen.result(summary(grade))


def show_row(screen: Screen, row: ClassRow, number: int, files: int) -> None:
    """One submission of a class, as soon as it is graded."""
    screen.note(f"{number}/{files}  {row.file}: {row.verdict}{first_of(row)}")


def show_class(screen: Screen, rows: Sequence[ClassRow], out: Path | None) -> None:
    """The verdict on each submission, and how many of them pass."""
    table = [[row.file, row.verdict, first_of(row).removeprefix(", "), row.slip_in_words] for row in rows]
    screen.table("", ["file", "verdict", "first error", "likely slip"], table)
    if out is not None:
        screen.note(f"wrote {out}")
    screen.result(f"{sum(row.verdict == 'pass' for row in rows)} of {len(rows)} pass")


def first_of(row: ClassRow) -> str:
    """What is wrong first: a quantity, or a function with what became of it."""
    if row.quantity:
        return f", {row.quantity}"
    return f", {row.message}" if row.message else ""


def summary(grade: Grade) -> str:
    """The verdict in one line."""
    names = list(grade.trials[0].judged)
    if grade.passed:
        return f"pass: {', '.join(names[:-1])} and {names[-1]} are right"
    unfinished = all(one.fault is not None and one.fault.code == "unfinished" for one in grade.findings)
    return f"{'NOT FINISHED' if unfinished else 'WRONG'}: {', '.join(headlines(grade))}"


def instances(trial: GradingTrial) -> str:
    """The head of a column."""
    return "1 instance" if trial.instances == 1 else f"{trial.instances} instances"


def error(one: QuantityVerdict) -> str:
    """The error of a quantity in the table."""
    return "-" if one.theirs is None else f"{one.relative_error:.1e}"


def verdict(one: QuantityVerdict, single: QuantityVerdict) -> str:
    """The verdict in the table: that on many instances, and where it is another that on a single one."""
    text = VERDICTS[one.verdict]
    if single.verdict == one.verdict:
        return text
    return f"{text}; for one instance {VERDICTS[single.verdict]}"


def headlines(grade: Grade) -> list[str]:
    """Each function that is wrong, with the quantity that is wrong first."""
    return [
        f"{one.function}" + (f" from {one.quantity}[{one.layer}] on" if one.quantity else "")
        for one in grade.findings
    ]


def finding_lines(file: str, finding: FunctionFinding) -> list[str]:
    """A finding in words."""
    one, fault, lines = finding.judgment, finding.fault, []
    count = "one instance" if finding.instances == 1 else f"{finding.instances} instances"
    if finding.quantity is not None:
        lines.append(
            f"{finding.function}: the first error is in {finding.quantity}[{finding.layer}], on {count}"
        )
    if one is not None and one.complaint is not None:
        lines.append(f"  {one.complaint}")
    if one is not None and one.worst is not None:
        place = ", ".join(map(str, one.worst))
        yours, right = told_apart(float(one.theirs or 0.0), float(one.right or 0.0), 12)
        lines.append(
            f"  the worst entry is [{place}]: yours is {yours}, right is {right} "
            f"(relative error of the whole {one.relative_error:.1e})"
        )
    if fault is not None:
        place = f"{file}:{fault.line}: " if fault.line is not None else f"{file}: "
        lines.append(f"{'  ' if lines else ''}{place}{fault.message}")
        if fault.source:
            lines.append(f"      {fault.source}")
    if finding.slip is not None:
        lines.append(f"  it matches the pattern of: {finding.slip.words}")
    lines += [f"  {note}" for note in finding.notes]
    if finding.look is not None:
        lines.append(f"  look at the line  {finding.look.equation}     {finding.look.shapes}")
    return lines

"""The grades of a class: every submission of a directory, one row each."""

import csv
import io
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.check_backward.grade import Grade
from bptrain.commands.check_backward.grade_file import Limits, grade_file
from bptrain.commands.check_backward.grading_task import GradingTask
from bptrain.errors import BptrainError, Interrupted, StorageError, UsageError, printable
from bptrain.store.atomic import write_atomically


class ClassRow(NamedTuple):
    """One submission: the columns of the CSV file, in their order."""

    file: str  # its name
    verdict: str  # pass | wrong | unfinished | limit | ended | unusable
    function: str = ""  # the first one that is not right
    quantity: str = ""  # what is wrong first in it, such as delta[2]
    slip: str = ""  # the code of the likely slip
    slip_in_words: str = ""
    message: str = ""  # what was raised, the limit that was passed, or why the file cannot be used
    seconds: str = ""  # that its code ran


def submissions_in(directory: Path) -> list[Path]:
    """The Python files of a directory, by name. Raises UsageError where there is none."""
    found = sorted(
        file for file in directory.glob("*.py") if file.is_file() and not file.name.startswith(".")
    )
    if not found:
        raise UsageError(f"nothing to grade: {directory} has no .py file")
    return found


def refuse_to_overwrite_grades(out: Path, overwrite: bool, inputs: Iterable[Path]) -> None:
    """Raises UsageError where `out` is one of the inputs, exists and may not be overwritten, or cannot be written."""
    if os.path.realpath(out) in {os.path.realpath(file) for file in inputs}:
        raise UsageError(f"--out {out} is a file that is read here: give another name, such as grades.csv")
    if out.is_dir():
        raise UsageError(f"--out {out} is a directory, not a file")
    if out.exists() and not overwrite:
        raise UsageError(f"--out {out} already exists: give another name, or --overwrite")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no directory {out.parent}")


def grade_class(files: Sequence[Path], task: GradingTask, limits: Limits) -> Iterator[ClassRow]:
    """The row of each file, one after the other, each graded in a process of its own. Raises StorageError."""
    for file in files:
        try:
            grade = grade_file(file, task, limits)
        except UsageError as error:
            yield ClassRow(file.name, "unusable", message=str(error.problems[0]))
        else:
            yield row_of_grade(file.name, grade)


def row_of_grade(name: str, grade: Grade) -> ClassRow:
    """A grade in one row: its first finding."""
    seconds = "" if grade.seconds is None else f"{grade.seconds:.2f}"
    if grade.passed:
        return ClassRow(name, "pass", seconds=seconds)
    first = grade.findings[0]
    complaint = None if first.judgment is None else first.judgment.complaint
    return ClassRow(
        name,
        verdict_of(grade),
        first.function,
        "" if first.quantity is None else f"{first.quantity}[{first.layer}]",
        "" if first.slip is None else first.slip.code,
        "" if first.slip is None else first.slip.words,
        (complaint or "") if first.fault is None else first.fault.message,
        seconds,
    )


def verdict_of(grade: Grade) -> str:
    """The verdict as one word."""
    codes = {None if one.fault is None else one.fault.code for one in grade.findings}
    if codes & {"time_limit", "memory_limit", "process_limit"}:
        return "limit"
    if grade.stopped is not None:
        return "ended"
    return "unfinished" if codes == {"unfinished"} else "wrong"


def write_grades(out: Path, rows: Sequence[ClassRow]) -> None:
    """Writes the rows as CSV with a header, in UTF-8. Raises StorageError."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ClassRow._fields)
    writer.writerows([printable(cell, spaces=True) for cell in row] for row in rows)
    write_atomically(out, [text.getvalue().encode()])


@contextmanager
def kept_grades(out: Path | None, rows: Sequence[ClassRow], files: int) -> Iterator[None]:
    """Writes to `out` what is in `rows` when the block ends, however that is; an early end tells how many there are.

    Without a row nothing is written. Raises StorageError, Interrupted.
    """
    try:
        yield
    except (KeyboardInterrupt, Interrupted, StorageError) as error:
        if rows:
            raise cut_short(error, graded_so_far(out, len(rows), files)) from error
        raise
    finally:
        if out is not None and rows:
            write_grades(out, rows)


def graded_so_far(out: Path | None, done: int, files: int) -> str:
    """How many files are graded, and where their grades are."""
    one = done == 1
    if out is None:
        return (
            f"{done} of {files} files {'was' if one else 'were'} graded, and nothing is written without --out"
        )
    return f"{done} of {files} files {'is' if one else 'are'} graded: {out}"


def cut_short(error: KeyboardInterrupt | Interrupted | StorageError, graded: str) -> BptrainError:
    """What ended the grading of a class early, with what there is by then."""
    if isinstance(error, StorageError):
        return StorageError(f"{error.problems[0].message}; {graded}")
    if isinstance(error, Interrupted):
        return Interrupted(f"terminated; {graded}", error.signal_number)
    return Interrupted(f"stopped; {graded}", signal.SIGINT)


def class_record(
    rows: Sequence[ClassRow], task: GradingTask, limits: Limits, out: Path | None
) -> dict[str, Any]:
    """The fields of the JSON for a directory."""
    return {
        "config": task.config,
        "remarks": task.remarks,
        "time_limit": limits.seconds,
        "memory_limit": limits.megabytes,
        "out": None if out is None else str(out),
        "passed": sum(row.verdict == "pass" for row in rows),
        "grades": [{**row._asdict(), "seconds": float(row.seconds) if row.seconds else None} for row in rows],
    }

"""`bptrain check-backward`: check a user's own backpropagation."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("check-backward", "Grade your own backpropagation, δ by δ.", plugins=True)
def check_backward_command(
    screen: "Screen",
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR",
            help="A Python file with forward and backward, or a directory of such files.",
            show_default=False,
        ),
    ],
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)],
    set_: Set = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the grades as CSV, one line per file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite that file.")] = False,
    time_limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=86_400, help="Time for the code of one file.")
    ] = 30.0,
    memory_limit: Annotated[
        int, typer.Option(metavar="MB", min=1, max=2**20, help="Memory for the code of one file (Linux).")
    ] = 1024,
) -> None:
    """Check your own backpropagation, δ by δ: find the first layer that is wrong, and the likely slip.

    FILE defines forward(W, b, f, x_0) -> x, z and backward(W, b, df, dE, x, z, t) -> delta, dW, db, and may define
    step(W, b, f, df, dE, x_0, t, rate) -> W, b. Its code is run in a process of its own, with limits of time and
    memory. That is no sandbox: it can do whatever you can. Of a directory, every .py file is graded. Exit code 1 if
    anything is wrong, or if a file does not return all its results.

    \b
    Examples:
      bptrain check-backward my_backprop.py configs/derivation.yaml
      bptrain check-backward my_backprop.py my.yaml --set network.dtype=float64
      bptrain check-backward submissions configs/derivation.yaml --out grades.csv
    """
    from bptrain.commands.check_backward.class_grades import (
        ClassRow,
        class_record,
        grade_class,
        kept_grades,
        refuse_to_overwrite_grades,
        row_of_grade,
        submissions_in,
        write_grades,
    )
    from bptrain.commands.check_backward.grade_file import Limits, grade_file
    from bptrain.commands.check_backward.grading_task import grading_task
    from bptrain.console.check_backward import show_class, show_grade, show_row
    from bptrain.errors import VERDICT_EXIT

    limits = Limits(time_limit, memory_limit)
    is_class = os.path.isdir(file)  # no error where the name is too long
    files = submissions_in(file) if is_class else [file]
    if out is not None:
        refuse_to_overwrite_grades(out, overwrite, [*files, config])
    if is_class:
        task = grading_task(config, set_)
        for remark in task.remarks:
            screen.note(f"note: {remark}")
        rows: list[ClassRow] = []
        with kept_grades(out, rows, len(files)):
            for row in grade_class(files, task, limits):
                rows.append(row)
                show_row(screen, row, len(rows), len(files))
        show_class(screen, rows, out)
        passed = all(row.verdict == "pass" for row in rows)
        screen.record(class_record(rows, task, limits, out), ok=passed)
    else:
        grade = grade_file(file, grading_task(config, set_), limits)
        if out is not None:
            write_grades(out, [row_of_grade(file.name, grade)])
        show_grade(screen, grade)
        screen.record(grade.record(), ok=grade.passed)
        passed = grade.passed
    if not passed:
        raise typer.Exit(VERDICT_EXIT)

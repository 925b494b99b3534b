"""Which arrays of a file are the inputs and the targets: as told, or by names that are usual."""

from collections.abc import Sequence
from typing import NamedTuple

from bptrain.errors import DataError, Problem
from bptrain.formats.problems import nearest, some_of

INPUTS = (
    "X",
    "X_train",
    "x_train",
    "x",
    "train_X",
    "train_x",
    "inputs",
    "features",
    "data",
    "images",
    "train_images",
)
TARGETS = (
    "y", "y_train", "Y", "Y_train", "train_y", "target", "targets", "labels", "label", "train_labels", "outputs",
)  # fmt: skip


class ArrayChoice(NamedTuple):
    """The arrays that a page names."""

    features: str
    target: str
    unused: tuple[str, ...]  # arrays of other splits, which one config cannot name


def choose_arrays(names: Sequence[str], features: str | None, target: str | None, file: str) -> ArrayChoice:
    """The inputs and the targets among the arrays of a file. Raises DataError where they are not told."""
    problems = []
    found: dict[str, str] = {}
    for option, told, usual, what in (
        ("--features", features, INPUTS, "the inputs"),
        ("--target", target, TARGETS, "the targets"),
    ):
        name = told or next((name for name in usual if name in names and name not in found.values()), None)
        if name is None:
            message = f"which array holds {what}? {file} has {some_of(names, 100)}: give {option} NAME"
            problems.append(Problem("unknown_array", message, path=option))
        elif name not in names:
            message = f"{file} has no array named {name}; it has {some_of(names, 100) or 'none'}"
            problems.append(Problem("unknown_array", message, path=option, suggestion=nearest(name, names)))
        else:
            found[option] = name
    if problems:
        raise DataError(problems)
    chosen = (found["--features"], found["--target"])
    if chosen[0] == chosen[1]:
        message = f"{chosen[0]} is both the array of the inputs and that of the targets"
        raise DataError(Problem("target_in_features", message, path="--target"))
    parts = ("test", "val", "valid", "validation")
    unused = tuple(
        name for name in names if name not in chosen and any(p in name.lower().split("_") for p in parts)
    )
    return ArrayChoice(*chosen, unused)

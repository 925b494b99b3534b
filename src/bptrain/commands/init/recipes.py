"""Recipes of network and training, from counts of rows and columns alone."""

from typing import Literal, NamedTuple

Effort = Literal["quick", "standard", "best"]
UNSTOPPED = 200  # epochs, where too few validation rows tell when to stop


class Recipe(NamedTuple):
    """The network, and how it is trained."""

    hidden: tuple[int, ...]  # the units of each hidden layer
    activation: str  # of these
    smoothing: float  # of labels
    learning_rate: float
    beta2: float | None  # of adam; None: its own
    average: float | None  # decay of the moving average of the weights; None: without one
    batch_size: int
    epochs: int
    patience: int | None  # of early stopping; None: without it


def recipe_of(effort: Effort, rows: int, inputs: int, classes: bool, stops_early: bool) -> Recipe:
    """The recipe of an effort for so many rows and inputs, of classes or of numbers."""
    if effort == "quick":
        return Recipe(
            (quick_units(rows, inputs),),
            "relu",
            0.0,
            0.01 if rows < 1_000 else 0.003,
            None,
            None,
            batch_size(rows),
            most_epochs(rows) if stops_early else UNSTOPPED,
            20 if stops_early else None,
        )
    more = 2 if effort == "best" else 1
    return Recipe(
        (128, 128),
        "mish",
        0.1 if classes else 0.0,
        0.005,
        0.95,
        0.995,
        batch_size(rows),
        more * (most_epochs(rows) if stops_early else UNSTOPPED),
        more * 40 if stops_early else None,
    )


def quick_units(rows: int, inputs: int) -> int:
    """One hidden layer that grows with the rows."""
    if rows >= 5_000 and inputs > 64:
        return 128
    return 8 if rows < 200 else 16 if rows < 1_000 else 32 if rows < 5_000 else 64


def batch_size(rows: int) -> int:
    """Updates that are neither few nor endless."""
    return 16 if rows < 500 else 32 if rows < 10_000 else 128 if rows < 100_000 else 512


def most_epochs(rows: int) -> int:
    """500 up to 1,000 rows, then fewer, so that the rows seen grow as rows^0.4, down to 50."""
    return max(50, round(500 * min(1.0, (1_000 / rows) ** 0.6)))

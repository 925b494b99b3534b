"""Recipes of network and training, from counts of rows, columns and classes alone."""

from typing import Literal, NamedTuple

Effort = Literal["quick", "standard", "best"]
UNSTOPPED = 200  # epochs, where too few validation rows tell when to stop
SHARE = 0.15  # of the rows, for validation and for test rows
VALIDATION_ROWS = 20  # with fewer, early stopping depends on chance
MEMBERS = 8
MANY_INPUTS, MANY_ROWS = 256, 20_000  # as of images, from which on wider layers are better
EMBEDDED = 30  # numbers among the inputs, up to which each is embedded: of more it would take too long


class TableCounts(NamedTuple):
    """What a recipe is chosen by."""

    rows: int
    inputs: int  # of the network
    numbers: int  # of these: columns that are numbers or dates
    classes: int  # 0: the targets are numbers; 2: a yes or no, or several
    validation_file: bool = False  # whether validation rows have a file of their own

    @property
    def stops_early(self) -> bool:
        """Whether there are enough validation rows to stop by."""
        return self.validation_file or self.rows * SHARE >= VALIDATION_ROWS

    @property
    def can_be_cut(self) -> bool:
        """Whether there are, too, where each member of an ensemble validates with a fold of the rows."""
        return not self.validation_file and self.rows * (1 - SHARE) / MEMBERS >= VALIDATION_ROWS


class EnsembleChoice(NamedTuple):
    """The section `ensemble`."""

    members: int
    by: Literal["seed", "fold"]


class EmbeddingChoice(NamedTuple):
    """The options of `network.input.embed`, of the name periodic."""

    frequencies: int
    size: int
    sigma: float


class Recipe(NamedTuple):
    """The network, and how it is trained."""

    hidden: tuple[int, ...]  # the units of each hidden layer
    activation: str  # of these
    embedding: EmbeddingChoice | None
    smoothing: float  # of labels
    learning_rate: float
    beta2: float  # of adam
    average: float  # decay of the moving average of the weights
    batch_size: int
    epochs: int
    patience: int | None  # of early stopping; None: without it
    ensemble: EnsembleChoice | None = None


def recipe_of(effort: Effort, counts: TableCounts) -> Recipe:
    """The recipe of an effort."""
    return {"quick": quick, "standard": standard, "best": best}[effort](counts)


def quick(counts: TableCounts) -> Recipe:
    """A small network and large batches, in no more time than a still smaller one took with small batches."""
    rows = counts.rows
    return Recipe(
        hidden=(64, 64),
        activation="silu",
        embedding=None,
        smoothing=smoothing(counts),
        learning_rate=0.01,
        beta2=0.95,
        average=0.995,
        batch_size=64 if rows < 10_000 else 2 * batch_size(rows),
        epochs=falling(500, rows, 800, 50) if counts.stops_early else UNSTOPPED,
        patience=falling(20, rows, 5_000, 10) if counts.stops_early else None,
    )


def standard(counts: TableCounts) -> Recipe:
    """What was best on the development sets of docs/accuracy.md, one network at a time."""
    rows = counts.rows
    return Recipe(
        hidden=(256, 256) if counts.inputs > MANY_INPUTS and rows >= MANY_ROWS else (128, 128),
        activation="mish",
        embedding=EmbeddingChoice(16, 4, 0.1) if 1 <= counts.numbers <= EMBEDDED else None,
        smoothing=smoothing(counts),
        learning_rate=0.005,
        beta2=0.95,
        average=0.995,
        batch_size=batch_size(rows),
        epochs=falling(500, rows, 5_000, 50) if counts.stops_early else UNSTOPPED,
        patience=falling(40, rows, 5_000, 10) if counts.stops_early else None,
    )


def best(counts: TableCounts) -> Recipe:
    """Several of the standard's networks: of enough rows each leaves out others, so that all are trained on."""
    return standard(counts)._replace(
        ensemble=EnsembleChoice(MEMBERS, "fold" if counts.can_be_cut else "seed")
    )


def smoothing(counts: TableCounts) -> float:
    """0.1 of three classes or more; of a yes or no it did harm about as often as good."""
    return 0.1 if counts.classes > 2 else 0.0


def batch_size(rows: int) -> int:
    """Updates that are neither few nor endless."""
    return 16 if rows < 500 else 32 if rows < 10_000 else 128 if rows < 100_000 else 512


def falling(most: int, rows: int, full: int, least: int) -> int:
    """`most` up to `full` rows, of more rows n `most` √(full/n), and never below `least`."""
    return max(least, round(most * min(1.0, (full / rows) ** 0.5)))

"""Task, loss, network and training that suit a data file."""

from typing import NamedTuple

from bptrain.commands.init.input_columns import FEW, InputCandidate
from bptrain.commands.init.recipes import Effort, Recipe, TableCounts, recipe_of
from bptrain.data.profile import Column, Profile

ROWS_OF_A_CLASS = 5  # on average, for whole numbers to be classes
RARE = (
    0.2  # of the rows that each class would have if all had as many: accuracy hardly notices one with fewer
)


class Choices(NamedTuple):
    """The choices for a config."""

    task: str
    why: str  # that task
    loss: str
    output: str
    recipe: Recipe
    rare: str | None  # a class that is rare


def choose(
    profile: Profile,
    targets: tuple[Column, ...],
    candidates: tuple[InputCandidate, ...],
    task: str = "auto",
    effort: Effort = "standard",
    validation_file: bool = False,
) -> Choices:
    """The choices for some targets; `task` may be set, and validation rows may have a file of their own."""
    settled, why = task_of(targets, profile.one_hot) if task == "auto" else (task, "from --task")
    loss, output = loss_of(settled, targets, profile.one_hot)
    several = len(targets) if profile.one_hot else targets[0].distinct
    counts = TableCounts(
        profile.rows,
        profile.width + sum(column.inputs for column in candidates),
        profile.width + sum(column.is_embedded for column in candidates),
        0 if settled == "regression" else several if loss == "cross_entropy" else 2,
        validation_file,
    )
    return Choices(
        settled,
        why,
        loss,
        output,
        recipe_of(effort, counts),
        rare_class(targets[0]) if settled == "classification" and len(targets) == 1 else None,
    )


def task_of(targets: tuple[Column, ...], one_hot: bool = False) -> tuple[str, str]:
    """Classification or regression, and why."""
    if len(targets) > 1:
        if one_hot:
            return (
                "classification",
                f"each row has a single 1 in the {len(targets)} target columns: they are classes",
            )
        if all(column.whole and (column.low, column.high) == (0, 1) for column in targets):
            return "classification", "each target is 0 or 1; if these are amounts: --task regression"
        if all(column.kind == "booleans" for column in targets):
            return "classification", "each target is true or false"
        return "regression", f"{len(targets)} columns of numbers"
    (column,) = targets
    n = column.distinct
    if column.kind != "numbers":
        what = "true or false" if column.kind == "booleans" else "text"
        return "classification", f"{column.name} is {what}: {n} classes"
    if column.whole and (n == 2 or (n <= FEW and column.present >= ROWS_OF_A_CLASS * n)):
        values = f"{n} different whole numbers, {column.span}"
        return "classification", f"{column.name} has {values}; if they are amounts: --task regression"
    return "regression", f"{column.name} holds numbers from {column.span}"


def loss_of(task: str, targets: tuple[Column, ...], one_hot: bool = False) -> tuple[str, str]:
    """The loss, and the output activation that goes with it."""
    if task == "regression":
        return "half_squared_error", "identity"
    if one_hot:
        return "cross_entropy", "softmax"
    if len(targets) > 1 or targets[0].distinct == 2:
        return "binary_cross_entropy", "sigmoid"
    return "cross_entropy", "softmax"


def rare_class(column: Column) -> str | None:
    """The rarest class, if it is rare enough to be overlooked."""
    if not column.counts or column.distinct > len(column.counts):
        return None
    label, n = column.counts[-1]
    return label if n < RARE * column.present / column.distinct else None

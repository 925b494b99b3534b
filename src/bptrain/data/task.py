"""The task: classification or regression, what the outputs stand for, and whether the sizes fit."""

from typing import Literal, NamedTuple

from bptrain.data.different_values import different_values
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.table import ColumnBlock
from bptrain.data.targets import Kind, Label, Target, check_values, labels_of, range_of
from bptrain.errors import DataError, Problem, Warned, short
from bptrain.formats.problems import ErrorList, some_of
from bptrain.parts.types import Array

LEAST_DIFFERENCE = 1e-150  # of the values of a target; the squares of smaller ones have lost their digits
MANY = 20  # more classes or categories than this, and than half of the rows, look like a mistake
BESIDE_NUMBERS = dict.fromkeys(map(ord, ",.$€£¥%'’_ \u00a0\u202f\u2009"))


class Decision(NamedTuple):
    """What the data is taken for, and why."""

    task: Literal["classification", "regression"]
    kind: Kind  # "classes" before it is settled whether one output is enough
    reason: str


def decide(target: ColumnBlock, rows: Array, settings: DataSettings, facts: NetworkFacts) -> Decision:
    """The decision for the targets of these rows. Raises DataError where the settings contradict the data."""
    texts = [name for name in target.names if name in target.texts]
    if len(target.names) > 1:
        return _decide_several(target, texts, settings.task, facts)
    name = target.names[0]
    if settings.task == "regression":
        if texts:
            raise DataError(_text_for_values(target, rows, "regression needs", "task"))
        return Decision("regression", "values", "set by task")
    if settings.task == "classification":
        return Decision("classification", "classes", "set by task")
    if texts and facts.loss_outputs == "values" and not _are_meant(target, rows, settings, facts):
        raise DataError(_text_for_values(target, rows, f"{facts.loss_name} needs", "loss"))
    reason = _reason_for_classes(target, rows, settings, facts)
    if reason and facts.loss_outputs == "positive":
        message = f"{facts.loss_name} reads counts, but {reason}; choose a loss for classes"
        raise DataError(Problem("classes_for_counts", message, path="loss"))
    if reason:
        return Decision("classification", "classes", reason)
    return Decision("regression", "values", f"the target {name} is numeric")


def _are_meant(target: ColumnBlock, rows: Array, settings: DataSettings, facts: NetworkFacts) -> bool:
    """Whether the config says that texts are classes: the column is declared, or has as many as there are outputs."""
    name = target.names[0]
    as_many = facts.n_outputs is not None and facts.n_outputs > 1
    return settings.columns.get(name) == "categorical" or (
        as_many and facts.n_outputs == len(target.texts[name][rows].counts())
    )


def _text_for_values(target: ColumnBlock, rows: Array, needs: str, path: str) -> Problem:
    """That a target of texts is no target for values."""
    name = target.names[0]
    cells = sorted(text for text in target.texts[name][rows].counts() if text is not None)
    bare = [text.strip().strip("+-").translate(BESIDE_NUMBERS) for text in cells]
    message = f"{needs} numbers, but the target {name} is text ({some_of(map(repr, cells), 3)})"
    if all(text.isascii() and text.isdecimal() for text in bare):
        marks = "without , . $ € £ ¥ % and blanks its cells are numbers: write them all alike, or set"
        message += f"; {marks} data.decimal, data.thousands or data.columns: {{{name}: numeric}}"
    else:
        message += "; take a loss for classes such as cross_entropy, or set task: classification"
    return Problem("text_target", message, path=path)


def _reason_for_classes(
    target: ColumnBlock, rows: Array, settings: DataSettings, facts: NetworkFacts
) -> str | None:
    """Why one target column holds classes, or None."""
    name = target.names[0]
    if name in target.texts and settings.columns.get(name) != "categorical":
        return f"the target {name} is text"
    if name in target.booleans:
        return f"the target {name} is true or false"
    if settings.columns.get(name) == "categorical":
        return f"the target {name} is declared categorical"
    if facts.loss_outputs in ("distribution", "probabilities", "margins"):
        return f"the loss is {facts.loss_name}"
    if (
        name in target.integers
        and facts.loss_outputs == "values"
        and facts.n_outputs is not None
        and facts.n_outputs > 1
    ):
        distinct = len(different_values(target.number(name)[rows]))
        if distinct == facts.n_outputs:
            return f"the target {name} has {distinct} whole numbers, as many as there are outputs"
    return None


def _decide_several(target: ColumnBlock, texts: list[str], task: str, facts: NetworkFacts) -> Decision:
    """The decision for several target columns."""
    if texts:
        message = f"several target columns must be numbers, but {some_of(texts)} is text"
        raise DataError(Problem("text_target", message, path="data.target"))
    m = len(target.names)
    if task == "regression":
        return Decision("regression", "values", "set by task")
    if facts.loss_outputs == "distribution":
        reason = f"the loss is {facts.loss_name}: {m} columns of class probabilities"
        return Decision("classification", "distribution", reason)
    each_alone = facts.loss_outputs in ("probabilities", "margins")
    if each_alone or (facts.loss_outputs == "values" and target.booleans == set(target.names)):
        why = f"the loss is {facts.loss_name}" if each_alone else "true or false"
        return Decision("classification", "multilabel", f"{why}: {m} columns, each a separate yes or no")
    if task == "classification":
        message = (
            f"{m} columns of numbers are classes only with a loss of probabilities, not with "
            f"{facts.loss_name}: set loss to cross_entropy or binary_cross_entropy, or name one target column"
        )
        raise DataError(Problem("several_targets", message, path="task"))
    return Decision("regression", "values", f"{m} columns of numbers")


def settle_target(target: ColumnBlock, rows: Array, decision: Decision, facts: NetworkFacts) -> Target:
    """The target record, its scaling not fitted yet, classes taken from these rows.

    Raises DataError where the classes do not fit the network or the values do not fit the loss.
    """
    if decision.kind == "classes":
        labels = labels_of(target, rows)
        kind = _kind_of_classes(target.names[0], labels, facts)
        return _coded(Target(target.names, kind, labels), facts)
    m = len(target.names)
    if facts.n_outputs not in (None, m):
        message = f"the network has {facts.n_outputs} outputs, but the data has {_count(m, 'target column')}"
        raise DataError(Problem("n_outputs", message, path="network.sizes", suggestion=str(m)))
    labels = target.names if decision.kind in ("distribution", "multilabel") else ()
    booleans = tuple(name for name in target.names if name in target.booleans)
    settled = _coded(Target(target.names, decision.kind, labels, booleans=booleans), facts)
    check_values(settled, target, rows)
    if decision.kind == "values":
        refuse_no_differences(target, rows)
    return settled


def refuse_no_differences(target: ColumnBlock, rows: Array) -> None:
    """Raises DataError for numbers of which nothing can be learned: all equal, or so alike that squares are 0."""
    errors = ErrorList()
    for name, low, high in zip(target.names, *range_of(target, rows), strict=True):
        if low == high and len(rows) > 1:
            message = f"the target {name} is always {low:g}: there is nothing to learn"
            errors.add(Problem("constant_target", message, path="data.target"))
        elif 0 < high - low < LEAST_DIFFERENCE:
            message = (
                f"the values of the target {name} differ by no more than {high - low:.3g}, and the squares of such "
                "differences are 0 in floating point: give it in other units, such as multiplied by 1e+160"
            )
            errors.add(Problem("too_small", message, path="data.target"))
    errors.raise_if_any()


def _coded(target: Target, facts: NetworkFacts) -> Target:
    """The target as the loss reads it."""
    return target._replace(
        smoothing=facts.smoothing,
        threshold=0.0 if facts.loss_outputs == "margins" else 0.5,
        counts=facts.loss_outputs == "positive",
        separate=facts.smoothing > 0 and facts.loss_outputs == "probabilities",
    )


def _kind_of_classes(name: str, labels: tuple[Label, ...], facts: NetworkFacts) -> Kind:
    """One output per class, or one for two classes."""
    K = len(labels)
    if K < 2:
        message = f"the target {name} has only one class, {written(labels[0])}; there is nothing to classify"
        raise DataError(Problem("one_class", message, path="data.target"))
    n_outputs = facts.n_outputs
    if n_outputs is None:
        n_outputs = 1 if K == 2 and facts.loss_outputs in ("probabilities", "margins") else K
    if n_outputs == K:
        return "classes"
    if n_outputs == 1 and K == 2 and facts.loss_outputs != "distribution":
        return "binary"
    classes = f"{K} classes: {some_of(labels)}"
    message = f"the network has {_count(n_outputs, 'output')}, but the target {name} has {classes}"
    if n_outputs == 1 and K == 2:
        message += f"; {facts.loss_name} needs an output for each"
    raise DataError(Problem("n_outputs", message, path="network.sizes", suggestion=str(K)))


def written(label: Label) -> str:
    """A label in a message."""
    return repr(label) if isinstance(label, str) else short(label)


def check_inputs(n_inputs: int, n_columns: int, facts: NetworkFacts) -> None:
    """Raises DataError where the network's n_0 is not what the features make."""
    if facts.n_inputs in (None, n_inputs):
        return
    made = f"{_count(n_columns, 'feature')} of the data make {_count(n_inputs, 'input')}"
    message = f"the network has {_count(facts.n_inputs or 0, 'input')}, but the {made}"
    raise DataError(Problem("n_inputs", message, path="network.sizes", suggestion=str(n_inputs)))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def column_warnings(target: ColumnBlock, settled: Target, features: ColumnBlock, rows: Array) -> list[Warned]:
    """Warnings of columns that are probably not what they are taken for: (name, message)."""
    warnings = []
    N, K = len(rows), len(settled.labels)
    if settled.kind == "classes" and K > N / 2 and K > MANY:
        message = (
            f"the target {target.names[0]} has {K} classes in {N} rows; "
            "is it a number to be predicted (task: regression), or the wrong column?"
        )
        warnings.append(Warned("many_classes", message))
    for name, cells in features.texts.items():
        distinct = len(cells[rows].counts().keys() - {None})
        if distinct > N / 2 and distinct > MANY:
            message = (
                f"column {name} has {distinct} different texts in {N} rows, each of which becomes an input; "
                "list it in data.exclude if it is not informative"
            )
            warnings.append(Warned("many_categories", message))
    return warnings

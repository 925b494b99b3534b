"""Categories and labels that are probably not what they are taken for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from bptrain.data.checks.base import Examined
from bptrain.errors import Warned, short
from bptrain.formats.problems import some_of

BETWEEN = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
NAMED = 5


def similar_levels(seen: Examined) -> Iterator[Warned]:
    """Categories, or classes, that are one but for upper and lower case, or for blanks, - and _ between words."""
    columns = {f.name: (*f.categories, *f.rare) for f in seen.schema.features if f.categories}
    columns[seen.schema.target.names[0]] = tuple(
        label for label in seen.schema.labels if isinstance(label, str)
    )
    found = {name: [*alike(levels)] for name, levels in columns.items()}
    found = {name: groups for name, groups in found.items() if groups}
    if found:
        said = [f"{name}: {some_of(map(' = '.join, groups), NAMED)}" for name, groups in found.items()]
        message = (
            f"these differ only in upper and lower case or in blanks: {'; '.join(said[:NAMED])}"
            f"{f'; and {len(said) - NAMED} more columns' if len(said) > NAMED else ''}. Each spelling is a category of "
            "its own; write them alike if they are the same"
        )
        yield Warned("similar_levels", message)


def alike(levels: Iterable[str]) -> Iterator[list[str]]:
    """Groups of levels with one spelling in lower case."""
    groups: dict[str, list[str]] = defaultdict(list)
    for level in levels:
        groups[BETWEEN.sub(" ", level.strip()).casefold()].append(level)
    return (group for group in groups.values() if len(group) > 1)


def decimal_labels(seen: Examined) -> Iterator[Warned]:
    """Classes that are numbers with decimals, and so probably amounts."""
    labels = seen.schema.labels
    if any(isinstance(label, float) and not label.is_integer() for label in labels):
        message = (
            f"the classes of {seen.schema.target.names[0]} are numbers with decimals "
            f"({some_of(map(short, labels), NAMED)}), each a class of its own: if they are amounts, set task: "
            "regression and a loss for values"
        )
        yield Warned("decimal_labels", message)

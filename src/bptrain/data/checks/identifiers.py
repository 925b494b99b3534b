"""Inputs that say which row, or which group of rows, it is, and nothing about new ones."""

import re
from collections.abc import Iterator

import numpy as np

from bptrain.data.checks.base import Examined
from bptrain.data.different_values import different_values
from bptrain.data.table import ColumnBlock
from bptrain.errors import Warned
from bptrain.formats.problems import some_of
from bptrain.parts.types import Array

# What a column of identifiers may be named, and one whose values stand for groups of rows.
ID = re.compile(
    r"(?i:(.*[_\- .])?(id|uuid|guid|index|key|nr|no|number)|row(_?(id|num|number|names?))?)|.*[a-z](ID|Id)"
)
GROUP = re.compile(
    r"(?i:(.*[_\- .])?((patient|subject|person|participant|user|customer|client|student|animal)"
    r"([_\- .]?(id|nr|no|number|code))?|id|uuid|guid))|.*[a-z](ID|Id)"
)
ALIKE = 8  # in fewer rows, unique values may be chance
FEWEST_GROUPS = 10  # values of an identifier that makes groups; fewer are categories
NAMED = 5


def identifier_input(seen: Examined) -> Iterator[Warned]:
    """Inputs of whole numbers that are named like an identifier and never occur twice."""
    block, rows = seen.features, seen.sample
    if len(rows) < ALIKE or len(block.names) < 2:  # the only input of a curve may well count
        return
    found = []
    for k, name in enumerate(block.number_names):
        if name in block.integers and ID.fullmatch(name) and is_unique(block.numbers[rows, k]):
            found += [name] if is_unique(block.numbers[seen.kept, k]) else []
    if found:
        one = len(found) == 1
        message = (
            f"column{'' if one else 's'} {some_of(found, NAMED)} {'has' if one else 'have'} another whole number in "
            f"every row, as an id, which says nothing about new rows; list {'it' if one else 'them'} in data.exclude"
        )
        yield Warned("identifier_input", message)


class ValuesSeen:
    """The values of a column in some rows."""

    def __init__(self, block: ColumnBlock, name: str, rows: Array) -> None:
        texts = block.texts.get(name)
        self._texts, self._numbers = texts, None if texts is not None else block.number(name)
        if texts is not None:
            self._known = texts[rows].counts().keys() - {None}
            self.values = len(self._known)  # different ones
        else:
            there = block.number(name)[rows]
            gaps = np.isnan(there) if there.dtype.kind == "f" else np.zeros(len(there), bool)
            self._sorted = different_values(there[~gaps])
            self.values = len(self._sorted) + int(gaps.sum())  # each missing number counts as another

    def cells_among(self, rows: Array) -> int:
        """How many cells of other rows have one of these values."""
        if self._texts is not None:
            return sum(n for text, n in self._texts[rows].counts().items() if text in self._known)
        assert self._numbers is not None
        return int(np.isin(self._numbers[rows], self._sorted, kind="sort").sum())


def is_unique(values: Array) -> bool:
    """Whether no value occurs twice."""
    return len(different_values(values)) == len(values)


def group_in_splits(seen: Examined) -> Iterator[Warned]:
    """Inputs named like an identifier whose rows are in training and in another split."""
    others = [role for role in ("validation", "test") if role in seen.splits and role not in seen.places]
    if not others:
        return
    found, first = [], ""
    for feature in seen.schema.features:
        name = feature.name
        if not GROUP.fullmatch(name) or name not in seen.features.names:
            continue
        train = ValuesSeen(seen.features, name, seen.train)
        if not FEWEST_GROUPS <= train.values <= len(seen.train) / 2:
            continue
        counts = {role: train.cells_among(seen.splits[role].row_index) for role in others}
        shares = [n > len(seen.splits[role].row_index) / 2 for role, n in counts.items()]
        if any(shares):
            rows = " and ".join(f"{n:,} {role} rows" for role, n in counts.items())
            found.append(f"{name} ({rows})")
            first = first or name
    if found:
        message = (
            f"rows with the same {'; '.join(found[:NAMED])} are in training too: a model that recognizes them seems "
            "better than it is with new ones; list the column in data.exclude, and keep the rows of each together: "
            f"data.split: {{group: {first}}}, or a file of their own as data.test"
        )
        yield Warned("group_in_splits", message)

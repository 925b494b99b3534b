"""All checks, in the order in which they are printed."""

from collections.abc import Iterator

from bptrain.data.checks.base import Check, Examined
from bptrain.data.checks.constant_columns import constant_columns
from bptrain.data.checks.identical_rows import identical_rows, same_file
from bptrain.data.checks.identifiers import group_in_splits, identifier_input
from bptrain.data.checks.levels_and_labels import decimal_labels, similar_levels
from bptrain.data.checks.sentinels import sentinels
from bptrain.data.checks.target_in_inputs import target_in_inputs
from bptrain.data.checks.total_rows import total_row
from bptrain.errors import Warned

CHECKS: tuple[Check, ...] = (
    same_file,
    identical_rows,
    target_in_inputs,
    identifier_input,
    group_in_splits,
    sentinels,
    total_row,
    similar_levels,
    decimal_labels,
    constant_columns,
)


def data_warnings(seen: Examined) -> Iterator[Warned]:
    """What is doubtful about a data set."""
    for check in CHECKS:
        yield from check(seen)

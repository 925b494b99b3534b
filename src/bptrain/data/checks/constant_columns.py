"""Columns that never change."""

from collections.abc import Iterator

from bptrain.data.checks.base import Examined
from bptrain.errors import Warned
from bptrain.formats.problems import some_of

NAMED = 12


def constant_columns(seen: Examined) -> Iterator[Warned]:
    """Features of a table with one value in every training row. In arrays, as of images, they are usual."""
    names = seen.features.names
    if len(names) > 1 and all(name == f"x{k + 1}" for k, name in enumerate(names)):
        return
    kept = seen.schema.statistics
    constant = {name for name, one in kept.numbers.items() if one.low == one.high and not one.missing}
    constant |= {name for name, one in kept.levels.items() if len(one.levels) == 1 and not one.missing}
    found = [name for name in names if name in constant]
    if found:
        one = len(found) == 1
        message = (
            f"{len(found)} column{'' if one else 's'} {'is' if one else 'are'} constant in the training rows: "
            f"{some_of(found, NAMED)}; list {'it' if one else 'them'} in data.exclude"
        )
        yield Warned("constant_columns", message)

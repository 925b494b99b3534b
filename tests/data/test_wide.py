"""Wide tables: what is done for a column must not look at all columns again. Comparisons are counted, never timed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bptrain.commands.init import draft
from bptrain.data import column_roles, raw_columns, targets
from bptrain.data.prepare import encode_columns, encode_file
from bptrain.data.profile import Profile, column_of
from bptrain.data.readers import pick
from bptrain.data.sources import Arrays
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.data.table import ColumnBlock
from bptrain.errors import DataError
from bptrain.formats import Sheet
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.header_row import columns_by_name
from bptrain.formats.problems import LISTED, Origin
from data.helpers import prepared, whole

N = 60  # columns of the narrower table


class CountedName(str):
    """A column name that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        CountedName.compared += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def strip(self, *_: Any) -> "CountedName":
        """The name, still counting."""
        return self


class WideSource(NamedTuple):
    """A table in memory whose names are counted."""

    names: tuple[str, ...]
    name: str = "wide"

    @property
    def sheet(self) -> Sheet:
        """Columns of numbers, of texts, and of numbers with a gap, by turns."""
        kinds = (["1", "2", "4"], ["a", "b", "a"], ["1", "", "3"])
        cells = {name: kinds[k % 3] for k, name in enumerate(self.names)}
        return Sheet(Origin("wide"), self.names, cells)

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
        storage: Storage = IN_MEMORY,
    ) -> Sheet | Arrays:
        """The table."""
        return self.sheet

    def digests(self, role: str) -> dict[str, str]:
        """None."""
        return {}


def counted(n: int) -> tuple[str, ...]:
    """n names; equal ones of another call are other objects, so that a look-up compares them."""
    return tuple(CountedName(f"column {k}") for k in range(n))


def train(n: int) -> None:
    """A table through every key that lists columns, and again by the schema of what was trained."""
    names = counted(n)
    source = WideSource(names)
    options = {
        "features": tuple(name for k, name in enumerate(counted(n)) if k % 3 or k % 6 == 0),
        "columns": dict.fromkeys(counted(n)[::6], "categorical"),
        "missing": dict.fromkeys(counted(n)[2::3], "median"),
    }
    p = prepared(whole(source, counted(n)[3::6], **options))
    encode_file(source, p.schema, np.float64)
    everything = whole(source, counted(n)[3::6], exclude=counted(n)[1::3], missing="most_frequent")
    schema = prepared(everything).schema
    encode_columns(dict(zip(counted(n), source.sheet.cells.values(), strict=True)), schema, np.float64)


def header(n: int) -> None:
    columns_by_name(list(counted(n)), 1, [["1"]] * n, RECOGNIZED, "wide.csv", "")


def arrays(n: int) -> None:
    """The columns of an array, some left out, some declared to be texts, some without a number."""
    names = counted(n)
    numbers = np.ones((2, n))
    numbers[0, ::5] = np.nan
    kinds = dict.fromkeys(counted(n)[::3], "categorical")
    pick(ColumnBlock(Origin("wide"), names, numbers, names, {}), counted(n)[: n // 2], kinds, infer=True)


def profiled(n: int) -> None:
    """What init does with the columns of a file, of which many are targets."""
    sheet = WideSource(counted(n)).sheet
    seen = Profile(Path("wide.csv"), 3, tuple(column_of(sheet, name) for name in sheet.names))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft, "profile", lambda _, targets: seen)
        draft.draft(Path("wide.csv"), counted(n)[::3], Path("config.yaml"))


@pytest.mark.parametrize("work", [header, train, arrays, profiled])
def test_comparisons_grow_with_the_columns(work: Callable[[int], None]) -> None:
    counts = []
    for n in (N, 4 * N):
        CountedName.compared = 0
        work(n)
        counts.append(CountedName.compared)
    assert counts[1] <= 5 * counts[0] + N, counts


def test_of_many_wrong_names_a_few_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was probably meant takes a comparison with every name."""
    calls = []

    def nearest(name: object, names: object) -> None:
        calls.append(name)

    for module in (column_roles, raw_columns, targets):
        monkeypatch.setattr(module, "nearest", nearest)
    source, other = WideSource(counted(N)), WideSource(tuple(f"other {k}" for k in range(N)))
    target = source.names[0]
    wrong = tuple(f"x{k}" for k in range(N))
    with pytest.raises(DataError) as caught:
        prepared(whole(source, target, features=wrong))
    assert caught.value.problems[-1].message == f"and {N - LISTED} more like these"
    assert len(calls) == LISTED
    schema = prepared(whole(source, target, missing="most_frequent")).schema
    with pytest.raises(DataError):
        encode_file(other, schema, np.float64)
    assert len(calls) == 2 * LISTED
    with pytest.raises(DataError):
        encode_columns({name: [1.0] for name in wrong}, schema, np.float64)
    assert len(calls) == 3 * LISTED

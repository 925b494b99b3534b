"""Reads one damaged file within limits, and says what came of it."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np
import pytest

from bptrain.data.sheet_columns import block_of
from bptrain.data.sources import FileSource
from bptrain.errors import DataError, UsageError
from bptrain.formats import Sheet, excel, limits, npz, packing
from bptrain.formats.number_columns import numbers_of_texts
from bptrain.formats.text_columns import ColumnTexts
from formats.damaged_files import case


class Limits(NamedTuple):
    """What one file may take."""

    unpacked: int = 4 << 20  # bytes, in place of the cap on what is unpacked
    memory: int = 64 << 20  # bytes, in place of the machine's
    grown: int = 64 << 20  # bytes that the process may grow by, the caps and what the libraries keep included
    seconds: int = 20


@contextmanager
def limited(most: Limits) -> Iterator[None]:
    """Lower caps for the time of a block; whoever takes too long is interrupted."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"more than {most.seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for module in (packing, npz, excel):
                patch.setattr(module, "MOST_UNPACKED", most.unpacked)
            patch.setattr(limits, "memory", lambda: most.memory)
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Outcome(NamedTuple):
    """What came of a file."""

    what: str  # its format, and what was done to it
    result: str  # "table", or the code of the DataError
    grown: int  # bytes by which the process has grown


def outcome(number: int, folder: Path, most: Limits = Limits()) -> Outcome:
    """What comes of the file of a number. Raises AssertionError for a wrong table, and for more than the limits."""
    file = case(number)
    path = folder / file.name
    path.write_bytes(file.content)
    is_array = file.name.removesuffix(".gz").endswith((".npy", ".idx"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.alarm(most.seconds)
    try:
        found = FileSource(path, path if is_array else None).read("data.train")
        if isinstance(found, Sheet):
            check(found)
            block_of(found, found.names, {}, infer=True)
        else:
            found.X.tolist()  # touches all of it
        result = "table"
    except DataError as error:
        if not all(problem.message and "\n" not in problem.message for problem in error.problems):
            raise AssertionError("refused without a sentence") from error
        result = error.problems[0].code
    except UsageError as error:
        if error.problems[0].code != "extra_not_installed":
            raise
        result = error.problems[0].code
    except Exception as error:
        error.add_note(f"file {number}: {file.what}")
        raise
    finally:
        signal.alarm(0)
        path.unlink()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    assert grown < most.grown + 20 * len(file.content), f"file {number}: {file.what}: {grown:,} bytes"
    return Outcome(file.what, result, grown)


def check(sheet: Sheet) -> None:
    """That columns have names of their own and one length, and are what they look like."""
    assert len(set(sheet.names)) == len(sheet.names) > 0
    assert all(name.strip() for name in sheet.names)
    sizes = set()
    for name in sheet.names:
        cells = sheet.cells[name]
        sizes.add(len(cells))
        if isinstance(cells, list):
            assert all(type(cell) is str for cell in cells)
        elif isinstance(cells, ColumnTexts):
            numbers, plain = cells.numbers, numbers_of_texts([*cells])
            assert (numbers is None) == (plain is None), name
            assert numbers is None or plain is None or numbers.values.tobytes() == plain.values.tobytes(), (
                name
            )
        else:
            assert cells.dtype.kind in "iuf"
    assert len(sizes) == 1
    lines = sheet.origin.lines
    if lines is not None:
        assert len(lines) in sizes
        assert (np.diff(lines) > 0).all()

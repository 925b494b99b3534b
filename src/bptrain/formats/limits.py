"""How much memory a table may take: what this process can have, so that too much is refused before it is asked for."""

import os
from contextlib import suppress
from pathlib import Path

from bptrain.errors import DataError, Problem

CELL = 8  # bytes of a cell in memory, at least
GIB = 1 << 30
OF_A_PIECE = 1 << 20  # numbers, of a source that is read piece by piece
CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container


def memory() -> int:
    """Bytes of memory that this process can have at most; 2⁶² where the system does not say."""
    found = [1 << 62]
    with suppress(AttributeError, OSError, ValueError):  # not on this system
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # no container, or "max"
        found.append(int(CGROUP.read_text(encoding="ascii")))
    with suppress(ImportError):  # on Windows
        import resource

        found.append(resource.getrlimit(resource.RLIMIT_AS)[0])
    return min(size for size in found if size > 0)  # -1: no limit


def refuse_too_large(needed: int, path: Path, what: str = "") -> None:
    """Raises DataError where a file's content takes more memory than there is; `what` says what takes it."""
    most = memory()
    if needed > most:
        said = f"{what}: " if what else ""
        message = (
            f"{said}the content takes {needed / GIB:,.1f} GiB of memory, and there are {most / GIB:,.1f} GiB: split it "
            "into smaller files, or take another machine"
        )
        raise DataError(Problem("too_large", message, file=str(path)))


def refuse_large_table(rows: int, columns: int, path: Path) -> None:
    """The same for a table that a file announces."""
    refuse_too_large(rows * columns * CELL, path, f"{rows:,} rows of {columns:,} columns")


def rows_of_piece(width: int, rows: int) -> int:
    """How many rows of so many numbers a piece has, at most."""
    return max(1, min(rows, OF_A_PIECE // max(1, width)))

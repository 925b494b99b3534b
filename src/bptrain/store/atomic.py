"""Writing a file so that a crash leaves the old content or the new, never a part."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bptrain.errors import StorageError
from bptrain.temporary import flush_directory, written_beside


@contextmanager
def storage(path: Path, doing: str) -> Iterator[None]:
    """Turns an OSError inside the block into a StorageError that names the path and what was being done."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"could not {doing} {path}: {reason}") from error


@contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """A temporary file, which is flushed when the block ends and renamed to `path`, whose directory is flushed then.

    Where the block is left by an exception, the file is gone. Raises StorageError.
    """
    with storage(path, "write"):
        with written_beside(path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        flush_directory(path.parent)


def write_atomically(path: Path, content: Iterable[bytes | memoryview]) -> None:
    """Writes the parts of a content to a temporary file, flushes it, renames it to `path`, and flushes the directory.

    Raises StorageError.
    """
    with writing_atomically(path) as file:
        for part in content:
            file.write(part)

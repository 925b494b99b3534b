"""Files that are there for a moment: their names, how they are opened, and which of them a killed process has left.

    .run.json.0123456789abcdef.tmp      beside run.json, whose place it takes when it is whole
    .snapshot.a1b2c3d4.tmp              without a name as soon as it is open

A name is random, and its file is made new and never through a link: whoever may write in the same directory cannot put
a link to another file of the user's in its way.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
SNAPSHOT = ".snapshot."
# What stands between the name of a file and .tmp; version 0.1 wrote nothing there.
MARK = r"(?:\.[0-9a-f]{16})?"


@contextmanager
def written_beside(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place when the block ends, and goes where it is left by an exception.

    Raises OSError.
    """
    beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    handle = os.open(beside, NEW, 0o666)  # less what the user's umask takes away, as of any new file
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def nameless_file(directory: Path) -> IO[bytes]:
    """A file on the disk of `directory` that goes with its last handle, or with the process. Raises OSError."""
    return tempfile.TemporaryFile(dir=directory, prefix=SNAPSHOT, suffix=".tmp")


def flush_directory(directory: Path) -> None:
    """Makes a rename or a new entry in `directory` durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_left_over(file: Path, names: str) -> bool:
    """Whether a killed process has left a file: its name is of the form above, with a name that `names` matches.

    Whatever the form, what is not a plain file is somebody else's.
    """
    snapshot = rf"{re.escape(SNAPSHOT)}[a-z0-9_]{{8}}"
    ours = re.fullmatch(rf"(?:\.(?:{names}){MARK}|{snapshot})\.tmp", file.name)
    return ours is not None and file.is_file() and not file.is_symlink()

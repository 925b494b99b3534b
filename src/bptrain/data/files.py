"""Bytes from the disk: which format a file has, its content unpacked, its digest."""

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bptrain.data.table import nearest
from bptrain.errors import DataError, Problem

FORMATS = {
    "csv": re.compile(r"\.csv(\.gz)?$"),
    "tsv": re.compile(r"\.tsv(\.gz)?$"),
    "npz": re.compile(r"\.npz$"),
    "npy": re.compile(r"\.npy$"),
    "idx": re.compile(r"(-ubyte|\.idx\d*)(\.gz)?$"),
}
SUPPORTED = ".csv, .tsv, .idx or -ubyte (each also with .gz), .npz, .npy"


def format_of(path: Path, key: str) -> str:
    """The format, by the file's name. Raises DataError for a name that says nothing."""
    for name, pattern in FORMATS.items():
        if pattern.search(path.name.lower()):
            return name
    message = f"the name of {path} does not tell its format; supported are {SUPPORTED}"
    raise DataError(Problem("unknown_format", message, path=key))


@contextmanager
def reading(path: Path, key: str) -> Iterator[None]:
    """Turns whatever the system says about a file into a DataError; `key` is the config key that named it."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"the file is damaged or cut short ({error}); get it again"
        raise DataError(Problem("damaged_file", message, file=str(path))) from None
    except FileNotFoundError:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        message = f"no such file: {path}"
        close = nearest(path.name, siblings)
        raise DataError(_about(path, key, "file_not_found", message, close)) from None
    except IsADirectoryError:
        message = f"{path} is a directory; name a file in it"
        raise DataError(_about(path, key, "is_a_directory", message)) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise DataError(_about(path, key, "unreadable_file", message)) from None


def _about(path: Path, key: str, code: str, message: str, suggestion: str | None = None) -> Problem:
    """A problem at the config key that names the file, or at the file itself where no config does."""
    return Problem(code, message, path=key, file="" if key else str(path), suggestion=suggestion)


def read_bytes(path: Path, key: str) -> bytes:
    """The content, unpacked where the name ends in .gz."""
    with reading(path, key):
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix.lower() == ".gz" else data


def digest(path: Path, key: str) -> str:
    """The SHA-256 of a file as it lies on the disk, in hex."""
    with reading(path, key), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

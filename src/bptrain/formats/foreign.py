"""Files that are something else than their name says, told by their first bytes: what they are, and what to do."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bptrain.errors import DataError, Problem

HEAD_OF_FILE = 1 << 16  # bytes that tell what a file holds
TAIL_OF_FILE = 4


class ForeignKind(NamedTuple):
    """A kind of file that is no format of ours."""

    pattern: re.Pattern[bytes]  # of the first bytes
    what: str
    advice: str
    end: bytes = b""  # with which its files end, where the first bytes could be those of a text


JSON = re.compile(r'\s*(\[\s*)?\{\s*"[^"\n]*"\s*:')
CONVERT = "convert it to CSV"
EXPORT = "export the sheet as CSV"
RENAME = "give its name the ending {}"
UNPACK = "unpack it and name the file that is meant"
FOREIGN = tuple(
    ForeignKind(re.compile(pattern, re.IGNORECASE if fold else 0), what, advice, end)
    for pattern, what, advice, end, fold in (
        (rb"(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head|<body)", "a web page (HTML)",
         "the server probably showed it in place of the file: download that again", b"", True),
        (rb"version https://git-lfs\.github\.com/spec/", "a pointer of Git LFS, not the data", "run `git lfs pull`",
         b"", False),
        (rb"(\xef\xbb\xbf)?\s*<\?xml", "an XML document", CONVERT, b"", True),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet (xls)", EXPORT, b"", False),
        (rb"PAR1", "a Parquet file", RENAME.format(".parquet"), b"PAR1", False),
        (rb"ARROW1\0\0", "an Arrow file (Feather)", RENAME.format(".arrow"), b"", False),
        (rb"FEA1", "a Feather file of the first version", "write it anew with a Feather of today", b"FEA1", False),
        (rb"\x80[\x02-\x05]", "a Python pickle, which is never loaded, since that may run any code",
         "save the table as CSV, or arrays as NPY", b"", False),
        (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", CONVERT, b"", False),
        (rb"SQLite format 3\0", "an SQLite database", "export the table as CSV", b"", False),
        (rb"MATLAB [57]\.\d MAT-file", "a MATLAB file", CONVERT, b"", False),
        (rb"%PDF-", "a PDF document", "name the file with the table", b"", False),
        (rb"\x89PNG\r\n|\xff\xd8\xff", "an image", "name the file with the table", b"", False),
        (rb"\x28\xb5\x2f\xfd|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|[\s\S]{257}ustar", "an archive", UNPACK, b"", False),
        (rb"[+-]?\d[\d.eE+-]*([ \t]+\d+:[+-]?\d[\d.eE+-]*)+\s", "a file of LIBSVM (svmlight)", CONVERT, b"", False),
        (rb"(?>(?:\s*+%[^\n]*+\n)*)\s*+@relation\s", "an ARFF file of Weka", CONVERT, b"", True),
    )
)  # fmt: skip


def refuse_foreign(head: bytes, tail: bytes, path: Path, arrays: bool = False) -> None:
    """Raises DataError where a file is of a known kind that is none of ours, by its first and its last bytes.

    `arrays` is whether the file is read as arrays of NumPy.
    """
    head = head[:HEAD_OF_FILE]
    for kind in FOREIGN:
        if kind.pattern.match(head) and tail.endswith(kind.end):
            raise _foreign(path, kind.what, kind.advice)
    if not arrays and head.startswith(b"\x93NUMPY"):
        raise _foreign(path, "a NumPy array", f"rename it to {path.name.partition('.')[0]}.npy")


def refuse_foreign_archive(names: Sequence[str], path: Path) -> None:
    """The same for zip archives, told by the names of their files."""
    if any(name.startswith("xl/") for name in names):
        raise _foreign(path, "a spreadsheet (xlsx)", RENAME.format(".xlsx"))
    if "mimetype" in names and "content.xml" in names:
        raise _foreign(path, "a spreadsheet (OpenDocument)", EXPORT)
    if names and all(name.endswith(".npy") for name in names):
        raise _foreign(path, "an archive of NumPy arrays", "name it .npz")


def is_json(text: str) -> bool:
    """Whether a text begins as JSON does, and no table with separators: with an object that has a key."""
    return JSON.match(text) is not None


def _foreign(path: Path, what: str, advice: str) -> DataError:
    return DataError(Problem("foreign_file", f"this is {what}: {advice}", file=str(path)))

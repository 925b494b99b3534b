"""The fits that are done, a JSON object in each line of a file: what is there is not done again."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple


class Key(NamedTuple):
    """A fit: one program on one division of the rows of a set."""

    set: str
    program: str
    seed: int
    rows: str  # the digest of the parts


class Fit(NamedTuple):
    """What became of it."""

    key: Key
    figures: dict[str, float]  # of the test rows
    cpu_seconds: float
    wall_seconds: float
    versions: dict[str, str]

    @property
    def error(self) -> float:
        """RMSE, or the share of wrong rows + 0.005."""
        return self.figures["rmse"] if "rmse" in self.figures else 1 - self.figures["accuracy"] + 0.005


class Results:
    """A file of fits, which grows. Whatever ended the process before, what it had finished is there."""

    def __init__(self, file: Path) -> None:
        """Reads the file; a last line that was cut off while it was written is taken away."""
        self.file = file
        self.fits: dict[Key, Fit] = {}
        data = file.read_bytes() if file.exists() else b""
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with file.open("r+b") as stream:
                stream.truncate(whole)
        for line in data[:whole].decode().splitlines():
            fit = fit_of(json.loads(line))
            self.fits[fit.key] = fit

    def add(self, fit: Fit) -> None:
        """Writes a line; when this returns, it is on the disk."""
        record = fit.key._asdict() | {name: value for name, value in fit._asdict().items() if name != "key"}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        self.fits[fit.key] = fit


def fit_of(record: dict[str, Any]) -> Fit:
    """A line as a fit."""
    key = Key(*(record.pop(name) for name in Key._fields))
    return Fit(key, **record)

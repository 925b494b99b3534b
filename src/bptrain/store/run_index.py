"""An index beside many runs, so that they are listed without being opened: a cache and nothing else.

    <directory>/.bptrain-runs.json      two lines of JSON: what it is, with a checksum of the second; and the entries

    {"format": 1, "fields": […], "crc32": …}
    {"base": {"optimizer.name": "adam", …}, "runs": {"iris/001": [stamp, values, settings that differ, those it lacks]}}

An entry counts as long as its stamp is that of the run: time and size of its `run.json`, and the time of its
`checkpoints`; of a group of runs that is finished, those of its `group.json`. An index that is missing, damaged, of
another version or cannot be written is no error: runs are read then. Whoever lists runs last replaces the index as a
whole, so that nobody reads half of one.
"""

import json
import os
import re
import stat
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.store.plain import parsed
from bptrain.store.run_places import Folder
from bptrain.temporary import is_left_over, written_beside

NAME = ".bptrain-runs.json"
FORMAT = 1
LEAST = (
    100  # runs from which on there is an index: fewer are read as quickly, and leave no file where they lie
)
LARGEST = 2**30  # bytes
SETTLED = 2.0  # seconds, within which a file may be written twice and have one time
HOUR = 3600.0


class RunSettings(Mapping[str, Any]):
    """RunSettings by dotted key, kept as what differs from those of another run."""

    __slots__ = ("base", "differing", "lacking")

    def __init__(
        self, base: Mapping[str, Any], differing: Mapping[str, Any], lacking: Collection[str] = ()
    ) -> None:
        self.base, self.differing, self.lacking = base, differing, lacking

    @classmethod
    def of(cls, settings: Mapping[str, Any], base: Mapping[str, Any]) -> "RunSettings":
        """Any settings in this form. True and 1 are not the same."""
        if isinstance(settings, cls) and settings.base is base:
            return settings
        differing = {
            key: value
            for key, value in settings.items()
            if key not in base or base[key] != value or type(base[key]) is not type(value)
        }
        return cls(base, differing, [key for key in base if key not in settings])

    @staticmethod
    def base_of(settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """What settings are kept as the difference from; themselves, if from nothing."""
        return settings.base if isinstance(settings, RunSettings) else settings

    @property
    def changed(self) -> set[str]:
        """The keys that the base has otherwise."""
        return {*self.differing, *self.lacking}

    def __getitem__(self, key: str) -> Any:
        if key in self.differing:
            return self.differing[key]
        if key in self.lacking:
            raise KeyError(key)
        return self.base[key]

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self.base if key not in self.lacking)
        yield from (key for key in self.differing if key not in self.base)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self.differing) or len(self.base) > len(self.lacking)


class Stamp(NamedTuple):
    """What an entry is checked by."""

    time: int  # of the record, ns
    size: int
    checkpoints: int | None  # time of the directory, ns

    @classmethod
    def of(cls, folder: Folder, record_name: str = "run.json") -> "Stamp | None":
        """The stamp of the run, or of the group with its record, in a directory; None without such a file."""
        try:
            record = folder.entries[record_name].stat(follow_symlinks=False)
            below = folder.entries.get("checkpoints")
            checkpoints = None if below is None else below.stat(follow_symlinks=False).st_mtime_ns
        except (OSError, KeyError):
            return None
        return cls(record.st_mtime_ns, record.st_size, checkpoints)

    @property
    def is_settled(self) -> bool:
        """Whether a later change would have another time."""
        return max(self.time, self.checkpoints or 0) < time.time_ns() - SETTLED * 1e9


class RunIndex:
    """What was read of runs when they were listed last."""

    def __init__(self, directory: Path, fields: Sequence[str]) -> None:
        """Reads the index of a directory; `fields` are the names of an entry's values."""
        self.file, self.fields = directory / NAME, list(fields)
        self._base: Mapping[str, Any] = {}
        self._runs: dict[str, Any] = {}
        self._kept: dict[str, tuple[Stamp, Sequence[Any], Mapping[str, Any]]] = {}
        self._hits = 0
        with suppress(OSError, ValueError, KeyError, TypeError):
            self._read()

    def _read(self) -> None:
        """Raises OSError, ValueError, KeyError or TypeError for an index that cannot be used."""
        status = os.lstat(self.file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return
        head, _, content = self.file.read_bytes().partition(b"\n")
        expected = {"format": FORMAT, "fields": self.fields, "crc32": zlib.crc32(content)}
        if json.loads(head) == expected:
            found = parsed(content)
            self._base, self._runs = found["base"], found["runs"]

    def get(self, run: str, stamp: Stamp | None) -> tuple[list[Any], RunSettings] | None:
        """The values and settings of a run, if it has not changed since; `run` is its path below the directory."""
        entry = self._runs.get(run)
        if entry is None or entry[0] != list(stamp or ()):
            return None
        _, values, differing, lacking = entry
        settings = RunSettings(self._base, differing, lacking)
        self._hits += 1
        self._kept[run] = (Stamp(*entry[0]), values, settings)
        return values, settings

    def compact(self, settings: Mapping[str, Any]) -> RunSettings:
        """Settings as what differs from those of the other runs, of which there may be ten thousand."""
        self._base = self._base or settings
        return RunSettings.of(settings, self._base)

    def put(self, run: str, stamp: Stamp | None, values: Sequence[Any], settings: Mapping[str, Any]) -> None:
        """Keeps what was read of a run."""
        if stamp is not None and stamp.is_settled:
            self._kept[run] = (stamp, values, settings)

    def save(self) -> None:
        """Writes the index, where something has changed and there are runs enough."""
        unchanged = self._hits == len(self._kept) == len(self._runs)
        if unchanged or len(self._kept) < LEAST:
            return
        base = self._base
        runs: dict[str, list[Any]] = {}
        for run, (stamp, values, settings) in self._kept.items():
            variant = RunSettings.of(settings, base)
            runs[run] = [stamp, values, variant.differing, variant.lacking]
        whole = {"base": dict(base), "runs": runs}
        content = json.dumps(whole, separators=(",", ":"), default=dict).encode()  # of any mapping
        head = json.dumps({"format": FORMAT, "fields": self.fields, "crc32": zlib.crc32(content)}).encode()
        with suppress(
            OSError
        ):  # a directory of somebody else's, a full disk: the next listing reads the runs
            with written_beside(self.file) as file:
                file.write(head + b"\n" + content)
            self._sweep()

    def _sweep(self) -> None:
        """Removes what killed processes have left."""
        for left in self.file.parent.glob(f".{NAME}.*.tmp"):
            if is_left_over(left, re.escape(NAME)) and left.stat().st_mtime < time.time() - HOUR:
                left.unlink(missing_ok=True)

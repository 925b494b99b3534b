"""The directories below one, in which runs may lie."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

# A run that is being deleted has this name, so that it is none any more whenever that is interrupted.
PRUNED = re.compile(r"\.pruned\.[0-9a-f]{16}\.tmp")

GROUP = "group.json"  # in a directory whose runs belong together (run_group.py)


class Folder(NamedTuple):
    """A directory."""

    path: str
    entries: dict[str, "os.DirEntry[str]"]  # by name


def walk(directory: str | os.PathLike[str]) -> Iterator[Folder]:
    """The directory and those below it, in the order of their names, through linked ones too, and each once.

    What cannot be read is left out; so are the checkpoints of a run, since no run is among them, and what lies in a
    group of runs, unless the directory is one itself.
    """
    seen = set()
    top = os.fspath(directory)
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            status = os.stat(path)
            same = (status.st_dev, status.st_ino)
            if same in seen:  # a link that leads back
                continue
            seen.add(same)
            with os.scandir(path) as found:
                entries = {entry.name: entry for entry in found}
        except OSError:
            continue
        yield Folder(path, entries)
        if GROUP in entries and path != top:
            continue
        is_run = "run.json" in entries
        below = [name for name, entry in entries.items() if _is_directory(entry)]
        for name in sorted(below, reverse=True):
            if not (is_run and name == "checkpoints") and not PRUNED.fullmatch(name):
                waiting.append(entries[name].path)


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a directory, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def entries_of(directory: str | os.PathLike[str]) -> dict[str, "os.DirEntry[str]"]:
    """What is in a directory, by name; nothing where there is none."""
    try:
        with os.scandir(directory) as found:
            return {entry.name: entry for entry in found}
    except (FileNotFoundError, NotADirectoryError):
        return {}

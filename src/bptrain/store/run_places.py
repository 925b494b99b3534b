"""The directories below one, in which runs may lie."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

# A run that is being deleted has this name, so that it is none any more whenever that is interrupted.
PRUNED = re.compile(r"\.pruned\.[0-9a-f]{16}\.tmp")

GROUP = "group.json"  # in a directory whose runs belong together (run_group.py)

LINKS_ARE_SEEN = os.name != "nt"  # a junction of Windows is none to is_symlink()

Entries: TypeAlias = Mapping[str, "os.DirEntry[str]"]  # what is in a directory, by name


class Folder(NamedTuple):
    """A directory."""

    path: str
    entries: Entries


def walk(directory: str | os.PathLike[str]) -> Iterator[Folder]:
    """The directory and those below it, in the order of their names, through linked ones too, and each once.

    What cannot be read is left out; so are the checkpoints of a run, since no run is among them, and what lies in a
    group of runs, unless the directory is one itself.
    """
    top = os.fspath(directory)
    waiting, visited = [top], list[str]()
    # By what tells them apart, once there is a link: else none is met twice.
    seen: set[tuple[int, int] | None] = set() if LINKS_ARE_SEEN else {None}
    while waiting:
        path = waiting.pop()
        if seen:
            same = _identity(path)
            if same in seen:
                continue
            seen.add(same)
        try:
            with os.scandir(path) as found:
                entries = {entry.name: entry for entry in found}
        except OSError:
            continue
        visited.append(path)
        yield Folder(path, entries)
        if GROUP in entries and path != top:
            continue
        is_run = "run.json" in entries
        below = [name for name, entry in entries.items() if _is_directory(entry)]
        if not seen and any(_is_link(entries[name]) for name in below):
            seen = set(map(_identity, visited))
        for name in sorted(below, reverse=True):
            if not (is_run and name == "checkpoints") and not PRUNED.fullmatch(name):
                waiting.append(entries[name].path)


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a directory, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_link(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a symbolic link."""
    return entry.is_symlink()


def _identity(directory: str) -> tuple[int, int] | None:
    """What a directory has alike by all of its names; None where there is none any more."""
    try:
        status = os.stat(directory)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def entries_of(directory: str | os.PathLike[str]) -> Entries:
    """What is in a directory, by name; nothing where there is none."""
    try:
        with os.scandir(directory) as found:
            return {entry.name: entry for entry in found}
    except (FileNotFoundError, NotADirectoryError):
        return {}

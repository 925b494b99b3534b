"""Deleting whole runs, and groups of them: never what is not ours, and never so that half a run looks like one.

A run is renamed first, to a name that no search for runs enters (`run_places.PRUNED`), and deleted there. What a
killed process has left under such a name is deleted the next time.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from bptrain.store.atomic import storage
from bptrain.store.checkpoint_names import DAMAGED, update_of
from bptrain.store.run_directory import FILES, TEMPORARY, RunDirectory, locked
from bptrain.store.run_group import LEFT_OVER, MEMBER, OUT_OF_FOLD, RunGroup
from bptrain.store.run_places import GROUP, PRUNED, entries_of, walk
from bptrain.temporary import flush_directory, is_left_over


class NotOursError(Exception):
    """Something is in a run that no run writes."""


class Content(NamedTuple):
    """What a run, or a group of runs, consists of."""

    files: list[Path]
    directories: list[Path]  # those that are deeper come first
    size: int  # bytes

    @classmethod
    def of(cls, path: Path) -> "Content":
        """All that is in a directory. Raises NotOursError where something of it is none of ours."""
        files: list[Path] = []
        directories: list[Path] = []
        size = 0
        for file, is_directory in _below(path, ""):
            (directories if is_directory else files).append(file)
            size += 0 if is_directory else file.lstat().st_size
        return cls(files, [*reversed(directories), path], size)


def _below(path: Path, inside: str) -> Iterator[tuple[Path, bool]]:
    """Everything below a directory, and whether it is one; `inside` is where this lies in the group, if in one."""
    entries = entries_of(path)
    is_group = GROUP in entries or inside.startswith("repeat-") or inside == "members/"
    for name, entry in sorted(entries.items()):
        file = path / name
        is_directory = entry.is_dir(follow_symlinks=False)
        if is_directory and (name == "checkpoints" and not is_group):
            yield file, True
            for below in sorted(entries_of(file)):
                if not _is_checkpoint(file / below):
                    raise NotOursError(f"{file / below} is not bptrain's")
                yield file / below, False
        elif is_directory and is_group and _is_member(f"{inside}{name}"):
            yield file, True
            yield from _below(file, f"{inside}{name}/")
        elif not is_directory and (_of_group(file) if is_group else _of_run(file)):
            yield file, False
        else:
            raise NotOursError(f"{file} is not bptrain's")


def _is_member(inside: str) -> bool:
    """Whether a directory of a group is that of a run, or of the folds of one repetition."""
    return any(MEMBER.fullmatch(f"{inside}{rest}") for rest in ("", "/fold-1", "/001"))


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _of_run(file: Path) -> bool:
    return (file.name in (*FILES, ".lock") and _is_plain(file)) or is_left_over(file, TEMPORARY)


def _of_group(file: Path) -> bool:
    ours = (GROUP, OUT_OF_FOLD, ".lock", *(own.name for own in RunGroup(file.parent).own_run))
    return (file.name in ours and _is_plain(file)) or is_left_over(file, LEFT_OVER)


def _is_checkpoint(file: Path) -> bool:
    known = update_of(file.name.removesuffix(DAMAGED)) is not None
    return (known and _is_plain(file)) or is_left_over(file, TEMPORARY)


def remove(path: Path) -> None:
    """Deletes a run or a group; it must be `Content` of ours, and not in use.

    Raises NotOursError, BusyError; CheckpointError for a link; StorageError.
    """
    runs = [file.parent for file in Content.of(path).files if file.name == "run.json"]
    aside = path.with_name(f".pruned.{os.urandom(8).hex()}.tmp")
    with ExitStack() as stack:
        for held in {path: None, **dict.fromkeys(runs)}:
            stack.enter_context(locked(RunDirectory(held)))
        with storage(path, "delete"):
            path.rename(aside)
            try:
                content = Content.of(aside)
            except NotOursError:  # it has come a moment ago
                aside.rename(path)
                raise
            flush_directory(path.parent)
    remove_aside(content)


def remove_aside(content: Content) -> None:
    """Deletes what has been renamed. Raises StorageError."""
    with storage(content.directories[-1], "delete"):
        for file in content.files:
            file.unlink(missing_ok=True)
        for directory in content.directories:
            with suppress(FileNotFoundError):  # another process deletes the same
                directory.rmdir()


def left_over(directory: Path) -> Iterator[Content]:
    """What killed processes have left of runs that they were deleting, below a directory."""
    for folder in walk(directory):
        for name, entry in sorted(folder.entries.items()):
            if PRUNED.fullmatch(name) and entry.is_dir(follow_symlinks=False):
                with suppress(NotOursError):
                    yield Content.of(Path(folder.path) / name)

"""The directory of a group of runs that begins: a new one, or one in place of an earlier group."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bptrain.errors import StorageError, UsageError
from bptrain.store.atomic import storage
from bptrain.store.run_directory import RunDirectory, clear, locked, numbered
from bptrain.store.run_group import LEFT_OVER, RunGroup
from bptrain.store.run_places import GROUP
from bptrain.store.run_removal import Content, NotOursError
from bptrain.temporary import flush_directory, is_left_over


def new_group(name: str) -> RunGroup:
    """Makes runs/<name>/<number> for a group, the next free number. Raises StorageError."""
    path = numbered(name)
    flush_directory(path.parent)
    return RunGroup(path)


def group_at(path: Path, runs: Sequence[str], overwrite: bool) -> RunGroup:
    """Makes the directory `path` itself for a group of these runs; with `overwrite` a group that is there goes.

    Raises UsageError where the directory holds something else, or may not be overwritten.
    """
    with storage(path, "make"):
        if refuse_what_is_there(path, overwrite, f", --overwrite, or --resume {path}"):
            _remove_runs(RunGroup(path), runs)
        path.mkdir(parents=True, exist_ok=True)
        flush_directory(path.parent)
    return RunGroup(path)


def refuse_what_is_there(path: Path, overwrite: bool, cures: str = ", or --overwrite") -> bool:
    """Whether a group is there that is to go. Raises UsageError where the directory may not be that of a new one."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"--out {path} is a file, not a directory")
    with storage(path, "read"):
        content = [entry.name for entry in path.iterdir()] if path.is_dir() else []
    if all(name == ".lock" or is_left_over(path / name, LEFT_OVER) for name in content):
        return False
    if not overwrite:
        raise UsageError(f"--out {path} is not empty: give another directory{cures}")
    if GROUP not in content:
        raise UsageError(f"--out {path} holds no group of runs, and nothing else is overwritten")
    return True


@contextmanager
def removed_on_failure(group: RunGroup, runs: Sequence[str]) -> Iterator[None]:
    """Removes the runs of a group again, and the group, where the block that makes them ends with an error."""
    try:
        yield
    except BaseException:
        with suppress(StorageError):  # what went wrong first is what is said
            for run in map(group.run, runs):
                _clear_run(group, run)
            group.discard()
        raise


def _clear_run(group: RunGroup, run: RunDirectory) -> None:
    clear(run)
    (run.path / ".lock").unlink(missing_ok=True)
    for folder in (run.path / "checkpoints", run.path, run.path.parent):
        if folder != group.path and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _remove_runs(group: RunGroup, next_runs: Sequence[str]) -> None:
    """Removes the runs of a group, and what it has said of them; files of the user's stay.

    Before anything is touched it raises UsageError where a run is a link, or where a file of the user's is in the way
    of the next runs, and BusyError where another process works in one.
    """
    with ExitStack() as stack:
        stack.enter_context(locked(RunDirectory(group.path)))
        names = group.read().runs
        for name in dict.fromkeys((*names, *next_runs)):
            _refuse_what_is_not_ours(group, name, name in names, name in next_runs)
        runs = [run for run in map(group.run, names) if run.path.is_dir()]
        for run in runs:
            stack.enter_context(locked(run))
        for run in runs:
            _clear_run(group, run)
        for file in (group.out_of_fold, *group.own_run):
            file.unlink(missing_ok=True)


def _refuse_what_is_not_ours(group: RunGroup, name: str, is_there: bool, is_next: bool) -> None:
    """Raises UsageError where a run is a link, or its place is not free for the next one once it is removed."""
    place = group.path / name
    for path in (place.parent, place):
        if path != group.path and path.is_symlink():
            raise UsageError(
                f"--out {group.path}: {path} is a symbolic link, and what it leads to is not overwritten"
            )
    if not is_next or not place.exists():
        return
    try:
        content = Content.of(place)
        if not place.is_dir() or (not is_there and content.files):
            raise NotOursError(f"{place} is no run of this group")
    except NotOursError as error:
        raise UsageError(f"--out {group.path}: {error}: move it, or give another directory") from None

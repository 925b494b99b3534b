"""Converted data on the disk: whole or not there, whatever happens; deleted only where it is ours."""

import errno
import json
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.converted import changes
from bptrain.data.converted.array_files import ArrayForm, map_array
from bptrain.data.converted.changes import (
    EntryInUseError,
    ForeignFileError,
    new_entry,
    only_one,
    remove,
)
from bptrain.data.converted.entries import DamagedEntryError, KeptData, find, find_asked, listed
from bptrain.data.prepared import Prepared, ReadingNotes
from bptrain.errors import StorageError
from data.converted_helpers import added, made, mixed, same

KEY, OTHER = "0123456789abcdef" * 2, "f" * 32


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def data(tmp_path: Path) -> Callable[[Path], Prepared]:
    settings = mixed(tmp_path)
    return lambda directory: made(settings, directory)


def add(cache: Path, make: Callable[[Path], Prepared], asked: str | None = OTHER) -> KeptData:
    return added(cache, make, KEY, asked)


def entries(cache: Path) -> list[str]:
    """What lies in a cache, but for its lock."""
    return sorted(name for name in os.listdir(cache) if name != ".lock")


def test_all_of_it_comes_back(cache: Path, tmp_path: Path) -> None:
    settings = mixed(tmp_path)
    expected = made(settings)
    kept = add(cache, lambda place: made(settings, place))
    notes = ReadingNotes(expected.notes, expected.warnings)
    found = find(cache, KEY)
    assert found is not None
    for prepared in (kept.prepared, found.prepared):
        same(prepared._replace(notes=notes.notes, warnings=notes.warnings), expected)
        assert prepared.read_again == expected.read_again
    assert find_asked(cache, OTHER) == (KEY, notes)
    assert find_asked(cache, KEY) is None
    train = expected.splits["train"]
    assert train.groups is not None
    assert train.sample_weight is not None
    assert entries(cache) == [KEY]
    found.prepared.splits["train"].X[...] = 7  # which the file does not notice
    again = find(cache, KEY)
    assert again is not None
    assert np.array_equal(again.prepared.splits["train"].X, train.X)


def test_splits_without_rows_and_without_weights(cache: Path, tmp_path: Path) -> None:
    settings = mixed(tmp_path)._replace(weight=None, class_weight=None, test=None)
    expected = made(settings)
    empty = expected.splits["test"]._replace(
        **{
            field: getattr(expected.splits["test"], field)[:0]
            for field in ("X", "T", "y_true", "row_index", "groups")
        }
    )
    expected.splits["test"] = empty
    kept = add(cache, lambda place: expected)
    same(kept.prepared._replace(notes=expected.notes, warnings=expected.warnings), expected)


def test_what_is_there_already_is_taken(cache: Path, data: Callable[[Path], Prepared]) -> None:
    first = add(cache, data, KEY)
    inode = (first.place / "train.X").stat().st_ino
    second = add(cache, data, OTHER)
    assert (second.place / "train.X").stat().st_ino == inode
    assert find_asked(cache, KEY) == find_asked(cache, OTHER)
    assert entries(cache) == [KEY]


# --- nothing looks whole that is not -----------------------------------------------------------------------------


class FailsAt:
    """A function that fails at its n-th call, with an error or as if the process were killed."""

    def __init__(self, function: Callable[..., Any], n: int, error: BaseException) -> None:
        self.function, self.left, self.error = function, n, error
        self.failed = False

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left < 0 and not self.failed:
            self.failed = True
            raise self.error
        return self.function(*args, **options)


STEPS = [
    (owner, name)
    for owner, name in (
        (os, "fsync"),
        (os, "open"),
        (Path, "rename"),
        (Path, "mkdir"),
        (changes, "write_array"),
    )
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_anywhere_leaves_nothing(
    owner: Any,
    name: str,
    error: BaseException,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ready, n, failed = made(mixed(tmp_path)), 0, 0
    while True:
        fails = FailsAt(getattr(owner, name), n, error)
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, lambda *args, fails=fails, **options: fails(*args, **options))
            try:
                add(cache, lambda place: ready)
            except (StorageError, KeyboardInterrupt) as raised:
                said = str(raised)
                failed += (
                    isinstance(raised, KeyboardInterrupt) or "; data.cache names another directory" in said
                )
        if not fails.failed:
            break
        if cache.exists() and entries(cache) == [KEY]:  # all was there but what is flushed or noted last
            same_as_made(cache, ready)
            (entry,) = listed(cache)
            remove(cache, entry)
        assert not cache.exists() or entries(cache) == []
        n += 1
    assert 1 <= failed <= n  # a look that fails is made up for
    same_as_made(cache, ready)


def same_as_made(cache: Path, expected: Prepared) -> None:
    found = find(cache, KEY)
    assert found is not None
    same(found.prepared._replace(notes=expected.notes, warnings=expected.warnings), expected)


def test_what_a_killed_process_has_left_goes(cache: Path, data: Callable[[Path], Prepared]) -> None:
    left = cache / ".new.0123456789abcdef.tmp"
    left.mkdir(parents=True)
    for name in ("train.X", ".lock", "prepared.json"):
        (left / name).write_bytes(b"half")
    foreign = cache / ".new.fedcba9876543210.tmp"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    add(cache, data)
    assert entries(cache) == [foreign.name, KEY]


def test_what_is_being_written_stays(cache: Path, data: Callable[[Path], Prepared]) -> None:
    cache.mkdir()
    with new_entry(cache) as room:
        add(cache, data)
        assert entries(cache) == sorted([room.directory.name, KEY])
        unfinished = next(entry for entry in listed(cache) if entry.state == "unfinished")
        with pytest.raises(EntryInUseError):
            remove(cache, unfinished)
    assert entries(cache) == [KEY]


def test_two_at_once(cache: Path, data: Callable[[Path], Prepared]) -> None:
    both = threading.Barrier(2)
    found: list[KeptData] = []

    def make(place: Path) -> Prepared:
        prepared = data(place)
        both.wait(timeout=60)
        return prepared

    threads = [threading.Thread(target=lambda: found.append(add(cache, make))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    same(found[0].prepared, found[1].prepared)
    assert entries(cache) == [KEY]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the size of its memory")
def test_an_array_larger_than_memory_is_mapped(tmp_path: Path) -> None:
    memory = Path("/proc/meminfo").read_text()
    kilobytes = sum(int(re.findall(rf"{name}: *(\d+)", memory)[0]) for name in ("MemTotal", "SwapTotal"))
    form = ArrayForm((2 * kilobytes, 1024), "|u1")
    with (tmp_path / "train.X").open("wb") as file:
        file.truncate(form.size)
    X = map_array(tmp_path / "train.X", form)
    assert X[-1, -1] == 0
    X[0, 0] = 1  # a compiled loop takes what may be written to; the file stays as it is
    with (tmp_path / "train.X").open("rb") as file:
        assert file.read(1) == b"\0"


# --- damage ---------------------------------------------------------------------------------------------------------


def truncate(entry: Path) -> None:
    with (entry / "train.X").open("r+b") as file:
        file.truncate(8)


def other_notes(entry: Path) -> None:
    text = (entry / "prepared.json").read_text()
    (entry / "prepared.json").write_text(text.replace("as the run", "as no run"))


def other_shape(entry: Path) -> None:
    record = json.loads((entry / "prepared.json").read_text())
    record["content"]["splits"]["train"]["arrays"]["X"]["shape"][1] = 2**62
    (entry / "prepared.json").write_text(json.dumps(record))


def a_link(entry: Path) -> None:
    (entry / "train.X").rename(entry.parent / "X")
    (entry / "train.X").symlink_to(entry.parent / "X")


def link_to_an_entry(entry: Path) -> None:
    entry.rename(entry.parent / "moved")
    entry.symlink_to(entry.parent / "moved", target_is_directory=True)


def a_file(entry: Path) -> None:
    entry.rename(entry.parent / "moved")
    entry.write_text("mine")


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE: list[Callable[[Path], object]] = [
    truncate,
    other_notes,
    other_shape,
    a_link,
    link_to_an_entry,
    a_file,
    lambda entry: a_pipe(entry / "train.X"),
    lambda entry: a_pipe(entry / "prepared.json"),
    lambda entry: (entry / "train.T").unlink(),
    lambda entry: (entry / "prepared.json").unlink(),
    lambda entry: (entry / "prepared.json").write_text("[]"),
    lambda entry: (entry / "prepared.json").write_text("{" * 5000),
    lambda entry: (entry / "prepared.json").write_bytes(b"\xff\xfe"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_made_again(
    damage: Callable[[Path], object], cache: Path, data: Callable[[Path], Prepared], tmp_path: Path
) -> None:
    add(cache, data)
    damage(cache / KEY)
    with pytest.raises(DamagedEntryError):
        find(cache, KEY)
    assert [entry.state for entry in listed(cache)] in (["damaged"], [])  # a link is not ours
    add(cache, data)
    same_as_made(cache, made(mixed(tmp_path)))
    assert KEY in entries(cache)


def test_a_damaged_note_is_no_note(cache: Path, data: Callable[[Path], Prepared]) -> None:
    add(cache, data)
    (cache / KEY / f"asked.{OTHER}.json").write_text("{}")
    assert find_asked(cache, OTHER) is None
    assert find(cache, KEY) is not None


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_mapped_data_outlives_its_files(cache: Path, data: Callable[[Path], Prepared]) -> None:
    kept = add(cache, data)
    X = kept.prepared.splits["train"].X
    before = X.copy()
    (entry,) = listed(cache)
    assert (entry.key, entry.state, entry.reason) == (KEY, "ok", "")
    assert entry.size >= kept.record.size > 0
    remove(cache, entry)
    assert entries(cache) == []
    assert find(cache, KEY) is None
    assert np.array_equal(X, before)


@pytest.mark.parametrize("name", ["notes.txt", "train.Z", "asked.json", "deep"])
def test_what_is_not_ours_stays(name: str, cache: Path, data: Callable[[Path], Prepared]) -> None:
    add(cache, data)
    foreign = cache / KEY / name
    if name == "deep":
        foreign.mkdir()
    else:
        foreign.write_text("mine")
    (entry,) = listed(cache)
    with pytest.raises(ForeignFileError, match=name):
        remove(cache, entry)
    assert find(cache, KEY) is not None
    assert foreign.exists()


def test_no_lock_is_taken_through_a_link(
    cache: Path, data: Callable[[Path], Prepared], tmp_path: Path
) -> None:
    other = tmp_path / "thesis.tex"
    other.write_text("mine")
    left = cache / ".new.0123456789abcdef.tmp"
    left.mkdir(parents=True)
    (left / ".lock").symlink_to(other)
    add(cache, data)
    assert entries(cache) == [left.name, KEY]
    (cache / ".lock").unlink(missing_ok=True)
    (cache / ".lock").symlink_to(other)
    with pytest.raises(StorageError, match="is a symbolic link"):
        add(cache, data)
    assert other.read_text() == "mine"


def test_only_entries_are_listed(cache: Path, data: Callable[[Path], Prepared]) -> None:
    assert listed(cache) == []
    add(cache, data)
    (cache / "thesis").mkdir()
    (cache / ("a" * 32)).write_text("a file")
    (cache / ("b" * 32)).symlink_to(cache / KEY, target_is_directory=True)
    assert [entry.key for entry in listed(cache)] == [KEY]


def test_the_lock_of_the_cache_is_held_for_an_instant_alone(
    cache: Path, data: Callable[[Path], Prepared]
) -> None:
    def make(place: Path) -> Prepared:
        with only_one(cache):
            pass
        return data(place)

    add(cache, make)


def test_another_version_has_written_it(
    cache: Path, data: Callable[[Path], Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("bptrain.__version__", "0.0.9")
        add(cache, data)
    (entry,) = listed(cache)
    assert (entry.state, entry.reason) == ("other version", "written by bptrain 0.0.9")

"""A config with data.memory: the same data as without it, converted once, and kept for what is the same alone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.build import converted_data
from bptrain.build.converted_data import bytes_in_memory
from bptrain.build.data import prepare_data
from bptrain.config import load_config
from bptrain.data.converted.entries import KEY, listed
from bptrain.data.memory import arrays_in_memory
from bptrain.data.prepare import prepare
from bptrain.data.prepared import ChangedDataError, KeptSchema, Prepared
from bptrain.errors import DataError, StorageError
from bptrain.mapped_rows import room_of
from data.converted_helpers import same_rows

HEAD = "data:\n  train: big.csv\n  target: y\n"
REST = "network: {sizes: [auto, auto]}\nloss: cross_entropy\n"
MEMORY = ["data.memory=1MB", "data.cache=kept"]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a config whose data does not fit into 1MB, and the user's caches in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BPTRAIN_CACHE_DIR", str(tmp_path / "users"))
    monkeypatch.setattr("bptrain.build.data.fits", lambda settings, bound: False)
    monkeypatch.setattr(converted_data, "bytes_in_memory", lambda prepared, config: 10**9)
    lines = ["a,b,color,y"]
    lines += [
        f"{row},{'' if row % 9 == 0 else row / 7},{'red' if row % 3 else 'blue'},{'xyz'[row % 3]}"
        for row in range(90)
    ]
    Path("big.csv").write_text("\n".join(lines))
    Path("c.yaml").write_text(f"{HEAD}  missing: {{b: mean}}\n{REST}")
    return tmp_path


def prepared(*overrides: str, config: str = "c.yaml", **options: Any) -> Prepared:
    return prepare_data(load_config(config, overrides), **options)


def entries(cache: str = "kept") -> list[str]:
    return sorted(name for name in os.listdir(cache) if KEY.fullmatch(name))


def same_but_for_the_note(found: Prepared, expected: Prepared) -> str:
    *notes, note = found.notes
    assert note.startswith("data: ")
    assert found._replace(notes=tuple(notes), splits={}) == expected._replace(splits={})
    for name, rows in expected.splits.items():
        same_rows(found.splits[name], rows)
    return note


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes it an error to read cells."""

    def read(*args: Any, **options: Any) -> Prepared:
        raise AssertionError("the file was read")

    return lambda: monkeypatch.setattr(converted_data, "prepare", read)


def test_what_is_converted_is_the_same_and_read_once(no_reading: Callable[[], None]) -> None:
    expected = prepared()
    note = same_but_for_the_note(prepared(*MEMORY), expected)
    (key,) = entries()
    assert (
        note
        == f"data: converted, since it may take more than data.memory (1MB), to 0.0 MB in {Path('kept', key).resolve()}"
        "; data.memory: 50MB is the least that holds while data is converted"
    )
    no_reading()
    note = same_but_for_the_note(prepared(*MEMORY), expected)
    assert note == f"data: 0.0 MB of converted data in {Path('kept', key).resolve()}"


def test_a_run_finds_what_its_fit_has_kept(no_reading: Callable[[], None]) -> None:
    first = prepared(*MEMORY)
    kept = KeptSchema(first.schema, first.digest)
    expected = prepared(kept_schema=kept)
    no_reading()
    same_but_for_the_note(prepared(*MEMORY, kept_schema=kept), expected)
    resolved = ["network.sizes=[4,3]", "network.activations=softmax"]  # as the config of a run has them
    same_but_for_the_note(prepared(*MEMORY, *resolved, kept_schema=kept), expected)


def test_a_run_of_another_schema_has_an_entry_of_its_own(no_reading: Callable[[], None]) -> None:
    first = prepared(*MEMORY)
    feature = first.schema.features[0]
    other = first.schema._replace(features=(feature._replace(center=1.0), *first.schema.features[1:]))
    kept = KeptSchema(other, first.digest)
    expected = prepared(kept_schema=kept)
    for _ in range(2):
        same_but_for_the_note(prepared(*MEMORY, kept_schema=kept), expected)
        no_reading()
    assert len(entries()) == 2


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=7",
        "optimizer=adam",
        "network.sizes=[4,5,3]",
        "seed=0",
        "data.split.seed=0",
        "data.memory=2MB",
        "data.root=.",
        "metrics=accuracy",
    ],
)
def test_what_does_not_change_the_data_finds_it(override: str, no_reading: Callable[[], None]) -> None:
    prepared(*MEMORY)
    if "sizes" in override or "split" in override:  # it is read again, to the same
        prepared(*MEMORY, override)
        assert len(entries()) == (2 if "split" in override else 1)
    no_reading()
    prepared(*MEMORY, override)


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "data.split.seed=1",
        "data.split.test=0.3",
        "data.scale=minmax",
        "data.missing.b=median",
        "data.features=[a, b]",
        "network.dtype=float64",
        "loss.class_weight=balanced",
        "loss.label_smoothing=0.1",
        "data.columns.a=categorical",
        "data.exclude=[color]",
        "data.split.group=color",
        "data.split.shuffle=false",
    ],
)
def test_what_changes_the_data_does_not(override: str) -> None:
    prepared(*MEMORY)
    same_but_for_the_note(prepared(*MEMORY, override), prepared(override))
    assert len(entries()) == 2


def test_seeds_share_the_data_of_one_split(no_reading: Callable[[], None]) -> None:
    prepared(*MEMORY, "data.split.seed=3", "seed=1")
    no_reading()
    prepared(*MEMORY, "data.split.seed=3", "seed=2")


def test_changed_data_is_converted_anew(workplace: Path) -> None:
    first = prepared(*MEMORY)
    Path("big.csv").write_text(Path("big.csv").read_text().replace("88,", "87,"))
    same_but_for_the_note(prepared(*MEMORY), prepared())
    assert len(entries()) == 2
    with pytest.raises(ChangedDataError):
        prepared(*MEMORY, kept_schema=KeptSchema(first.schema, first.digest))


def test_the_same_data_in_another_place_is_found(no_reading: Callable[[], None]) -> None:
    prepared(*MEMORY)
    Path("elsewhere").mkdir()
    Path("big.csv").rename("elsewhere/big.csv")
    no_reading()
    prepared(*MEMORY, "data.train=elsewhere/big.csv")


def test_data_that_changes_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*args: Any, **options: Any) -> Prepared:
        found = prepare(*args, **options)
        return found._replace(digest={"train": "0" * 64})

    monkeypatch.setattr(converted_data, "prepare", read)
    with pytest.raises(DataError, match="has changed while it was read"):
        prepared(*MEMORY)
    assert entries() == []


def test_the_first_rows_are_not_kept(no_reading: Callable[[], None]) -> None:
    expected = prepared(limit=5, dtype=np.float64)
    found = prepared(*MEMORY, limit=5, dtype=np.float64)
    assert found.notes == expected.notes
    for name, rows in expected.splits.items():
        same_rows(found.splits[name], rows)
    assert entries() == []


def test_what_fits_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptrain.build.data.fits", lambda settings, bound: bound == 1_000_000)
    assert prepared(*MEMORY).notes == prepared().notes
    assert not Path("kept").exists()


def test_what_is_small_once_it_is_read_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = prepared()
    monkeypatch.setattr(converted_data, "bytes_in_memory", bytes_in_memory)
    found = prepared(*MEMORY)
    assert found._replace(splits={}) == expected._replace(splits={})
    for name, rows in expected.splits.items():
        same_rows(found.splits[name], rows)
        assert room_of(found.splits[name].X) == room_of(rows.X)
    assert os.listdir("kept") == [] or os.listdir("kept") == [".lock"]


@pytest.mark.parametrize(
    ("override", "grows"),
    [("network.sizes=[4,1000,3]", True), ("training.epochs=9", False), ("network.dtype=float64", True)],
)
def test_what_a_fit_takes(override: str, grows: bool) -> None:
    def taken(*overrides: str) -> int:
        loaded = load_config("c.yaml", ["training.mode=batch", *overrides])
        return bytes_in_memory(prepare_data(loaded), loaded.config)

    arrays = sum(rows.X.nbytes + rows.T.nbytes for rows in prepared().splits.values())
    assert taken() > arrays
    assert (taken(override) > taken()) == grows


def test_the_directory_of_the_user() -> None:
    prepared("data.memory=1MB")
    assert len(entries("users/data")) == 1
    assert not os.stat("users/data").st_mode & 0o077


@pytest.mark.parametrize("kind", ["a file", "not writable", "not readable"])
def test_a_directory_that_cannot_be_used(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "a file":
        Path("kept").write_text("mine")
        why = "a file has this name"
    else:
        name = "open" if kind == "not writable" else "listdir"
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
        why = "Permission denied"
    with pytest.raises(
        StorageError, match=rf"could not write converted data to .*kept: {why}; data\.cache names another"
    ):
        prepared(*MEMORY)


def refusing(function: Callable[..., int]) -> Callable[..., int]:
    """A function that makes no file: root may write everywhere, so that no mode can be set for a test."""

    def call(path: Any, flags: int = os.O_CREAT, *args: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied")
        return function(path, flags, *args, **options)

    return call


def test_a_run_whose_directory_cannot_be_made_here_takes_the_users() -> None:
    first = prepared()
    Path("kept").write_text("mine")
    kept = KeptSchema(first.schema, first.digest)
    same_but_for_the_note(prepared(*MEMORY, kept_schema=kept), prepared(kept_schema=kept))
    assert len(entries("users/data")) == 1


def test_a_run_that_was_moved_does_not_make_its_old_place_again() -> None:
    first = prepared()
    kept = KeptSchema(first.schema, first.digest)
    gone = ["data.memory=1MB", "data.cache=gone/kept"]
    same_but_for_the_note(prepared(*gone, kept_schema=kept), prepared(kept_schema=kept))
    assert not Path("gone").exists()
    assert len(entries("users/data")) == 1
    prepared(*gone)
    assert len(entries("gone/kept")) == 1


def test_a_damaged_entry_is_said_and_made_again() -> None:
    prepared(*MEMORY)
    (key,) = entries()
    Path("kept", key, "train.X").write_bytes(b"short")
    note = same_but_for_the_note(prepared(*MEMORY), prepared())
    what = "train.X has 5 bytes and should have 992"
    assert note.startswith(f"data: what was kept is damaged ({what}), so it is converted again to 0.0 MB in ")
    (entry,) = listed(Path("kept"))
    assert entry.state == "ok"


def test_rows_from_python(no_reading: Callable[[], None]) -> None:
    X, y = np.arange(80.0).reshape(40, 2), np.arange(40) % 2
    given = {"train": arrays_in_memory((X, y), "data")}
    config = {
        "data": {"memory": "1MB", "cache": "kept"},
        "network": {"sizes": ["auto", "auto"]},
        "loss": "cross_entropy",
    }

    def found() -> Prepared:
        shapes = {role: source.shape for role, source in given.items()}
        return prepare_data(load_config(config, {}, shapes), given=given)

    first = found()
    assert len(entries()) == 1
    no_reading()
    for name, rows in found().splits.items():
        same_rows(rows, first.splits[name])


def test_labels_of_several_types_in_class_weight() -> None:
    weights = ["loss.class_weight={x: 2, y: 1, z: 1}", "task=classification"]
    same_but_for_the_note(prepared(*MEMORY, *weights), prepared(*weights))

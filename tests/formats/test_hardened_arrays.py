"""Arrays in files that are damaged, odd, or a trap: one sentence each, and no memory beyond what is there."""

import gzip
import io
import os
import pickle  # noqa: TID251 -- made here, and never loaded
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats import array_header, limits, npz
from bptrain.formats.conventions import RECOGNIZED
from bptrain.formats.idx import read_idx
from bptrain.formats.npy import read_npy
from bptrain.formats.npz import read_npz
from command import bptrain
from data.helpers import prepared, problems, whole


def saved(array: Any, **options: Any) -> bytes:
    made = io.BytesIO()
    np.save(made, array, **options)
    return made.getvalue()


def header(shape: str, descr: str = "<f8", order: str = "False") -> bytes:
    """The header of an array, whatever it says."""
    text = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}"
    padded = text.encode("latin-1") + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(padded)) + padded


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


X = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "array",
    [
        X,
        np.asfortranarray(X),
        X.astype(">f8"),
        X.astype(">i2"),
        np.asfortranarray(X.astype(">u4")),
        X.astype("f2"),
    ],
    ids=lambda array: f"{array.dtype.str} {'C' if array.flags.c_contiguous else 'F'}",
)
def test_every_order_is_the_same_array(tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "x.npy", array)
    (tmp_path / "p.npy.gz").write_bytes(gzip.compress((tmp_path / "x.npy").read_bytes()))
    np.savez(tmp_path / "x.npz", X=array)
    for found in (
        read_npy(tmp_path / "x.npy", "", RECOGNIZED),
        read_npy(tmp_path / "p.npy.gz", "", RECOGNIZED),
        read_npz(tmp_path / "x.npz", "", RECOGNIZED).get("X"),
    ):
        np.testing.assert_array_equal(found, X)
        assert found.dtype.isnative


def mapped_from(array: Any) -> Any:
    """What owns an array's memory."""
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return type(array).__name__


def test_npy_and_idx_are_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1000, 1000)))
    (tmp_path / "x.idx").write_bytes(b"\0\0\x08\x02" + struct.pack(">2I", 2000, 2000) + bytes(4_000_000))
    tracemalloc.start()
    arrays = [read_npy(tmp_path / "x.npy", "", RECOGNIZED), read_idx(tmp_path / "x.idx", "", RECOGNIZED)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [mapped_from(array) for array in arrays] == ["mmap", "mmap"]
    assert peak < 500_000


def test_a_mapped_array_trains(workplace: Path) -> None:
    np.save("x.npy", X.astype(np.float32))
    np.save("y.npy", np.arange(4.0))
    Path("c.yaml").write_text(
        "data:\n  train: {inputs: x.npy, target: y.npy}\n  scale: none\n  scale_target: none\n"
        "  split: {validation: 0, test: 0}\n"
        "network: {sizes: [auto, auto]}\nloss: half_squared_error\ntraining: {epochs: 2, engine: numpy}\n"
    )
    assert bptrain("fit", "c.yaml").code == 0


TERABYTES = "(1000000000, 1000)"
# name, content, code, words
REFUSED: list[tuple[str, bytes, str, str]] = [
    ("x.npy", header(TERABYTES) + bytes(80), "damaged_file", "8,000,000,000,000 bytes, but it has 80"),
    ("x.npy", header("(99999999999999999999999,)"), "damaged_file", "cut short"),
    ("x.npy", header("(-1, 3)") + bytes(80), "damaged_file", "shape"),
    ("x.npy", header("(True, 3)") + bytes(80), "damaged_file", "damaged"),
    ("x.npy", header("(2.5,)"), "damaged_file", "damaged"),
    ("x.npy", header("(" * 150 + ")" * 150), "damaged_file", "damaged"),
    ("x.npy", header(str((1,) * 65)) + bytes(8), "damaged_file", "damaged"),
    ("x.npy", header("(2,)", "nonsense"), "damaged_file", "damaged"),
    ("x.npy", header("(2,)", order="maybe"), "damaged_file", "damaged"),
    ("x.npy", saved(X)[:-1], "damaged_file", "96 bytes, but it has 95"),
    ("x.npy", saved(X)[:40], "damaged_file", "damaged"),
    ("x.npy", b"", "damaged_file", "begins with nothing"),
    ("x.npy", b"a,b\n1,2\n", "damaged_file", "begins with 61 2c"),
    ("x.npy", b"\x93NUMPY\x09\0" + saved(X)[8:], "damaged_file", "version 9.0"),
    ("x.npy", saved(np.array([{}, None], object), allow_pickle=True), "object_array", "Python objects"),
    ("x.npy", pickle.dumps([1, 2]), "foreign_file", "a Python pickle"),
    ("x.npy", saved(X + 1j), "array_type", "complex128"),
    ("x.npy", saved(np.zeros(4, [("a", "f8"), ("b", "i4")])), "array_type", "[('a', '<f8'), ('b', '<i4')]"),
    ("x.npy", b"\x93NUMPY\x03\0" + saved(X)[8:], "array_type", "named fields"),
    ("x.npy", saved(np.zeros(4, "V3")), "array_type", "V3"),
    ("x.npy", saved(np.zeros(4, "M8[s]")), "array_type", "datetime64"),
    ("x.npy", saved(np.zeros((0, 3))), "no_rows", "no rows"),
    ("x.npy", header("(0, 4294967295, 4294967295, 4294967295)"), "no_rows", "no rows"),
    ("x.npy", header("(3,)", "<U0"), "no_rows", "no rows"),
    ("x.npy.gz", gzip.compress(header("(0, 4294967295, 4294967295, 4294967295)")), "no_rows", "no rows"),
    ("x.npz", zipped({"X.npy": header("(0, 4294967295, 4294967295, 4294967295)"), "y.npy": b""}), "no_rows", "no rows"),
    ("x.idx", b"\0\0\x08\x04\0\0\0\0" + b"\xff" * 12, "no_rows", "no rows"),
    ("x.npy.gz", gzip.compress(header(TERABYTES) + bytes(80)), "damaged_file", "but it has 80"),
    ("x.npz", zipped({"X.npy": header(TERABYTES) + bytes(80), "y.npy": saved(X)}), "damaged_file", "but it has 80"),
    ("x.npz", zipped({"X.npy": b"text", "y.npy": saved(X)}), "damaged_file", "the array X begins with 74 65"),
    ("x.npz", zipped({"X.txt": b"text", "y.npy": saved(X)}), "unknown_array", "no array named X; it has y"),
    ("x.npz", zipped({"X.txt": b"text"}), "no_array", "no array, but X.txt"),
    ("x.npz", zipped({}), "no_array", "no array: save"),
    ("x.npz", zipped({"X.npy": saved(X), "y.npy": saved(X)}, zipfile.ZIP_BZIP2), "zip_method", "np.savez"),
    ("x.npz", zipped({"X.npy": saved(X)[:-9], "y.npy": saved(X)}), "damaged_file", "the array X is damaged or cut"),
    ("x.npz", zipped({"X.npy": saved(np.array([{}], object), allow_pickle=True), "y.npy": b""}), "object_array", "X"),
    ("x.npz", saved(X), "damaged_file", "damaged"),
    ("x.npz", b"", "damaged_file", "damaged"),
    ("x.npz", zipped({"X.npy": saved(X)})[:-10], "damaged_file", "damaged"),
    ("x.idx", b"\0\0\x0e\xff" + b"\xff" * 1020, "damaged_file", "but it has"),
    ("x.idx", b"\0\0\x08\xc8" + b"\0\0\0\x01" * 200 + b"\0", "damaged_file", "200 axes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code", "words"), REFUSED, ids=[f"{r[0]} {r[3]}" for r in REFUSED]
)
def test_refused(tmp_path: Path, name: str, content: bytes, code: str, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "t.npy", np.arange(4))
    two = not name.endswith(".npz")
    source = FileSource(tmp_path / name, tmp_path / "t.npy" if two else None)
    tracemalloc.start()
    [problem] = problems(whole(source, None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.code == code, problem.message
    assert words in problem.message
    assert str(tmp_path) in problem.file or code == "unknown_array"
    assert peak < 4 << 20, peak


def test_a_member_that_unpacks_to_more_than_the_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", X=np.zeros((1000, 1000)), y=np.zeros(1000))
    monkeypatch.setattr(npz, "MOST_UNPACKED", 1 << 20)
    [problem] = problems(whole(FileSource(tmp_path / "x.npz"), None))
    assert problem.code == "too_large"
    assert "the array X holds more than 1,048,576 bytes" in problem.message


def test_a_member_whose_size_is_a_lie(tmp_path: Path) -> None:
    """The archive says 8 MB, and 800 bytes come out."""
    small = zipped({"X.npy": header("(1000, 1000)") + bytes(800), "y.npy": saved(X)}, zipfile.ZIP_DEFLATED)
    size = struct.pack("<I", len(header("(1000, 1000)")) + 800)
    (tmp_path / "x.npz").write_bytes(
        small.replace(size, struct.pack("<I", len(header("(1000, 1000)")) + 8_000_000))
    )
    [problem] = problems(whole(FileSource(tmp_path / "x.npz"), None))
    assert problem.code == "damaged_file"


def test_more_than_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "x.npz", X=np.zeros((1000, 1000)), y=np.zeros(1000))
    monkeypatch.setattr(limits, "memory", lambda: 1 << 20)
    [problem] = problems(whole(FileSource(tmp_path / "x.npz"), None))
    assert problem.code == "too_large"
    assert "the array X: the content takes 0.0 GiB of memory" in problem.message
    monkeypatch.undo()

    def full(*_: Any) -> None:
        raise MemoryError("Unable to allocate 3.64 TiB.")

    monkeypatch.setattr(array_header, "read_in_pieces", full)
    monkeypatch.setattr(npz, "read_in_pieces", full)
    [problem] = problems(whole(FileSource(tmp_path / "x.npz"), None))
    assert (problem.code, "more memory than there is (Unable to allocate 3.64 TiB)" in problem.message) == (
        "too_large",
        True,
    )


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.npy", "t.idx", "t.npz", "t.parquet", "t.xlsx", "t"])
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path, name: str) -> None:
    if name in ("t.parquet", "t.xlsx"):
        pytest.importorskip("pyarrow")
        pytest.importorskip("openpyxl")
    os.mkfifo(tmp_path / name)
    target = tmp_path / name if name in ("t.npy", "t.idx") else None
    source = FileSource(tmp_path / name, target)
    for read in (
        lambda: prepared(whole(source, None if target or "z" in name else "y")),
        lambda: source.digests("train"),
    ):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.problems[0].code == "not_a_file"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_a_device_is_refused(device: str, workplace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bptrain", "init", "--data", device, "--target", "y"],
        input="a,y\n1,2\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "is a device or a pipe" in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize("form", ["npz", "npy", "idx"])
def test_a_text_is_none(tmp_path: Path, form: str) -> None:
    """Its name or data.format says otherwise; it is neither damaged nor full of objects."""
    path = tmp_path / "a.csv"
    for content in (b"a,y\n1,2\n", "é;y\n1;2\n".encode(), b"x\n" * 100_000):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            FileSource(path, path, RECOGNIZED._replace(format=form)).read("data.train")
        if form == "npz":
            with pytest.raises(DataError) as caught:
                FileSource(path, None, RECOGNIZED._replace(format=form)).read("data.train")
        [problem] = caught.value.problems
        assert "this is a text" in problem.message
        assert "data.format" in problem.message

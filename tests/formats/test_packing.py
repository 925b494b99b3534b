"""Packed files: every packing, told by content; what is damaged, ambiguous or a bomb, in one sentence."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats import packing
from bptrain.formats.files import read_bytes
from command import bptrain
from data.helpers import prepared, problems, whole

NO_OTHERS: Mapping[str, bytes] = MappingProxyType({})
TABLE = b"x,y\n" + b"1,2\n3,4\n" * 50


def zipped(
    content: bytes, method: int = zipfile.ZIP_DEFLATED, others: Mapping[str, bytes] = NO_OTHERS
) -> bytes:
    """A zip archive of t.csv and others."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as file:
        file.writestr("t.csv", content)
        for name, more in others.items():
            file.writestr(name, more)
    return archive.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zip": zipped,
}  # fmt: skip


def put(folder: Path, name: str, content: bytes) -> FileSource:
    (folder / name).write_bytes(content)
    return FileSource(folder / name)


@pytest.mark.parametrize("named", [".gz", ".bz2", ".xz", ".zip", ".GZ"])
@pytest.mark.parametrize("packed", PACK)
def test_the_content_says_how_a_file_is_packed(tmp_path: Path, packed: str, named: str) -> None:
    source = put(tmp_path, f"t.csv{named}", PACK[packed](TABLE))
    assert prepared(whole(source)).splits["train"].X.shape == (100, 1)


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".xz"])
def test_several_streams_are_one_content(tmp_path: Path, packed: str) -> None:
    source = put(tmp_path, f"t.csv{packed}", PACK[packed](TABLE[:40]) + PACK[packed](TABLE[40:]))
    assert read_bytes(source.inputs, "") == TABLE


@pytest.mark.parametrize("packed", PACK)
def test_packed_arrays(tmp_path: Path, packed: str) -> None:
    array = io.BytesIO()
    np.save(array, np.arange(6.0).reshape(3, 2))
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 9, 7])
    source = FileSource(tmp_path / f"x.npy{packed}", tmp_path / f"y.idx{packed}")
    source.inputs.write_bytes(PACK[packed](array.getvalue()))
    (tmp_path / f"y.idx{packed}").write_bytes(PACK[packed](labels))
    rows = prepared(whole(source, None)).splits["train"]
    np.testing.assert_array_equal(rows.X, [[0, 1], [2, 3], [4, 5]])
    assert rows.y_true.ravel().tolist() == [7, 9, 7]


def test_macos_archives_have_one_file(tmp_path: Path) -> None:
    source = put(
        tmp_path, "t.csv.zip", zipped(TABLE, others={"__MACOSX/._t.csv": b"\0\5\x16", "folder/": b""})
    )
    assert read_bytes(source.inputs, "") == TABLE


def encrypted() -> bytes:
    """An archive that says that its member is encrypted, in both of its headers."""
    content = bytearray(zipped(TABLE))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


EMPTY = io.BytesIO()
zipfile.ZipFile(EMPTY, "w").close()

# name, content, code, words
REFUSED = [
    ("t.csv.zip", zipped(TABLE, others={"b.csv": b"", "c.csv": b""}), "zip_members", "3 files (t.csv, b.csv, c.csv)"),
    ("t.csv.zip", EMPTY.getvalue(), "zip_members", "no file"),
    ("t.csv.zip", encrypted(), "encrypted", "password"),
    ("t.csv.zip", zipped(TABLE, zipfile.ZIP_LZMA), "zip_method", "deflate"),
    ("t.csv.gz", TABLE, "damaged_file", "t.csv"),
    ("t.csv.gz", b"", "damaged_file", "empty"),
    *((f"t.csv{name}", pack(TABLE)[:-9], "damaged_file", "cut short") for name, pack in PACK.items()),
    *((f"t.csv{name}", pack(TABLE)[:11], "damaged_file", "cut short") for name, pack in PACK.items()),
    *((f"x.npy{name}", pack(TABLE)[:-9], "damaged_file", "cut short") for name, pack in PACK.items()),
    ("t.csv", gzip.compress(TABLE), "packed_file", "a gzip file: rename it to t.csv.gz"),
    ("t.tsv", bz2.compress(TABLE), "packed_file", "a bzip2 file: rename it to t.tsv.bz2"),
    ("t.csv", zipped(TABLE), "packed_file", "a zip archive: rename it to t.csv.zip"),
    ("x.idx", lzma.compress(TABLE), "packed_file", "an xz file: rename it to x.idx.xz"),
    ("x.npy", gzip.compress(TABLE), "packed_file", "a gzip file: rename it to x.npy.gz"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code", "words"), REFUSED, ids=[f"{r[0]} {r[3]}" for r in REFUSED]
)
def test_refused(tmp_path: Path, name: str, content: bytes, code: str, words: str) -> None:
    source = put(tmp_path, name, content)
    array = name.startswith("x")
    [problem] = problems(
        whole(source._replace(target=source.inputs) if array else source, None if array else "y")
    )
    assert (problem.code, problem.file) == (code, str(source.inputs))
    assert words in problem.message


def test_one_sentence_and_exit_code_3(workplace: Path) -> None:
    (workplace / "t.csv.zip").write_bytes(zipped(TABLE, others={"b.csv": b""}))
    outcome = bptrain("init", "--data", "t.csv.zip", "--target", "y")
    assert outcome.code == 3
    assert outcome.err.count("error:") == 1
    assert "the zip archive holds 2 files (t.csv, b.csv)" in outcome.err


@pytest.mark.parametrize("packed", PACK)
def test_bombs(tmp_path: Path, packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is allocated beyond the cap, whatever comes out of a file."""
    monkeypatch.setattr(packing, "MOST_UNPACKED", 4 << 20)
    source = put(tmp_path, f"t.csv{packed}", PACK[packed](b"x,y\n" + bytes(64 << 20)))
    tracemalloc.start()
    [problem] = problems(whole(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.code == "too_large"
    assert "more than 4,194,304 bytes" in problem.message
    assert peak < 20 << 20, peak  # the pieces, and 8 MB of window that xz takes
    array = put(tmp_path, f"x.npy{packed}", source.inputs.read_bytes())
    assert problems(whole(array._replace(target=array.inputs), None))[0].code == "too_large"


def test_an_xz_header_that_declares_a_large_window(tmp_path: Path) -> None:
    """A window is allocated before anything comes out of it."""
    content = lzma.compress(TABLE, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 << 20}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "XZ_MEMORY", 16 << 20)
        [problem] = problems(whole(put(tmp_path, "t.csv.xz", content)))
    assert (problem.code, "emory" in problem.message) == ("damaged_file", True)
    assert prepared(whole(put(tmp_path, "t.csv.xz", content))).splits["train"].X.shape == (100, 1)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([*PACK]), st.data())
def test_any_damage_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, packed: str, data: st.DataObject
) -> None:
    content = bytearray(PACK[packed](TABLE))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    source = put(tmp_path_factory.mktemp("any"), f"t.csv{packed}", bytes(content[:cut]))
    with suppress(DataError):  # anything else fails the test
        prepared(whole(source))

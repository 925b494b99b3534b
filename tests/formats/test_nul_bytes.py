"""NUL bytes, which no text has: of a binary file, or of UTF-16 without its mark."""

from pathlib import Path

import pytest

from bptrain.data.sources import FileSource
from bptrain.errors import DataError
from bptrain.formats.conventions import Conventions
from bptrain.formats.problems import UndeclaredConvention

TEXT = "a,y\n1,2\n3,4\n"


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("t.csv", b"a,y\n1,2\n\0,3\n", 3, "NUL byte"),
        ("t.csv", b"\0" * 100, 1, "NUL byte"),
        ("t.csv", TEXT.encode("utf-16-le"), 1, "data.encoding: utf-16-le"),
        ("t.tsv", TEXT.replace(",", "\t").encode("utf-16-be"), 1, "data.encoding: utf-16-be"),
        ("t.jsonl", b'{"a": 1}\n\0\n', 2, "NUL byte"),
    ],
)
def test_refused_with_its_line(tmp_path: Path, name: str, content: bytes, line: int, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        FileSource(tmp_path / name).read("data.train")
    [problem] = caught.value.problems
    assert (problem.code, problem.line) == ("nul_byte", line)
    assert words in problem.message


def test_a_declared_encoding_reads_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TEXT.encode("utf-16-le"))
    found = FileSource(tmp_path / "t.csv", None, Conventions(encoding="utf-16-le")).read("data.train")
    assert dict(found.cells) == {"a": ["1", "3"], "y": ["2", "4"]}  # type: ignore[union-attr]


def test_utf16_without_its_mark_is_asked_about(tmp_path: Path) -> None:
    """So that init writes the key."""
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "t.csv").write_bytes(TEXT.encode(encoding))
        with pytest.raises(UndeclaredConvention) as caught:
            FileSource(tmp_path / "t.csv").read("data.train")
        assert (caught.value.field, caught.value.value) == ("encoding", encoding)

"""Bytes of a text: where lines end, what is UTF-8, and files that change while they are read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bptrain.formats.text_bytes import ROOM, is_text, text_bytes_of, text_bytes_of_file


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
@example("é".encode())
@example(b"\xc3")
def test_what_is_a_text(data: bytes) -> None:
    try:
        expected = "\0" not in data.decode()
    except UnicodeDecodeError:
        expected = False
    assert is_text(np.frombuffer(data, np.uint8)) == expected
    for end in (b"y", b""):
        padded = b"x" * 400 + data + end  # few letters that are not ASCII
        assert is_text(np.frombuffer(padded, np.uint8)) == expected


@pytest.mark.parametrize("near", [1, 3, 4096])
def test_line_ends(monkeypatch: pytest.MonkeyPatch, near: int) -> None:
    monkeypatch.setattr("bptrain.formats.text_bytes.NEAR", near)
    text = b"ab\ncdef\n\ng" + b"h" * 30 + b"\nend"
    found = text_bytes_of(text)
    assert found.part(found.begin, found.end) == text
    for begin in range(len(text)):
        for size in range(len(text)):
            stop = begin + size
            expected = len(text)
            if stop < len(text):
                expected = text.rfind(b"\n", begin, stop) + 1 or text.find(b"\n", stop) + 1 or len(text)
            assert found.line_end(ROOM + begin, size) == ROOM + expected


@pytest.mark.parametrize("size", [0, 3, 10, 99])
def test_a_file_may_have_another_size_than_was_said(tmp_path: Path, size: int) -> None:
    (tmp_path / "t").write_bytes(b"0123456789")
    with (tmp_path / "t").open("rb") as file:
        found = text_bytes_of_file(file, size)
    assert found.part(found.begin, found.end) == b"0123456789"
    assert found.begin >= ROOM
    assert len(found.data) >= found.end + ROOM

"""What is known of a stream, tables with and without room, and text that fits."""

import io
from collections.abc import Mapping

import pytest

from bptrain.console.terminal.tables import show_table
from bptrain.console.terminal.terminal import cells, is_colored, is_redrawn, styled, width_of, wrapped

ASKED = ("NO_COLOR", "FORCE_COLOR", "TERM", "CI", "COLUMNS")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of terminals."""
    for name in ASKED:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("environment", "terminal", "colored", "redrawn"),
    [
        ({}, True, True, True),
        ({}, False, False, False),
        ({"TERM": "dumb"}, True, False, False),
        ({"NO_COLOR": "1"}, True, False, True),
        ({"NO_COLOR": ""}, True, True, True),  # as no-color.org has it
        ({"NO_COLOR": "0"}, True, False, True),
        ({"FORCE_COLOR": "1"}, False, True, False),
        ({"FORCE_COLOR": "0"}, False, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, False),
        ({"CI": "true"}, True, True, False),
        ({"CI": "false"}, True, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True, False),
    ],
    ids=str,
)
def test_what_the_environment_asks_for(
    said: pytest.MonkeyPatch, environment: Mapping[str, str], terminal: bool, colored: bool, redrawn: bool
) -> None:
    for name, value in environment.items():
        said.setenv(name, value)
    stream = Terminal() if terminal else io.StringIO()
    assert is_colored(stream) is colored
    assert is_redrawn(stream) is redrawn
    assert styled("x", "1", stream) == ("\x1b[1mx\x1b[0m" if colored else "x")


def test_width(said: pytest.MonkeyPatch) -> None:
    said.setenv("COLUMNS", "41")
    assert width_of(Terminal()) == 41
    assert width_of(io.StringIO()) is None
    said.setenv("COLUMNS", "3")
    assert width_of(Terminal()) == 20


def test_text_is_broken_between_words() -> None:
    text = "  stopped after 12 epochs: the validation loss has not improved\nlast"
    assert wrapped(text, None) == text
    lines = wrapped(text, 30).splitlines()
    assert lines == ["  stopped after 12 epochs:", "    the validation loss has", "    not improved", "last"]
    assert (
        wrapped("a/very/long/path/that/stays/in/one/piece", 20) == "a/very/long/path/that/stays/in/one/piece"
    )


def test_columns_that_text_takes() -> None:
    assert cells("abc") == 3
    assert cells("δ_1") == 3
    assert cells("日本") == 4
    assert cells("e\u0301") == 1


def shown(stream: io.StringIO) -> str:
    show_table(stream, "title", ["name", "value", "units"], [["a", "1.5", ""], ["日本", "20", "s"]])
    return stream.getvalue()


def test_a_table_off_a_terminal() -> None:
    assert shown(io.StringIO()) == "title\n  name  value  units\n  a       1.5\n  日本     20      s\n"


def test_a_table_on_a_terminal(said: pytest.MonkeyPatch) -> None:
    said.setenv("COLUMNS", "80")
    said.setenv("NO_COLOR", "1")
    assert shown(Terminal()).splitlines()[1:3] == ["  name  value  units", "  ────  ─────  ─────"]
    said.delenv("NO_COLOR")
    assert "\x1b[1m  name" in shown(Terminal())


def test_a_table_without_room_is_turned(said: pytest.MonkeyPatch) -> None:
    said.setenv("COLUMNS", "20")
    said.setenv("NO_COLOR", "1")
    assert shown(Terminal()) == (
        "title\n  name a\n    value  1.5\n  name 日本\n    value  20\n    units  s\n"
    )

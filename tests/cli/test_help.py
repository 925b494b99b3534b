"""Help, and what is said of commands that are not there."""

import re
import shlex
from collections.abc import Iterator

import pytest

from bptrain.cli.application import application
from bptrain.cli.completion_words import commands
from command import bptrain
from terminal import in_terminal

COMMANDS = dict(commands(application()))


def examples(name: str) -> Iterator[list[str]]:
    """The command lines in a command's help."""
    shown = bptrain(*name.split(), "--help").out
    lines = shown.split("Examples:\n")[1].split("\n\n")[0]
    for found in re.findall(r"bptrain [^\n#)>]*", lines):
        yield shlex.split(found)[1:]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_are_right(name: str) -> None:
    found = list(examples(name))
    assert found
    for words in found:
        assert words[: len(name.split())] == name.split()
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        assert set(options) <= COMMANDS[name]["options"].keys()


def test_the_top_has_examples() -> None:
    for words in examples(""):
        assert words[0] in COMMANDS


def test_without_a_command_help_is_shown() -> None:
    assert bptrain().out == bptrain("--help").out
    group = bptrain("config")
    assert group.code == 0
    assert group.out == bptrain("config", "--help").out
    assert "show" in group.out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["fti"], "fit"),
        (["evl"], "eval"),
        (["grad-check"], "gradcheck"),
        (["inpsect"], "inspect"),
        (["docter"], "doctor"),
        (["run"], "runs"),
        (["config", "shwo"], "show"),
        (["fit", "a.yaml", "--overwite"], "--overwrite"),
        (["runs", "--sorted"], "--sort"),
    ],
    ids=str,
)
def test_typos(typed: list[str], meant: str) -> None:
    outcome = bptrain(*typed)
    assert outcome.code == 2
    assert meant in outcome.err.split("Try")[0]


def test_a_typo_in_a_kind() -> None:
    assert "did you mean losses?" in bptrain("list", "loss").err


def test_help_fits_forty_columns() -> None:
    shown = in_terminal("runs", "--help", columns=40).text
    assert max(map(len, shown.splitlines())) <= 40
    assert "  List the runs in a directory, with\n  their main results.\n" in shown

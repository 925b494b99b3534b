"""What a short command loads, and what it leaves out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bptrain.cli.application import COMMANDS, FILES, GROUPS, application, declared, first_words
from bptrain.cli.entry import NEW_OBJECTS
from command import bptrain
from house import loaded_by

COMPANY = {"application", "command", "entry", "main"}
LATER = {"bptrain.training.learning_checks", "bptrain.gradient_check.point", "numpy.ma", "rich"}


def files_of_cli(loaded: set[str]) -> set[str]:
    """The files of the command line among what is loaded."""
    found = {name.removeprefix("bptrain.cli.") for name in loaded if name.startswith("bptrain.cli.")}
    return found - COMPANY


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("fit --help", "fit"),
        ("check-backward --help", "check_backward"),
        ("runs --help", "runs"),
        ("runs prune --help", "runs_prune"),
        ("config show --help", "config_show"),
        ("data cache list --help", "data_cache_list"),
        ("--version", ""),
    ],
)
def test_a_command_is_loaded_without_the_others(line: str, file: str) -> None:
    assert files_of_cli(loaded_by(*line.split())) == ({file} if file else set())


def test_files_and_words_of_commands_agree() -> None:
    assert {file: " ".join(words) for words, file in FILES.items()} == {
        file: declared(file).name for file in COMMANDS
    }
    assert first_words(["runs", "prune", "--keep", "3"], FILES) == ("runs", "prune")
    assert first_words(["runs", "old"], FILES) == ("runs",)
    assert first_words(["data", "cache", "list"], FILES) == ("data", "cache", "list")
    assert first_words(["data", "cache", "lits"], GROUPS) == ("data", "cache")
    for line in (["config", "shwo"], ["config show"], []):
        assert first_words(line, FILES) == ()


def test_the_application_is_made_once() -> None:
    assert application() is application()  # its groups would have their commands twice


def test_validate_loads_nothing_that_the_end_of_a_fit_needs(iris: Path) -> None:
    assert not loaded_by("validate", str(iris)) & LATER


def test_a_config_that_is_refused_loads_nothing_that_the_end_of_a_fit_needs(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("lr: 1\n", encoding="utf-8")
    assert not loaded_by("fit", str(config)) & (LATER - {"rich"})


def test_a_fit_finds_likely_causes_without_the_gradient_check_itself(iris: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    loaded = loaded_by("fit", str(iris), "--set", "training.epochs=1", "--out", out)
    assert "bptrain.gradient_check.point" in loaded
    assert not loaded & {"bptrain.gradient_check.check", "bptrain.gradient_check.slips", "numpy.ma"}


def test_a_process_looks_for_no_cycles_among_what_it_has_loaded() -> None:
    code = (
        "import atexit, gc, os, sys\n"
        "tell = lambda: print(gc.get_threshold()[0], gc.get_freeze_count() > 1000, os.environ[NAME])\n"
        "atexit.register(tell)\n"
        "NAME = 'PYDANTIC_DISABLE_PLUGINS'\n"
        "sys.argv = ['bptrain', '--version']\n"
        "from bptrain.cli.entry import main\n"
        "main()\n"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYDANTIC")}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean
    )
    assert shown.stdout.splitlines()[-1] == f"{NEW_OBJECTS} True __all__"


@pytest.mark.parametrize("words", ["config show", "runs prune", "data inspect", "data cache list"])
def test_a_command_of_several_words_is_named_where_it_is_typed_wrong(words: str) -> None:
    said = bptrain(*words.split(), "--nothing-like-it").err
    assert f"Try 'bptrain {words} --help'." in said

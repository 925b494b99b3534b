"""Completion: what is offered, that a Tab loads nothing, that the words are kept and fresh, and a real bash."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bptrain.caches import VARIABLE, cache_directory
from bptrain.cli import completing, completion_words
from bptrain.cli.completing import candidates, key_of_sources, known_words, split
from command import bptrain
from house import loaded_by_entry


def words(line: str) -> list[str]:
    *before, current = split(line)
    return [word for word, _ in candidates(before[1:], current)]


@pytest.fixture(autouse=True, scope="module")
def cache_of_these_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache that nobody has filled, for the processes that are started too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """The words, each time that they are made; the cache is empty."""
    count: list[dict[str, Any]] = []
    fresh = {"commands": {}, "keys": {"é": ["1"]}, "kinds": []}

    def make_words() -> dict[str, Any]:
        count.append(fresh)
        return fresh

    monkeypatch.setattr(completion_words, "make_words", make_words)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return count


def test_the_first_tab_keeps_the_words(made: list[dict[str, Any]]) -> None:
    assert known_words() == known_words() == made[0]
    assert len(made) == 1
    (file,) = cache_directory("words").iterdir()  # and nothing unfinished
    assert file.parent.stat().st_mode & 0o077 == 0


def test_a_change_of_the_sources_makes_the_words_anew(
    made: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    (package / "room").mkdir(parents=True)
    source = package / "room" / "file.py"
    source.write_text("a")
    monkeypatch.setattr("bptrain.__file__", str(package / "__init__.py"))
    keys = {key_of_sources()}
    known_words()
    os.utime(source, (1, 1))  # what an editor and an installation change
    keys.add(key_of_sources())
    known_words()
    (package / "room" / "other.py").touch()
    keys.add(key_of_sources())
    (package / "room" / "other.pyc").touch()  # which Python makes by itself
    keys.add(key_of_sources())
    assert len(keys) == 3
    assert len(made) == 2


def test_a_cache_that_cannot_be_used(made: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in place of the directory")
    assert known_words() == known_words() == made[0]
    assert len(made) == 2


def test_damaged_words_are_made_anew(made: list[dict[str, Any]]) -> None:
    known_words()
    (file,) = cache_directory("words").iterdir()
    file.write_text(file.read_text()[:10])
    assert known_words() == made[0]
    assert json.loads(file.read_text()) == made[0]


def test_old_words_go(made: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(completing.KEPT + 3):
        monkeypatch.setattr("bptrain.__version__", f"0.{k}")
        known_words()
    assert len(list(cache_directory("words").iterdir())) == completing.KEPT


def test_the_words_are_few() -> None:
    known_words()
    (file,) = cache_directory("words").iterdir()
    assert file.stat().st_size < 32_000


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("bptrain f", ["fit"]),
        ("bptrain check", ["check-backward"]),
        ("bptrain config ", ["show", "--help"]),
        ("bptrain data ca", ["cache"]),
        ("bptrain data cache ", ["list", "clear", "--help"]),
        ("bptrain data cache clear --dr", ["--dry-run"]),
        ("bptrain fit --dr", ["--dry-run"]),
        ("bptrain fit my.yaml --set training.mo", ["training.mode="]),
        (
            "bptrain fit my.yaml --set training.mode=",
            [f"training.mode={m}" for m in ("sgd", "minibatch", "batch")],
        ),
        ("bptrain fit my.yaml --set=optimizer=adamw", ["--set=optimizer=adamw"]),
        ("bptrain fit my.yaml --set optimizer.name=nest", ["optimizer.name=nesterov"]),
        ("bptrain fit my.yaml --set seed=1 --set network.dty", ["network.dtype="]),
        ("bptrain config show my.yaml --set loss=quant", ["loss=quantile"]),
        ("bptrain gradcheck --kinks s", ["skip"]),
        ("bptrain list act", ["activations"]),
        ("bptrain completion z", ["zsh"]),
        ("bptrain fit ", []),  # a file: the shell's own care
        ("bptrain fit my.yaml ", []),
        ("bptrain nonsense ", ["--help"]),
        ("bptrain fit 'my dir/a.yaml' --see", ["--seeds"]),
        ("bptrain fit 'my dir/a.yaml", []),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert words(line) == offered


def test_runs_are_offered(workplace: Path) -> None:
    for name in ("iris/001", "iris/002", "deep/er/003"):
        (workplace / "runs" / name).mkdir(parents=True)
        (workplace / "runs" / name / "run.json").write_text("{}")
    (workplace / "runs" / "iris" / "004").mkdir()  # no run
    assert words("bptrain eval ") == ["runs/iris/002", "runs/iris/001", "runs/deep/er/003"]
    assert words("bptrain predict runs/d") == ["runs/deep/er/003"]
    assert words("bptrain fit a.yaml --resume runs/i") == ["runs/iris/002", "runs/iris/001"]
    assert words("bptrain fit a.yaml --resume a") == ["auto"]


def test_every_key_that_is_offered_is_a_key(iris: Path) -> None:
    """A key of the schema may be refused for its value, but never as unknown."""
    known = known_words()["keys"]
    of_schema = [
        key for key in known if key.split(".")[0] in ("data", "training", "checkpoint", "seed", "task")
    ]
    assert len(of_schema) > 40
    arguments = [word for key in of_schema for word in ("--set", f"{key}=null")]
    errors = bptrain("fit", iris, *arguments, "--json").json["errors"]
    assert not [error for error in errors if error["code"] == "unknown_key"]


def test_a_tab_loads_nothing() -> None:
    heavy = {"numpy", "rich", "pydantic", "yaml", "typer", "typer.main", "safetensors", "platformdirs"}
    line = ("zsh", "bptrain", "fit", "--set", "optimizer=")
    loaded_by_entry(*line)  # the first makes the words
    assert not loaded_by_entry(*line) & heavy


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_understood_by_their_shells(shell: str, workplace: Path) -> None:
    shown = bptrain("completion", shell)
    assert shown.code == 0
    assert "_BPTRAIN_COMPLETE" in shown.out
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not here")
    (workplace / "script").write_text(shown.out)
    subprocess.run([found, "-n", "script"], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("bptrain ev", ["eval"]),
        ("bptrain fit a.yaml --set training.ep", ["training.epochs="]),
        ("bptrain fit a.yaml --set loss=hub", ["huber"]),  # bash has cut the word at its =
        ("bptrain eval runs/", [r"runs/a\ b/001"]),
    ],
)
def test_in_bash(line: str, reply: list[str], workplace: Path) -> None:
    (workplace / "runs/a b/001").mkdir(parents=True)
    (workplace / "runs/a b/001/run.json").write_text("{}")
    (workplace / "bptrain").write_text(f'#!/bin/sh\nexec {sys.executable} -m bptrain "$@"\n')
    (workplace / "bptrain").chmod(0o755)
    script = f"""
        {bptrain("completion", "bash").out}
        COMP_LINE={line!r} COMP_POINT={len(line)}
        _bptrain_completion ./bptrain
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines() == reply

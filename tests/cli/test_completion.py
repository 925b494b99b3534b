"""Completion: what is offered, that a Tab loads nothing, that the words are fresh, and a real bash."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import completion_words
from bptrain.cli.completing import WORDS, candidates, split
from command import bptrain
from house import loaded_by_entry


def words(line: str) -> list[str]:
    *before, current = split(line)
    return [word for word, _ in candidates(before[1:], current)]


def test_the_words_are_fresh() -> None:
    fresh = completion_words.text()
    assert WORDS.read_text(encoding="utf-8") == fresh, "run `python dev/generate.py`"
    assert len(fresh) < 64_000


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("bptrain f", ["fit"]),
        ("bptrain check", ["check-backward"]),
        ("bptrain config ", ["show", "--help"]),
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
    assert words("bptrain fit a.yaml --resume runs/i") == ["runs/iris/002", "runs/iris/001"]
    assert words("bptrain fit a.yaml --resume a") == ["auto"]


def test_every_key_that_is_offered_is_a_key(iris: Path) -> None:
    """A key of the schema may be refused for its value, but never as unknown."""
    known = json.loads(WORDS.read_text())["keys"]
    of_schema = [
        key for key in known if key.split(".")[0] in ("data", "training", "checkpoint", "seed", "task")
    ]
    assert len(of_schema) > 40
    arguments = [word for key in of_schema for word in ("--set", f"{key}=null")]
    errors = bptrain("fit", iris, *arguments, "--json").json["errors"]
    assert not [error for error in errors if error["code"] == "unknown_key"]


def test_a_tab_loads_nothing() -> None:
    heavy = {"numpy", "rich", "pydantic", "yaml", "typer", "typer.main", "safetensors"}
    assert not loaded_by_entry("zsh", "bptrain", "fit", "--set", "optimizer=") & heavy


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

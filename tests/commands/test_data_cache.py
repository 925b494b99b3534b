"""`bptrain data cache list` and `clear`, and a fit that uses what they show."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from bptrain.build import converted_data
from bptrain.data.converted.changes import new_entry
from command import Outcome, bptrain

CONFIG = """\
data: {train: big.csv, target: y, memory: 1MB, cache: kept}
network: {sizes: [auto, auto]}
loss: cross_entropy
training: {epochs: 1, engine: numpy}
"""
HERE = ("--cache", "kept")


@pytest.fixture
def data(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config whose data does not fit into its bound."""
    monkeypatch.setattr("bptrain.build.data.fits", lambda settings, bound: False)
    monkeypatch.setattr(converted_data, "bytes_in_memory", lambda prepared, config: 2 * 10**9)
    Path("big.csv").write_text(
        "\n".join(["a,b,y", *(f"{row},{row % 7},{'xyz'[row % 3]}" for row in range(60))])
    )
    Path("c.yaml").write_text(CONFIG)
    return workplace


def fit(*options: object) -> Outcome:
    done = bptrain("fit", "c.yaml", *options)
    assert done.code == 0, done.err
    return done


def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bptrain("data", "cache", "list", *HERE, "--json").json["entries"]
    return found


def clear(*options: object) -> Outcome:
    return bptrain("data", "cache", "clear", *options, *HERE)


def test_a_fit_says_what_it_converts_and_what_it_uses(data: Path) -> None:
    first = fit()
    assert "data: converted, since it may take more than data.memory (1MB), to 0.0 MB in " in first.err
    kept = data / "kept"
    assert first.err.startswith(
        f"reading {data / 'big.csv'} through files in {kept}, since it may take more than data.memory\n"
    )
    assert re.search(r"data: 0\.0 MB of converted data in .*kept.[0-9a-f]{32}\n", fit().err)


def test_what_is_listed(data: Path) -> None:
    nothing = bptrain("data", "cache", "list", *HERE)
    assert (nothing.code, nothing.out) == (0, f"{data / 'kept'}: nothing is kept\n")
    fit()
    fit("--set", "seed=1")
    found = bptrain("data", "cache", "list", *HERE)
    head, *rows, total = found.out.splitlines()
    assert head.split() == ["entry", "data", "rows", "size", "used"]
    assert [row.split()[1:3] for row in rows] == [[str(data / "big.csv"), "60"]] * 2
    assert total.startswith(f"{data / 'kept'}: 2 entries, ")
    first, _ = entries()
    assert first["rows"] == {"train": 42, "validation": 9, "test": 9}
    assert (first["state"], first["reason"], first["path"]) == ("ok", None, str(data / "kept" / first["key"]))
    (Path("kept") / first["key"] / "train.X").unlink()
    shown = bptrain("data", "cache", "list", *HERE)
    assert f"{first['key'][:8]} is not used: " in shown.err


@pytest.mark.parametrize("by", ["key", "file", "path", "roundabout path", "path by a link", "all", "unused"])
def test_what_is_deleted(by: str, data: Path) -> None:
    fit()
    Path("here").symlink_to(data)
    key = entries()[0]["key"]
    words = {
        "key": [key[:8]],
        "file": ["big.csv"],
        "path": [data / "big.csv"],
        "roundabout path": [Path("..") / data.name / "big.csv"],
        "path by a link": [Path("here", "big.csv")],
        "all": ["--all"],
        "unused": ["--unused", 3],
    }
    if by == "unused":
        assert clear(*words[by]).out.endswith("0 entries deleted, 0 bytes\n")
        old = time.time() - 4 * 86_400
        os.utime(Path("kept", key), (old, old))
    would = clear(*words[by], "--dry-run")
    assert would.out.startswith(f"would delete {key[:8]}  {data / 'big.csv'}  ")
    assert "1 entry would be deleted" in would.out
    assert len(entries()) == 1
    record = clear(*words[by], "--json").json
    assert [entry["key"] for entry in record["deleted"]] == [key]
    assert record["bytes"] > 0
    assert entries() == []
    assert "data: converted, since" in fit().err


@pytest.mark.parametrize(
    "words", [(), ("--all", "big.csv"), ("--all", "--unused", "3"), ("abc",), ("ffffffff",), ("other.csv",)]
)
def test_what_is_refused(words: tuple[str, ...], data: Path) -> None:
    fit()
    assert clear(*words).code == 2
    assert len(entries()) == 1


def test_what_stays(data: Path) -> None:
    fit()
    key = entries()[0]["key"]
    foreign = Path("kept", key, "thesis.tex")
    foreign.write_text("mine")
    Path("kept", "thesis").mkdir()
    with new_entry(Path("kept")):
        kept = clear("--all")
    assert kept.code == 0
    assert f"kept {key[:8]}: {Path('kept').absolute() / key / 'thesis.tex'} is not bptrain's" in kept.err
    assert "it is being written" in kept.err
    assert foreign.exists()
    assert Path("kept", "thesis").exists()


def test_the_users_directory(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPTRAIN_CACHE_DIR", str(data / "users"))
    fit("--set", "data.cache=null")
    shown = bptrain("data", "cache", "list", "--json").json
    assert shown["cache"] == str(data / "users" / "data")
    assert len(shown["entries"]) == 1
    assert bptrain("data", "cache", "clear", "--all").code == 0
    assert bptrain("data", "cache", "list", "--json").json["entries"] == []


def test_a_cache_that_is_no_directory(data: Path) -> None:
    assert bptrain("data", "cache", "list", "--cache", "big.csv").code == 6
    Path("kept").write_text("mine")
    refused = bptrain("fit", "c.yaml")
    assert (refused.code, "data.cache names another directory" in refused.err) == (6, True)
    assert not Path("runs").exists()


def test_a_run_goes_on_with_another_bound(data: Path) -> None:
    fit("--out", "run")
    for options in (["--set", "data.memory=2GB"], ["--set", "data.memory=none", "--set", "data.cache=null"]):
        fit("--resume", "run", "--set", "training.epochs=3", *options)
    fit(
        "--out",
        "whole",
        "--set",
        "training.epochs=3",
        "--set",
        "data.memory=none",
        "--set",
        "data.cache=null",
    )
    one, other = (Path(name, "metrics.jsonl").read_text().splitlines() for name in ("run", "whole"))
    assert [re.sub(r'"\w*seconds\w*": [0-9.e-]+', "", line) for line in one] == [
        re.sub(r'"\w*seconds\w*": [0-9.e-]+', "", line) for line in other
    ]


def test_every_command_takes_it(data: Path) -> None:
    fit("--out", "run")
    for words in (
        ["eval", "run"],
        ["gradcheck", "run"],
        ["gradcheck", "c.yaml"],
        ["validate", "c.yaml"],
        ["explain", "c.yaml"],
    ):
        done = bptrain(*words)
        assert done.code == 0, done.err
    assert bptrain("predict", "run", "--split", "test").code == 0
    assert len(entries()) == 1
    done = bptrain("fit", "c.yaml", "--folds", "2", "--jobs", "1", "--out", "folds")
    assert done.code == 0
    assert len(entries()) == 3
    plain = ("--set", "data.memory=none", "--set", "data.cache=null")
    assert bptrain("fit", "c.yaml", "--folds", "2", "--jobs", "1", "--out", "plain", *plain).code == 0
    assert Path("folds/out_of_fold.csv").read_bytes() == Path("plain/out_of_fold.csv").read_bytes()

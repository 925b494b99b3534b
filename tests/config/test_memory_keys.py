"""The keys `data.memory` and `data.cache`: what they take, what they mean, and that no run depends on them."""

from pathlib import Path
from typing import Any

import pytest

from bptrain.config import from_plain, to_plain
from bptrain.store.run_settings import portable, setting_differences
from config.helpers import GOOD, load, problems


def config(more: str) -> str:
    return GOOD.replace("  target: species\n", f"  target: species\n{more}")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("200MB", 200_000_000),
        ("1.5GB", 1_500_000_000),
        ("0.25 TB", 250_000_000_000),
        ("512MiB", 512 * 2**20),
        ("2gib", 2 * 2**30),
        ("300000000", 300_000_000),
        ("3e8", 300_000_000),
        ("none", None),
        ("null", None),
    ],
)
def test_sizes(tmp_path: Path, written: str, size: int | None) -> None:
    loaded = load(tmp_path, config(f"  memory: {written}\n"))
    assert loaded.config.data.memory_bound == size
    assert from_plain(to_plain(loaded.config), "run") == loaded.config


@pytest.mark.parametrize(
    "written", ["200", "-1", "true", "0.5", "2G", "200 kB", "0.5MB", "lots", "[1]", "'1e9MB'"]
)
def test_what_is_no_size(tmp_path: Path, written: str) -> None:
    (problem,) = problems(tmp_path, config(f"  memory: {written}\n"))
    assert problem.path == "data.memory"
    assert "a size such as 200MB or 1.5GB" in problem.message


def test_a_cache_needs_a_bound(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, config("  cache: there\n"))
    assert (problem.path, problem.code) == ("data.cache", "contradiction")
    assert not problems(tmp_path, config("  cache: there\n  memory: 1GB\n"))


@pytest.mark.parametrize(("written", "sign"), [("~/kept", "~"), ("/scratch/$USER/kept", "$USER")])
def test_no_directory_is_named_by_what_a_shell_replaces(tmp_path: Path, written: str, sign: str) -> None:
    (problem,) = problems(tmp_path, config(f"  cache: {written}\n  memory: 1GB\n"))
    assert problem.path == "data.cache"
    assert problem.message.startswith(f"{sign} is not replaced here")
    assert not problems(tmp_path, config("  cache: a~b/c$d\n  memory: 1GB\n"))


def test_the_cache_is_seen_from_the_config_and_not_from_the_root_of_the_data(tmp_path: Path) -> None:
    loaded = load(tmp_path, config("  cache: there\n  memory: 1GB\n  root: data\n"))
    assert loaded.absolute().data.cache == str(tmp_path.resolve() / "there")
    assert loaded.absolute().data.root == str(tmp_path.resolve() / "data")


@pytest.mark.parametrize("more", ["  memory: 200MB\n", "  memory: 200MB\n  cache: there\n"])
def test_they_are_no_settings_of_a_run(tmp_path: Path, more: str) -> None:
    with_it, without = (portable(_resolved(tmp_path, text)) for text in (config(more), GOOD))
    assert setting_differences(with_it, without) == []
    assert "there" not in str(with_it)  # a checkpoint holds no path


def _resolved(tmp_path: Path, text: str) -> dict[str, Any]:
    return to_plain(load(tmp_path, text).absolute())


@pytest.mark.parametrize(("name", "key"), [("max_memory", "memory"), ("cache_dir", "cache")])
def test_names_of_other_tools(tmp_path: Path, name: str, key: str) -> None:
    (problem,) = problems(tmp_path, config(f"  {name}: 200MB\n"))
    assert problem.suggestion == key

"""The quick form of dev/check.py: which tests belong to a change."""

import shutil
from pathlib import Path

import pytest

import check
from conftest import ROOT


@pytest.mark.parametrize(
    ("files", "tests"),
    [
        ([], []),
        (["README.md", "docs/plugins.md"], []),
        (["src/bptrain/store/run.py"], ["tests/store"]),
        (
            ["src/bptrain/store/run.py", "tests/store/test_gone.py", "tests/store/test_store.py"],
            ["tests/store"],
        ),
        (["src/bptrain/explain.py"], ["tests/commands/test_explain.py"]),
        (["src/bptrain/commands/explain.py"], ["tests/commands"]),
        (["src/bptrain/gone/x.py"], []),
        (["src/bptrain/model/load.py"], ["tests/test_configs.py"]),
        (["src/bptrain/caches.py"], ["tests/dev/test_release.py"]),
        (["tests/store/test_store.py"], ["tests/store/test_store.py"]),
        (["tests/store/test_gone.py"], []),
        (["tests/store/files.py"], ["tests/store"]),
        (["configs/iris.yaml", "data/iris.csv"], ["tests/test_configs.py"]),
        (["dev/release.py"], ["tests/dev"]),
    ],
)
def test_the_tests_of_a_change(files: list[str], tests: list[str], tmp_path: Path) -> None:
    for name in ("store/test_store.py", "commands/test_explain.py", "dev/test_release.py", "test_configs.py"):
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).write_text("")
    (tmp_path / "tests" / "test_configs.py").write_text("from bptrain.model import load\n")
    (tmp_path / "tests" / "dev" / "test_release.py").write_text(
        "import os\n\nfrom bptrain import api, caches\n"
    )
    assert check.tests_of(files, tmp_path) == sorted([*tests, check.ALWAYS])


def test_a_room_that_exists_has_tests() -> None:
    """With the names of today: a room that moves takes its tests with it."""
    found = check.tests_of(["src/bptrain/store/run.py", "src/bptrain/core/backprop.py"], ROOT)
    assert found == ["tests/core", "tests/store", "tests/test_house.py"]
    assert all((ROOT / test).exists() for test in found)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a branch: what was committed since main, what was not, and new files; on main: since the last commit."""
    monkeypatch.setattr(check, "ROOT", tmp_path)
    for name in ("NAME", "EMAIL"):
        for who in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{who}_{name}", "me@here.org")

    def commit(name: str) -> None:
        (tmp_path / name).write_text("text\n")
        check.git("add", name)
        check.git("commit", "-q", "-m", name)

    check.git("init", "-q", "-b", "main")
    commit("old.py")
    assert check.changed() == []
    (tmp_path / "old.py").write_text("other\n")
    assert check.changed() == ["old.py"]
    check.git("checkout", "-q", "-b", "work")
    commit("committed.py")
    (tmp_path / "new.py").write_text("")
    assert check.changed() == ["committed.py", "old.py", "new.py"]

"""Where caches lie."""

import sys
from pathlib import Path

import platformdirs
import pytest

from bptrain.caches import VARIABLE, cache_directory
from bptrain.engines.compiled.cache import kernels_directory


def test_a_variable_moves_all_of_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert cache_directory() == tmp_path / "mine"
    assert cache_directory("words") == tmp_path / "mine" / "words"
    with kernels_directory() as kernels:
        assert kernels == tmp_path / "mine" / "kernels"
        assert kernels.is_dir()
    monkeypatch.setenv(VARIABLE, "mine")
    monkeypatch.chdir(tmp_path)
    assert cache_directory() == tmp_path / "mine"


@pytest.mark.parametrize("platform", ["linux", "elsewhere"])
@pytest.mark.parametrize("home", [None, "", "/somewhere/caches"])
def test_else_they_lie_where_the_system_keeps_caches(
    platform: str, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    if home is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", home)
    if sys.platform == "linux":
        monkeypatch.setattr("bptrain.caches.sys.platform", platform)
    assert cache_directory("words") == platformdirs.user_cache_path("bptrain") / "words"

"""Fixtures that every room's tests may use."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from bptrain.caches import VARIABLE
from bptrain.engines.compiled import cache as kernels

# How long an example takes depends on what else runs on the machine.
hypothesis.settings.register_profile("bptrain", deadline=None)
hypothesis.settings.load_profile("bptrain")

ROOT = Path(__file__).parent.parent
COMPILED = ROOT / ".pytest_cache" / "compiled"

IRIS = f"""
data: {{train: {ROOT}/data/iris.csv, target: species}}
network: {{sizes: [4, 6, 3]}}
loss: cross_entropy
training: {{epochs: 6}}
"""


def pytest_sessionstart() -> None:
    """While tests are collected, hardly anything becomes garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Libraries and collected tests stay to the end: searching them for garbage took a tenth of the tests' time.

    Hypothesis 6.120 warns where nothing that is not frozen refers to its random numbers, which its first example makes
    where CI is set in the environment.
    """
    hypothesis_begins()
    gc.freeze()
    gc.enable()


@hypothesis.given(hypothesis.strategies.none())
def hypothesis_begins(_nothing: None) -> None:
    """A first example."""


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """What is written outlives its process without fsync: only a power cut would show the difference.

    That files are synced, and in which order, is asserted in tests/store. A handle must be an open one here, too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture(autouse=True, scope="session")
def what_is_compiled_is_shared() -> Iterator[None]:
    """All tests share kernels and bytecode, and so do later runs of them; the user's own cache is left alone.

    More kernels are kept than a user needs: each is compiled once, however many are used between two tests of it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(COMPILED))
        patch.delenv(VARIABLE, raising=False)  # which would take its place
        patch.setattr(kernels, "KEPT", 1000)
        patch.setenv("PYTHONPYCACHEPREFIX", str(COMPILED / "bytecode"))  # of processes that the tests start
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def iris(workplace: Path) -> Path:
    """A small config on real data, in an empty current directory."""
    file = workplace / "iris.yaml"
    file.write_text(IRIS)
    return file


@pytest.fixture
def line(workplace: Path) -> Path:
    """A config that fits the line y = 1000 + 500 x, whose units are far from 1."""
    rows = "\n".join(f"{k},{1000 + 500 * k}" for k in range(40))
    (workplace / "line.csv").write_text(f"x,y\n{rows}\n")
    file = workplace / "line.yaml"
    file.write_text(
        "data: {train: line.csv, target: y}\nnetwork: {sizes: [1, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 300, mode: batch}\n"
    )
    return file

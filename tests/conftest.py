"""Fixtures that every room's tests may use."""

from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

IRIS = f"""
data: {{train: {ROOT}/data/iris.csv, target: species}}
network: {{sizes: [4, 6, 3]}}
loss: cross_entropy
training: {{epochs: 6}}
"""


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
def write(workplace: Path) -> Callable[[str, str], Path]:
    """Writes a file into the empty current directory."""

    def write_file(name: str, text: str) -> Path:
        file = workplace / name
        file.write_text(text)
        return file

    return write_file

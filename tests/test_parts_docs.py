"""docs/parts holds what the registries say, and its generator notices when it does not."""

import importlib.util
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import ModuleType

import pytest

from bptrain.parts.activations import Activation, activations
from bptrain.parts.describe import KINDS
from conftest import ROOT


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """dev/parts_docs.py as a module."""
    spec = importlib.util.spec_from_file_location("parts_docs", ROOT / "dev" / "parts_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "parts_docs", module)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_fresh(maker: ModuleType) -> None:
    assert maker.stale() == [], "run `python dev/generate.py`"


def test_what_is_stale_is_told_and_mended(
    maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "docs" / "parts", tmp_path / "parts")
    monkeypatch.setattr(maker, "PLACE", tmp_path / "parts")
    (tmp_path / "parts" / "losses.md").write_text("old\n")
    (tmp_path / "parts" / "scalers.md").unlink()
    (tmp_path / "parts" / "activations" / "gone.svg").write_text("<svg/>\n")
    assert maker.main(["--check"]) == 1
    assert capsys.readouterr().out.split() == ["activations/gone.svg", "losses.md", "scalers.md"]
    assert maker.main([]) == 0
    assert maker.main(["--check"]) == 0


def test_a_new_part_makes_them_stale(maker: ModuleType) -> None:
    @activations.add("cube")
    def cube() -> Activation:
        """z³."""
        return Activation(lambda z: z * z * z, lambda z, x: 3.0 * z * z)

    try:
        assert maker.stale() == ["README.md", "activations.md", "activations/cube.svg"]
    finally:
        activations.remove("cube")


def test_every_part_has_a_section_and_every_activation_a_plot(maker: ModuleType) -> None:
    made = maker.documents()
    for kind, registry in KINDS.items():
        for name in registry:
            assert f"\n## {name}\n" in made[f"{kind}.md"]
    for name in activations:
        if activations.get(name)().df is not None:
            assert f"(activations/{name}.svg)" in made["activations.md"]
            ElementTree.fromstring(made[f"activations/{name}.svg"])


def test_a_plot_shows_the_function_and_its_derivative(maker: ModuleType) -> None:
    """relu: f runs through (0, 0) and (3, 3); f' jumps at the kink, so it is drawn in two pieces."""
    drawing = maker.documents()["activations/relu.svg"]
    curves = [line for line in drawing.splitlines() if line.startswith("<polyline")]
    f = [line for line in curves if 'class="f"' in line and "," in line][:-1]  # without the key's
    df = [line for line in curves if 'class="d"' in line][:-1]
    assert len(f) == len(df) == 2
    assert f"{maker.across(0):.1f},{maker.down(0):.1f}" in f[0]
    assert f"{maker.across(3):.1f},{maker.down(3):.1f}" in f[1]
    assert f"{maker.across(0):.1f},{maker.down(0):.1f}" in df[0]
    assert f"{maker.across(0):.1f},{maker.down(1):.1f}" in df[1]


def test_marks_of_markdown_are_escaped(maker: ModuleType) -> None:
    assert maker.escaped("w*x_1 < 2 `a_b`") == "w\\*x\\_1 \\< 2 `a_b`"

"""docs/compiled_engine.md shows what bptrain writes: every piece of code on it stands in a source or in a loop."""

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from bptrain.parts.activations import activations
from bptrain.parts.optimizers import optimizers
from command import bptrain
from conftest import ROOT

PAGE = (ROOT / "docs" / "compiled_engine.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(CONFIG,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
ROWS = "a,b,c,d,y\n" + "".join(
    f"{i % 3},{i % 5},{i % 7},{i % 4},{'yes' if i % 2 else 'no'}\n" for i in range(40)
)


@pytest.fixture
def texts(workplace: Path) -> list[str]:
    """The sources and the loops that the page follows, every line without its indentation."""
    Path("rows.csv").write_text(ROWS)
    Path("page.yaml").write_text(CONFIG)
    loops = [
        bptrain("explain", "--kernel", "page.yaml", "--set", f"optimizer={name}").out
        for name in ("adam", "gradient_descent")
    ]
    sources: list[Any] = [activations.get("relu")().f, optimizers.get("adam")().step]
    return [flush(text) for text in (*loops, *(inspect.getsource(source) for source in sources))]


def flush(text: str) -> str:
    """The lines, one under the other: a piece may be cut out of a loop."""
    lines = textwrap.dedent(text).splitlines()
    return "\n".join(["", *(line.strip() for line in lines), ""])


def test_the_page_has_the_pieces() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS)
def test_every_piece_is_what_is_written(texts: list[str], block: str) -> None:
    assert any(flush(block) in text for text in texts)


def test_every_layer_has_its_lines(texts: list[str]) -> None:
    loop = texts[0]
    for layer in (1, 2, 3):
        assert f"# z_{layer} = W_{layer} x_{layer - 1} + b_{layer}, x_{layer} = f_{layer}(z_{layer})" in loop
        assert f"# ∂E/∂W_{layer} = δ_{layer} x_{layer - 1}ᵀ" in loop
        assert f"# W_{layer} ← W_{layer} − step(∂E/∂W_{layer})" in loop
    assert "# δ_2 = (W_3ᵀ δ_3) ∘ f_2'(z_2)" in loop


def test_a_loop_that_is_unrolled_keeps_the_lines() -> None:
    config = ROOT / "configs" / "xor.yaml"
    loop = bptrain("explain", "--kernel", config, "--set", "training.mode=sgd").out
    assert "for j in range" not in loop[loop.index("for a in range(len(X))") :]
    assert "        # α of this update: the learning rate times the schedule's factor\n" in loop
    assert "        # δ_1 = (W_2ᵀ δ_2) ∘ f_1'(z_1)\n" in loop

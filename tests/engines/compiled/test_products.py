"""The products of compiled loops against NumPy's, small and large, with oneDNN and without."""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.parts.types import Array
from engines.installed import needs_compiler

pytestmark = needs_compiler

SIZES = [
    (1, 1, 1),
    (3, 5, 7),
    (40, 30, 50),
    (65, 70, 64),
    (200, 96, 130),
]  # n, outer, inner; both sides of 2¹⁸


def compiled(name: str, *arguments: Any) -> None:
    """Calls one of the products from compiled code."""
    from numba import njit

    from bptrain.engines.compiled.runtime import products

    product = getattr(products, name)
    njit(lambda *given: product(*given))(*arguments)


def near(ours: Array, expected: Array, dtype: type) -> None:
    scale = np.abs(expected).max()
    np.testing.assert_allclose(ours, expected, rtol=0, atol=(3e-6 if dtype is np.float32 else 1e-14) * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_are_numpys(dtype: type) -> None:
    rng = np.random.default_rng(0)
    for n, outer, inner in SIZES:

        def matrix(rows: int, columns: int) -> Array:
            drawn: Array = rng.normal(size=(rows, columns)).astype(dtype)
            return drawn

        spare = 2  # rows beyond n, which stay as they are
        X, W, D = matrix(n + spare, inner), matrix(outer, inner), matrix(n + spare, outer)
        for beta in (0.0, 1.0):
            Z = matrix(n + spare, outer)
            before = Z.copy()
            compiled("times_transposed", X, W, n, dtype(beta), Z)
            near(Z[:n], X[:n].astype(np.float64) @ W.T + beta * before[:n], dtype)
            np.testing.assert_array_equal(Z[n:], before[n:])
        below = matrix(n + spare, inner)
        kept = below.copy()
        compiled("times", D, W, n, below)
        near(below[:n], D[:n].astype(np.float64) @ W, dtype)
        np.testing.assert_array_equal(below[n:], kept[n:])
        updated = W.copy()
        compiled("transposed_times", D, X, n, dtype(-0.5), dtype(0.75), updated)
        near(updated, -0.5 * D[:n].T.astype(np.float64) @ X[:n] + 0.75 * W, dtype)


TRAINING = """
import sys
import numpy as np
from bptrain.engines.compiled import onednn
if sys.argv[1] == "without":
    onednn.onednn = lambda: None
from bptrain.engines.compiled.running import NumbaEngine
from bptrain.engines.numpy_engine import NumpyEngine
from engines.installed import plan_of, start
from bptrain.engines.base import initial_optimizer_state
from networks import data_for, network
net = network((64, 96, 10), ["tanh", "softmax"], "cross_entropy")
plan = plan_of(net, rows=256, batch=128)
X, T = data_for(net, 256, 0, np.float32)
ends = []
for make in (NumpyEngine, lambda plan: NumbaEngine(plan, np.float32)):
    state = initial_optimizer_state(0.1 * start(net, np.float32), plan.optimizer)
    make(plan).run_slice(state, X, T)
    ends.append(state.w)
moved = np.abs(ends[0] - 0.1 * start(net, np.float32)).max()
assert 0 < np.abs(ends[0] - ends[1]).max() < 1e-4 * moved, (np.abs(ends[0] - ends[1]).max(), moved)
print(onednn.version())
"""


@pytest.mark.parametrize("way", ["with", "without"])
@pytest.mark.slow
def test_training_with_and_without_onednn(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own, since the library is looked for once; neither reads what the other has compiled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = f"import sys\nsys.path[:0] = {sys.path!r}\n{TRAINING}"
    done = subprocess.run([sys.executable, "-c", code, way], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    installed = "onednn-cpu-gomp" in {found.metadata["Name"] for found in distributions()}
    if way == "without" or not installed:
        assert done.stdout == "None\n"

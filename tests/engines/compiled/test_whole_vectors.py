"""Layers whose rows end with a whole vector: bias and activation share a pass, and so do f' and the column sums."""

from dataclasses import replace

import numpy as np
import pytest

from bptrain.core.network import BatchContext
from bptrain.engines.compiled import batches
from bptrain.engines.compiled.kernel import Name, kernel_source
from bptrain.engines.compiled.kernel_plan import KernelPlan
from bptrain.engines.numpy_engine import NumpyEngine
from engines.installed import ENGINES, needs_compiler, plan_of, start, used_state
from networks import data_for, network

WIDE = batches.VECTOR
NET = network((5, 2 * WIDE, WIDE, WIDE, WIDE, 3), ["tanh", "elu", "identity", "softmax", "sigmoid"])


@needs_compiler
@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.slow
def test_updates(dropout: bool) -> None:
    net = replace(NET, dropout=(0.0, 0.5, 0.5, 0.5, 0.5)) if dropout else NET
    rng = np.random.default_rng(0)
    masks = {i: rng.choice([0.0, 2.0], (10, net.sizes[i])) for i in net.masked}
    assert bool(masks) == dropout
    plan = plan_of(net, "momentum", rows=10, batch=4)
    X, T = data_for(net, 10, 0)
    ends = []
    for engine in (ENGINES["numba"](plan, np.float64), NumpyEngine(plan)):
        state = used_state(plan, np.float64).copy()
        loss = engine.run_slice(state, X, T, BatchContext(None, masks))
        ends.append((state.w, state.slots[0], loss))
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)
    assert not np.allclose(ends[0][0], used_state(plan, np.float64).w)


@needs_compiler
@pytest.mark.slow
def test_a_gradient_of_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 1)
    plan, w = plan_of(NET, "adam", rows=11, batch=11), start(NET, np.float64)
    X, T = data_for(NET, 11, 0)
    engines = (ENGINES["numba"](plan, np.float64), NumpyEngine(plan))
    one, other = (engine.gradient(w, X, T) for engine in engines)
    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-15)
    one, other = (engine.outputs(w, X).Z_L for engine in engines)
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_which_layers_they_are() -> None:
    text = kernel_source(KernelPlan(NET, "float64", single=False), "gradient")
    assert text.count("x1[r, j] + b1[j]") == text.count("z2[r, j] += b2[j]") == 1
    assert "z5[r, j] = b5[j]" in text  # 3 outputs: all rows are one flat row there


@pytest.mark.parametrize("name", ["outputs", "gradient"])
def test_x_takes_the_place_of_z_where_nothing_reads_it(name: Name) -> None:
    """tanh' and leaky_relu' need x alone, elu' needs z; a forward pass needs none but the last."""
    net = network((5, 16, 16, 16, 3), ["tanh", "elu", "leaky_relu", "sigmoid"])
    text = kernel_source(KernelPlan(net, "float64", single=False), name)
    kept = [i for i in range(1, 5) if f"z{i} = " in text]
    assert kept == ([4] if name == "outputs" else [2, 4])

"""What a run holds in memory in addition to its data, weights and slots, and that holding less changes no number."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext
from bptrain.engines import numpy_engine
from bptrain.engines.base import GradientTransform, OptimizerState
from bptrain.engines.compiled import batches
from bptrain.engines.elementwise import is_elementwise
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.types import Array
from engines.installed import ENGINES, needs_compiler, plan_of, start, used_state
from networks import data_for, network

NET = network((5, 7, 3), ["tanh", "sigmoid"])


def after_updates(engine: Any, plan: Any) -> OptimizerState:
    X, T = data_for(plan.network, plan.rows, 0)
    state = used_state(plan, np.float64).copy()
    V = np.random.default_rng(1).uniform(0.5, 2.0, plan.rows) if plan.weighted else None
    engine.run_slice(state, X, T, BatchContext(V, masks(plan.network, 7, 1, slice(0, plan.rows), np.float64)))
    return state


@pytest.mark.parametrize("name", sorted(optimizers))
def test_numpy_updates_in_pieces_as_a_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(NET, name, rows=8)
    whole = after_updates(NumpyEngine(plan), plan)
    monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 10)
    in_pieces = NumpyEngine(plan)
    assert in_pieces._in_pieces
    found = after_updates(in_pieces, plan)
    for one, other in zip((found.w, *found.slots), (whole.w, *whole.slots), strict=True):
        assert np.array_equal(one, other)


def test_a_rate_for_each_layer_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(NET, "adam", rows=8)._replace(rate=(0.1, 0.01))
    whole = after_updates(NumpyEngine(plan), plan)
    monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 10)
    assert np.array_equal(after_updates(NumpyEngine(plan), plan).w, whole.w)


DEEPER = network((5, 7, 6, 3), ["tanh", "sigmoid", "tanh"])
OPTIONS: dict[str, Any] = {
    "plain": lambda plan: plan,
    "penalties": lambda plan: plan._replace(network=replace(plan.network, l1=0.01, l2=0.1)),
    "clip_value": lambda plan: plan._replace(transform=GradientTransform(clip_value=1e-2)),
    "max_norm": lambda plan: plan._replace(transform=GradientTransform(max_norm=0.5)),
    "a rate for each layer": lambda plan: plan._replace(rate=(0.1, 0.02, 0.01)),
    "dropout": lambda plan: plan._replace(network=replace(DEEPER, dropout=(0.0, 0.2, 0.5))),
    "weights of rows": lambda plan: plan._replace(weighted=True),
    "no bias": lambda plan: plan._replace(network=replace(plan.network, bias=(False, True, False, True))),
}
WHOLE: dict[str, Any] = {
    "clip_norm": lambda plan: plan._replace(transform=GradientTransform(clip_norm=1e-2)),
    "accumulate": lambda plan: plan._replace(accumulate=2),
}


@pytest.mark.parametrize("option", [*OPTIONS, *WHOLE])
@pytest.mark.parametrize("name", sorted(optimizers))
def test_numpy_updates_layer_by_layer_as_a_whole(
    name: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three batches, the last one shorter; some rows of a dW_i at a time, each updated in smaller pieces."""
    plan = (OPTIONS | WHOLE)[option](plan_of(DEEPER, name, rows=11)._replace(batch_size=4))
    whole = after_updates(NumpyEngine(plan), plan)
    monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 7)
    monkeypatch.setattr(numpy_engine, "PRODUCT_NUMBERS", 15)
    engine = NumpyEngine(plan)
    assert engine._by_layers == (option in OPTIONS)
    found = after_updates(engine, plan)
    assert not np.array_equal(found.w, start(plan.network, np.float64))
    for one, other in zip((found.w, *found.slots), (whole.w, *whole.slots), strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_rule_with_sums_over_the_weights_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(g: Array, slots: Any, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Any]:
        return rate * g / np.sqrt((g * g).sum()), slots

    plan = plan_of(NET, Optimizer(0.1, step), rows=8)
    whole = after_updates(NumpyEngine(plan), plan)
    monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 10)
    assert not is_elementwise(plan)
    assert np.array_equal(after_updates(NumpyEngine(plan), plan).w, whole.w)


@needs_compiler
def test_a_compiled_gradient_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 10 numbers at most: two rows of dW_1, and one of dW_2."""
    plan = plan_of(NET, "adam", rows=8)
    monkeypatch.setattr(batches, "PIECE_NUMBERS", 10)
    found = after_updates(ENGINES["numba"](plan, np.float64), plan)
    by_numpy = after_updates(NumpyEngine(plan), plan)
    assert not np.array_equal(found.w, start(NET, np.float64))
    for one, other in zip((found.w, *found.slots), (by_numpy.w, *by_numpy.slots), strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone counts a peak from an instant on")
@pytest.mark.parametrize("engine", ["numpy", pytest.param("numba", marks=needs_compiler)])
@pytest.mark.slow
def test_peak_memory(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data + weights + slots, 15 % more, and a constant; where weights are what is large."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); from scaling import peak; "
        f"print(*peak({engine!r}, (256, 1500, 1500, 10), 'adam', 700))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code.replace("'benchmarks'", repr(str(root / "benchmarks")))],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    used, held = map(float, done.stdout.split())
    assert held > 29
    assert used < 1.15 * held + 18

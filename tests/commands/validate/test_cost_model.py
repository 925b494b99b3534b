"""What the estimates of time and memory count, one constant at a time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bptrain.commands.validate import cost_model
from bptrain.commands.validate.cost_model import memory, seconds_per_epoch
from bptrain.data.features import Feature
from bptrain.data.prepared import Prepared, Rows
from bptrain.data.schema import Schema
from bptrain.data.targets import Target
from bptrain.engines import numba_engine, numpy_engine
from bptrain.engines.base import TrainingPlan
from bptrain.engines.numba_engine import compile_seconds, seconds_saved
from bptrain.engines.registry import Costs
from bptrain.parts.methods import methods
from engines.installed import plan_of
from networks import network

NET = network((4, 8, 3))  # 67 weights and biases, 11 outputs of layers in a row
SGD = plan_of(NET, rows=100, batch=10, epochs=5)
ADAM = plan_of(NET, "adam", rows=100, batch=10, epochs=5)  # two slots for each weight
SOLVER = SGD._replace(method=methods.get("lbfgs")(), batch_size=100)
ROWS = 100 + 30 / 3  # training rows, and validation rows, which are a third of the work


def prepared(dtype: type, **rows: int) -> Prepared:
    """Of which the sizes are read."""
    splits = {
        name: Rows(np.zeros((n, 4), dtype), np.zeros((n, 3), dtype), np.zeros(n, np.int64), np.arange(n))
        for name, n in rows.items()
    }
    features = tuple(Feature(f"x{k}", "numeric") for k in range(2))
    return Prepared(
        Schema("classification", features, Target(("y",), "classes", ("a", "b", "c"))), splits, {}, (), ()
    )


# (a constant that is 1 while the others are 0, the plan, how often it is counted in float32, and in float64)
COUNTED: list[tuple[str, TrainingPlan, float, float]] = [
    ("epoch", SGD, 1, 1),
    ("call", SGD, 10 * 2, 10 * 2),
    ("call", SOLVER, 2 * 2, 2 * 2),  # one update, with two evaluations
    ("entry", SGD, 11 * ROWS, 11 * ROWS),
    ("entry", SOLVER, 11 * (2 * 100 + 10), 11 * (2 * 100 + 10)),
    ("weight", SGD, 10 * 67, 2 * 10 * 67),
    ("weight", SOLVER, 0, 0),
    ("slot", SGD, 0, 0),
    ("slot", ADAM, 2 * 10 * 67, 2 * 2 * 10 * 67),
    ("operation", SGD, 6 * 67 * ROWS, 2 * 6 * 67 * ROWS),
]


@pytest.mark.parametrize(("constant", "plan", "single", "double"), COUNTED)
def test_what_an_epoch_is_made_of(
    constant: str, plan: TrainingPlan, single: float, double: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {name: float(name == constant) for name in Costs._fields}
    monkeypatch.setattr(numpy_engine, "ENTRY", replace(numpy_engine.ENTRY, costs=Costs(**costs)))
    monkeypatch.setattr(cost_model, "EPOCH", float(constant == "epoch"))
    monkeypatch.setattr(cost_model, "PRODUCTS", 1.0 if constant == "operation" else np.inf)
    for dtype, expected in ((np.float32, single), (np.float64, double)):
        found = seconds_per_epoch(plan, prepared(dtype, train=100, validation=30, test=7), "numpy", dtype)
        assert found == pytest.approx(expected, rel=1e-12)


def test_without_validation_rows_none_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = Costs(0.0, 1.0, 0.0, 0.0)
    monkeypatch.setattr(numpy_engine, "ENTRY", replace(numpy_engine.ENTRY, costs=costs))
    monkeypatch.setattr(cost_model, "EPOCH", 0.0)
    monkeypatch.setattr(cost_model, "PRODUCTS", np.inf)
    assert seconds_per_epoch(SGD, prepared(np.float32, train=100), "numpy", np.float32) == 11 * 100


@pytest.mark.parametrize(("plan", "states"), [(SGD, 2), (ADAM, 2 * 3), (SOLVER, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_in_memory(plan: TrainingPlan, states: int, dtype: Any) -> None:
    """Rows as encoded and as read (two features of 8 bytes), two states, best weights, a gradient, and a batch."""
    size = np.dtype(dtype).itemsize
    rows = 110 * (4 * size + 3 * size + 8) + 110 * 2 * 8
    batch = plan.batch_size * 3 * (4 + 8 + 3) * size
    found = memory(plan, prepared(dtype, train=100, validation=10), dtype)
    assert found == rows + 67 * size * (states + 2) + batch


def test_rows_take_no_more_than_their_bound() -> None:
    data = prepared(np.float32, train=100)
    free, none = memory(SGD, data, np.float32), memory(SGD, data, np.float32, 0)
    assert memory(SGD, data, np.float32, 10**9) == free
    assert memory(SGD, data, np.float32, 1000) == none + 1000 < free


def test_a_large_batch_is_in_memory_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = prepared(np.float32, train=100)
    whole = memory(SOLVER, data, np.float32)
    monkeypatch.setattr(cost_model, "CHUNK_ROWS", 40)
    assert whole - memory(SOLVER, data, np.float32) == 60 * 3 * 15 * 4


@pytest.mark.parametrize(
    ("constant", "plan", "count"),
    [
        ("LAYER_CALLS", SGD, 50 * 2),
        ("LAYER_CALLS", SOLVER, 5 * 2),
        ("OUTPUT_ENTRY", SGD, 50 * 10 * 11),
        ("WEIGHT", SGD, 50 * 67),
        ("WEIGHT", SOLVER, 0),
        ("SLOT", SGD, 0),
        ("SLOT", ADAM, 50 * 2 * 67),
    ],
)
def test_what_compiling_saves(
    constant: str, plan: TrainingPlan, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LAYER_CALLS", "OUTPUT_ENTRY", "WEIGHT", "SLOT"):
        monkeypatch.setattr(numba_engine, name, float(name == constant))
    assert seconds_saved(plan) == pytest.approx(count)


def test_a_layer_more_takes_half_a_second_more_to_compile() -> None:
    deeper = SGD._replace(network=network((4, 8, 8, 3)))
    assert compile_seconds(deeper) - compile_seconds(SGD) == 0.5
    assert compile_seconds(SGD) == numba_engine.COMPILING + 1

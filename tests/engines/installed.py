"""The engines that are installed here, for the tests that hold for each."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engine_names import engine_names
from bptrain.engines.base import Engine, OptimizerState, TrainingPlan
from bptrain.engines.registry import engine_entry
from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array

Make = Callable[[TrainingPlan, DTypeLike], Engine]


def maker(name: str) -> Make:
    """What makes an engine, without its forward pass."""
    return lambda plan, dtype: engine_entry(name).make(plan, dtype, 1, False)


ENGINES = {name: maker(name) for name in engine_names() if engine_entry(name).missing() is None}

EXHAUSTIVE = os.environ.get("TEST_EXHAUSTIVELY") == "1"  # as `dev/check.py --exhaustive` sets it
DTYPES: tuple[type, ...] = (np.float32, np.float64)

needs_compiler = pytest.mark.skipif("numba" not in ENGINES, reason="the extra `fast` is not installed")


def in_dtypes(cases: Sequence[Any], shift: int = 0) -> list[tuple[Any, str, type]]:
    """Each case with each engine and dtype; compiled engines, which take a second or more per case, in one dtype each.

    Both dtypes by turns, from the one that `shift` says on; in the exhaustive check both for every case.
    """
    return [
        (case, engine, dtype)
        for k, case in enumerate(cases)
        for engine in ENGINES
        for dtype in DTYPES
        if engine == "numpy" or EXHAUSTIVE or dtype is DTYPES[(k + shift) % 2]
    ]


def plan_of(
    net: Network,
    optimizer: str | Optimizer = "gradient_descent",
    rows: int = 6,
    batch: int = 4,
    schedule: str = "constant",
    epochs: int = 2,
) -> TrainingPlan:
    """A plan with a registered optimizer and its default rate, or with a rule of the test's own."""
    rule = optimizers.get(optimizer)() if isinstance(optimizer, str) else optimizer
    return TrainingPlan(net, rule, schedules.get(schedule)(), rule.learning_rate, rows, batch, epochs)


def start(net: Network, dtype: type) -> Array:
    """Start weights of ordinary size."""
    w: Array = np.random.default_rng(1).normal(size=net.size).astype(dtype)
    return w


def used_state(plan: TrainingPlan, dtype: type, updates: int = 3) -> OptimizerState:
    """The optimizer state after some updates by the rule alone, so that every slot is as in mid-training."""
    rng = np.random.default_rng(2)
    w = start(plan.network, dtype)
    slots = tuple(
        np.zeros_like(w) if kind == "per_weight" else np.zeros((), dtype)
        for kind in plan.optimizer.slots.values()
    )
    for t in range(1, updates + 1):
        g: Array = rng.normal(size=w.shape).astype(dtype)
        step, slots = plan.optimizer.step(g, slots, w, plan.rates[0], t, 1.0)
        w = w - step
    return OptimizerState(w, tuple(np.asarray(slot) for slot in slots), updates)

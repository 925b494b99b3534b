"""What an engine must agree with beside numbers; each is broken in turn."""

import dataclasses

import numpy as np
import pytest

from bptrain.commands.gradcheck.consistency import consistency, plain_descent
from bptrain.core.dropout import masks
from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.engines.base import OptimizerState, TrainingPlan
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.optimizers import optimizers
from bptrain.parts.schedules import schedules
from bptrain.parts.types import Array
from networks import data_for, network


def task_for(net: Network, rows: int, batch_size: int) -> TrainingPlan:
    constant = schedules.get("constant")()
    return plain_descent(
        TrainingPlan(net, optimizers.get("adam")(), constant, 0.1, rows, batch_size, 3, weighted=True)
    )


def point_for(net: Network) -> GradientPoint:
    X, T = data_for(net, 8, 1)
    V = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 0.25, 1.0, 1.0])
    context = BatchContext(V, masks(net, 0, 1, slice(0, 8), np.float64))
    return GradientPoint(net, np.random.default_rng(2).normal(size=net.size), X, T, context)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batch_size", [3, 8])
def test_the_numpy_engine_agrees_with_itself(reduction: str, batch_size: int) -> None:
    net = network((4, 5, 3), ["relu", "softmax"], "cross_entropy", reduction=reduction)
    net = dataclasses.replace(net, l1=0.1, l2=0.2, dropout=(0.2, 0.4))
    plan = task_for(net, 8, batch_size)
    found = list(consistency(NumpyEngine(plan), plan, point_for(net)))
    assert [one.name for one in found] == ["batch", "order", "bits", "update"]
    assert all(one.passed and one.error < 1e-13 for one in found)


class Drifting(NumpyEngine):
    """Gives other bits at each call."""

    calls = 0

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        self.calls += 1
        return super().gradient(w, X, T, context) * (1 + 1e-15 * self.calls)


class OfTheLastRow(NumpyEngine):
    """Weighs a batch's last row twice."""

    def gradient(self, w: Array, X: Array, T: Array, context: BatchContext = PLAIN) -> Array:
        X, T = np.vstack([X, X[-1:]]), np.vstack([T, T[-1:]])
        V = np.ones(len(X) - 1) if context.sample_weight is None else context.sample_weight
        M = {i: np.vstack([M_i, M_i[-1:]]) for i, M_i in context.dropout_masks.items()}
        return super().gradient(w, X, T, BatchContext(np.append(V, V[-1]), M))


class Late(NumpyEngine):
    """Updates W_2 before it forms δ_1 with it."""

    def run_slice(
        self,
        state: OptimizerState,
        X: Array,
        T: Array,
        context: BatchContext = PLAIN,
        noise: Array | None = None,
    ) -> float:
        net = self.plan.network
        P, W_2 = views(net, state.w), views(net, state.w).W[2].copy()
        before = self.gradient(state.w, X, T, context)
        x_1 = np.tanh(X @ P.W[1].T + P.b[1])
        D_2 = (np.tanh(x_1 @ W_2.T + P.b[2]) - T) * (1 - np.tanh(x_1 @ W_2.T + P.b[2]) ** 2) / len(X)
        after = W_2 - views(net, before).W[2]
        D_1 = (D_2 @ after) * (1 - x_1**2)
        state.w -= before
        views(net, state.w).W[1][...] += views(net, before).W[1] - D_1.T @ X
        b_1, db_1 = views(net, state.w).b[1], views(net, before).b[1]
        assert b_1 is not None
        assert db_1 is not None
        b_1 += db_1 - D_1.sum(axis=0)
        state.t += 1
        return 0.0


@pytest.mark.parametrize(
    ("engine", "broken"),
    [(Drifting, {"bits"}), (OfTheLastRow, {"batch", "order", "update"}), (Late, {"update"})],
)
def test_each_disagreement_is_found(engine: type[NumpyEngine], broken: set[str]) -> None:
    net = network((4, 5, 3), "tanh", "half_squared_error")
    plan = task_for(net, 8, 8)._replace(weighted=False)
    point = dataclasses.replace(point_for(net), context=PLAIN)
    found = {one.name: one for one in consistency(engine(plan), plan, point)}
    assert {name for name, one in found.items() if not one.passed} == broken
    if engine is Late:
        likely = found["update"].likely
        assert likely is not None
        assert likely.code == "carry_after_update"

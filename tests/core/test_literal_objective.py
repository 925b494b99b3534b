"""The objective against its literal form: one row at a time, one weight at a time."""

import numpy as np
import pytest

from bptrain.core import reference
from bptrain.core.backprop import forward, workspace
from bptrain.core.network import Network, views
from bptrain.core.objective import batch_divisor, loss_sum, penalty, penalty_at, row_losses
from networks import data_for, network

ROWS = 5


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_literal_sum(reduction: str, weighted: bool) -> None:
    net = Network(
        **{
            **vars(network((3, 4, 2), ["tanh", "softmax"], "cross_entropy", reduction=reduction)),
            "l1": 0.3,
            "l2": 0.7,
        }
    )
    X, T = data_for(net, ROWS, 1)
    V = np.array([1.0, 0.5, 3.0, 0.0, 2.0]) if weighted else None
    w = np.random.default_rng(2).normal(size=net.size)
    P, space = views(net, w), workspace(net, ROWS, np.float64)
    forward(net, P, X, space)
    losses = row_losses(net, space.Z[net.L], space.X[net.L], T)
    ours = loss_sum(losses, V) / batch_divisor(net, ROWS, V) + penalty(net, P)

    literal = total = 0.0
    for n in range(ROWS):
        v = 1.0 if V is None else V[n]
        literal += v * reference.instance(net, P, X[n][:, None], T[n][:, None]).E
        total += v
    if reduction == "mean":
        literal /= total
    for W_i in P.W[1:]:
        for entry in W_i.ravel():
            literal += 0.3 * abs(entry) + 0.35 * entry**2
    assert ours == pytest.approx(literal, rel=1e-13)
    assert penalty_at(net, w) == pytest.approx(float(penalty(net, P)), rel=1e-13)


def test_rows_that_weigh_nothing_are_divided_by_1() -> None:
    net = network((3, 2))
    assert batch_divisor(net, 2, np.zeros(2)) == 1.0
    assert penalty(net, views(net, np.ones(net.size))) == penalty_at(net, np.ones(net.size)) == 0.0

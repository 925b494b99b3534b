"""Dead and saturated units."""

import numpy as np

from bptrain.core.network import views
from bptrain.gradient_check.forward_pass import units
from bptrain.gradient_check.point import GradientPoint
from networks import data_for, network


def test_dead_and_saturated_units_are_named() -> None:
    net = network((3, 4, 4, 2), ["relu", "sigmoid", "softmax"], "cross_entropy")
    X, T = data_for(net, 20, 1)
    w = np.random.default_rng(0).normal(size=net.size)
    b_1, b_2 = views(net, w).b[1], views(net, w).b[2]
    assert b_1 is not None
    assert b_2 is not None
    b_1[:] = [9.0, -50.0, 9.0, 9.0]
    views(net, w).W[2][:] *= 0.1
    b_2[0], b_2[3] = 60.0, -60.0
    first, second = units(GradientPoint(net, w, X, T))  # softmax is not element-wise
    assert (first.layer, first.units, first.dead, first.saturated) == (1, 4, (1,), ())
    assert (second.layer, second.units, second.dead, second.saturated) == (2, 4, (), (0, 3))


def test_a_flat_end_is_saturation_unless_the_output_is_0() -> None:
    net = network((1, 2, 1), ["hard_tanh", "identity"], "half_squared_error")
    w = np.array([0.0, 0.0, 5.0, 0.1, 1.0, 1.0, 0.0])
    (first, _) = units(GradientPoint(net, w, np.ones((3, 1)), np.ones((3, 1))))
    assert (first.dead, first.saturated) == ((), (0,))

"""What the functions are given is what the parts say, as columns."""

from typing import Any

import numpy as np
import pytest

from bptrain.commands.check_backward.contract import arguments
from bptrain.gradient_check.point import GradientPoint
from networks import data_for, network


def given(names: list[str], loss: str) -> tuple[GradientPoint, dict[str, list[Any]]]:
    net = network((4, 5, 3), names, loss, reduction="sum")
    X, T = data_for(net, 7, 0)
    point = GradientPoint(net, np.random.default_rng(0).normal(size=net.size), X, T)
    return point, arguments(point, (0.0, 0.5, 0.25))


def test_functions_of_columns() -> None:
    point, by_name = given(["tanh", "softmax"], "cross_entropy")
    W, b, df, dE, x, z, t = by_name["backward"]
    f = by_name["forward"][2]
    assert [None if w is None else w.shape for w in W] == [None, (5, 4), (3, 5)]
    assert b is not None
    tanh = point.network.activations[1]
    assert tanh.df is not None
    assert np.allclose(df[1](z[1]), tanh.df(point.space.Z[1], point.space.X[1]).T, rtol=1e-14)
    assert np.allclose(f[2](z[2]), x[2], rtol=1e-15)
    assert np.allclose(df[2].product(z[2], dE(x[2], t)), x[2] - t, rtol=0, atol=1e-14)


def test_an_instance_without_its_second_axis() -> None:
    _, by_name = given(["tanh", "softmax"], "cross_entropy")
    _, _, df, dE, x, z, t = by_name["backward"]
    f = by_name["forward"][2]
    assert np.array_equal(f[2](z[2][:, 3]), f[2](z[2])[:, 3])
    assert np.array_equal(dE(x[2][:, 3], t[:, 3]), dE(x[2], t)[:, 3])
    assert np.array_equal(df[1](z[1][:, 3]), df[1](z[1])[:, 3])
    column = df[2].product(z[2][:, 3], t[:, 3])
    assert np.allclose(column, df[2].product(z[2], t)[:, 3], rtol=1e-14)


def test_softmax_has_no_derivative() -> None:
    _, by_name = given(["tanh", "softmax"], "cross_entropy")
    with pytest.raises(TypeError, match="softmax is not element-wise"):
        by_name["backward"][2][2](by_name["backward"][5][2])

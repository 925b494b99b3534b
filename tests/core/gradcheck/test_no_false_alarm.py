"""200 random right networks pass: ordinary, saturated and converged weights, and units exactly on corners."""

from collections import Counter

import numpy as np

from bptrain.core.gradcheck import gradcheck
from bptrain.core.gradcheck.point import Point
from core.gradcheck.random_networks import COUNT, Drawn, drawn_networks


def test_errors_are_rounding_alone() -> None:
    errors = {}
    for one in drawn_networks():
        report = gradcheck(one.network, one.w, one.X, one.T, extras=one.extras)
        assert report.passed, one.name
        errors[one.name] = report.max_relative_error
    assert len(errors) == COUNT
    worst = max(errors, key=errors.__getitem__)
    assert errors[worst] <= 1e-12, worst
    assert np.median(list(errors.values())) <= 1e-14


def test_what_is_drawn() -> None:
    """Every kind, units on corners in number, and gradients that are not all zero."""
    kinds = Counter(one.kind for one in drawn_networks())
    assert kinds == {"ordinary": 80, "saturated": 40, "converged": 40, "on corners": 40}
    assert sum(corners(one) > 0 for one in drawn_networks()) >= 25
    assert max(one.network.L for one in drawn_networks()) == 10


def corners(one: Drawn) -> int:
    """How many units of layer 1 stand on a corner, in all rows."""
    Z_1 = Point(one.network, one.w, one.X, one.T, one.extras).space.Z[1]
    return int(np.isin(Z_1, one.network.activations[1].kinks).sum())

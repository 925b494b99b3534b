"""The points that submissions are graded at, as a child process makes them again, and the answers there.

A child begins anew for each file, so this imports nothing that reads data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bptrain.build.network import network_of_schema
from bptrain.commands.check_backward.contract import arguments
from bptrain.commands.check_backward.returned_values import read
from bptrain.commands.check_backward.user_functions import UserFunctions, call
from bptrain.commands.check_backward.wire import Read
from bptrain.config import from_plain
from bptrain.core.network import Network
from bptrain.data.schema import Schema
from bptrain.errors import NumericalError
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.submission import (
    ExpectedQuantity,
    expected_backward,
    expected_forward,
    expected_step,
)
from bptrain.parts.types import Array


def points_again(plain: Mapping[str, Any], arrays: Sequence[Array]) -> tuple[GradientPoint, ...]:
    """The points of a task in another process. Raises UsageError where a part of the config is not known there."""
    config, schema = from_plain(plain["config"], "config"), Schema.from_json(plain["schema"])
    w, X_0, T = arrays
    network = plain_objective(network_of_schema(config, schema))
    return with_a_single_row(GradientPoint(network, w, X_0, T, derivatives_from=plain["derivatives_from"]))


def with_a_single_row(point: GradientPoint) -> tuple[GradientPoint, ...]:
    """The point, and the same with its first row alone if it has more."""
    if len(point.X_0) == 1:
        return (point,)
    return point, replace(point, X_0=point.X_0[:1], T=point.T[:1])


def plain_objective(network: Network) -> Network:
    """The network with the plain sum of the losses as its objective, from x_0 on: without the steps before W_1."""
    return replace(network, reduction="sum", l1=0.0, l2=0.0, dropout=(), input_steps=())


def expected_at(point: GradientPoint) -> dict[str, list[ExpectedQuantity]]:
    """What each function should return at a point. Raises NumericalError where that is not finite."""
    with np.errstate(all="ignore"):  # what is not finite is refused below
        expected = {
            "forward": expected_forward(point),
            "backward": expected_backward(point),
            "step": expected_step(point, rates_of(point.network.L)),
        }
    if not all(np.isfinite(one.right).all() for entries in expected.values() for one in entries):
        raise NumericalError("the network itself is not finite on these rows, so nothing can be graded on it")
    return expected


def answers(functions: UserFunctions, point: GradientPoint) -> Iterator[tuple[str, Read | None]]:
    """Calls every function at a point, and yields its name, then what was read of what it returned."""
    L, N = point.network.L, len(point.X_0)
    expected = expected_at(point)
    with np.errstate(all="ignore"):
        given = arguments(point, rates_of(L))
    for name in functions.by_name:
        yield name, None
        yield name, read(name, call(functions, name, given[name]), expected[name], L, N)


def rates_of(L: int) -> tuple[float, ...]:
    """A learning rate for each layer, no two alike."""
    return (0.0, *(0.5 / i for i in range(1, L + 1)))

"""What parts should give at a point: arrays of the right shapes, and derivatives within intervals.

A wrong shape would fail far from the mistake, or would spread over rows and units where it should not. A derivative is
taken by the complex step, or by differences. By the complex step the interval is what lies between the slopes a few
roundings to the left and to the right. By differences it is the estimated error of the difference, and at a kink what
lies between the differences of both sides.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from bptrain.errors import UsageError
from bptrain.gradient_check.differences import central
from bptrain.gradient_check.point import STEP, GradientPoint, slope, slopes_of_rows
from bptrain.gradient_check.verdicts import SAFETY
from bptrain.parts.types import Array
from bptrain.plugins.kinds import wrong_shape

STEEPEST = 1e-10 / STEP  # of what a step of h may be taken on
FIRST = (2e-2, 2e-3, 2e-4)  # steps of differences, of which the best is taken
SIDE = 1e-5  # of a difference to one side
KINK = 1e-2  # by which the slopes of both sides differ at a kink


class Known(NamedTuple):
    """A right value, NaN where there is none, and the least and the largest that is right."""

    right: Array
    low: Array
    high: Array


def slopes_known(point: GradientPoint, f: Callable[[Array], Array], Z: Array) -> Known:
    """f'(Z) of an element-wise f."""
    if point.derivatives_from == "complex_step":
        return _on_both_sides(partial(slope, f), Z)
    return by_differences(lambda h: f(Z + h))


def row_slopes_known(point: GradientPoint, E: Callable[[Array], Array], X: Array) -> Known:
    """∂E/∂x of each row, N × n."""
    if point.derivatives_from == "complex_step":
        return _on_both_sides(partial(steep_left_out, E), X)
    columns = [by_differences(partial(_moved, E, X, unit)) for unit in np.eye(X.shape[1])]
    return Known(*(np.stack(parts, axis=1) for parts in zip(*columns, strict=True)))


def jacobian_known(point: GradientPoint, i: int) -> tuple[Array, Array]:
    """J of each row, N × n × n, and how far off it may be."""
    if point.derivatives_from == "complex_step":
        return point.jacobians[i], np.zeros_like(point.jacobians[i])
    f, Z = point.network.activations[i].f, point.space.Z[i]
    columns = [by_differences(partial(_moved, f, Z, unit)) for unit in np.eye(Z.shape[1])]
    J, low, high = (np.stack(parts, axis=2) for parts in zip(*columns, strict=True))
    return J, np.maximum(high - J, J - low)


def by_differences(moved: Callable[[float], Array]) -> Known:
    """The derivative at 0 of each number that depends on a step."""
    found = [central(moved, h) for h in FIRST]
    best = np.argmin([one.estimate for one in found], axis=0)
    value, estimate = (np.choose(best, [one[k] for one in found]) for k in (0, 1))
    here, left, right = moved(0.0), moved(-SIDE), moved(SIDE)
    left, right = (here - left) / SIDE, (right - here) / SIDE
    kink = np.abs(right - left) > KINK * np.fmax(1.0, np.abs(left))
    room = np.where(kink, KINK, SAFETY * estimate)
    low = np.where(kink, np.fmin(left, right), value) - room
    return Known(value, low, np.where(kink, np.fmax(left, right), value) + room)


def steep_left_out(E: Callable[[Array], Array], X: Array) -> Array:
    """∂E/∂x of each row, N × n_L; NaN where E is so steep, such as ln x near 0, that the step is too long for it."""
    slopes = slopes_of_rows(E, X)
    return np.where(np.abs(slopes) < STEEPEST, slopes, np.nan)


def _moved(of: Callable[[Array], Array], X: Array, unit: Array, h: float) -> Array:
    return of(X + h * unit)


def _on_both_sides(right: Callable[[Array], Array], at: Array) -> Known:
    step = 4 * np.spacing(np.maximum(np.abs(at), 1.0))
    left, here, beyond = right(at - step), right(at), right(at + step)
    low, high = np.fmin(np.fmin(left, here), beyond), np.fmax(np.fmax(left, here), beyond)
    return Known(here, low, high)


def refuse_wrong_shapes(point: GradientPoint) -> None:
    """Raises UsageError where a part gives another shape than it should, on all rows or on the first alone."""
    with np.errstate(all="ignore"):
        for some in (point, point.some_rows(np.arange(1))):
            for fault in _faults(some):
                raise UsageError(fault)


def _faults(point: GradientPoint) -> Iterator[str]:
    """The faults, from the first layer to the loss; each is raised before the next layer is given its outcome."""
    point = point.behind_steps
    network, parameters, masks = point.network, point.parameters, point.context.dropout_masks
    X = Z = point.X_0
    for i in range(1, network.L + 1):
        W, b = parameters.W[i], parameters.b[i]
        Z = np.asarray((X * masks[i - 1] if i - 1 in masks else X) @ W.T + (0.0 if b is None else b))
        f, df, product = network.activations[i][:3]
        whose, of = f"the activation of layer {i}", f"z of shape {Z.shape}"
        X = f(Z)
        yield from (f"{whose} {words}" for words in wrong_shape("f", X, Z.shape, of))
        if df is not None:
            yield from (f"{whose} {words}" for words in wrong_shape("df", df(Z, X), Z.shape, of))
        elif product is not None:
            yield from (f"{whose} {words}" for words in wrong_shape("product", product(X, Z), Z.shape, of))
    loss, T, of = network.loss, point.T, f"x and t of shape {X.shape}"
    yield from (f"the loss {words}" for words in wrong_shape("E", loss.E(X, T), (len(X),), of))
    yield from (f"the loss {words}" for words in wrong_shape("dE", loss.dE(X, T), X.shape, of))
    if network.canonical and loss.E_of_z is not None:
        yield from (f"the loss {words}" for words in wrong_shape("E_of_z", loss.E_of_z(Z, T), (len(X),), of))

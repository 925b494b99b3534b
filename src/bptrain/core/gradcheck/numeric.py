"""The numeric side of a check: what each block of parameters is judged by."""

from collections.abc import Iterator

import numpy as np

from bptrain.core.gradcheck import complex_step, differences
from bptrain.core.gradcheck.plan import Plan, directions, entries_of
from bptrain.core.gradcheck.point import Point
from bptrain.core.gradcheck.verdicts import Method, Numeric
from bptrain.core.network import Block
from bptrain.parts.types import Array


def numeric_side(point: Point, plan: Plan, block: Block, seed: int, left_out: Array) -> Iterator[Numeric]:
    """The numbers that a block is judged by, growing as they are worked out; of all but the parameters left out."""
    entries = entries_of(block, plan.entries, seed)
    entries = entries[~left_out[entries]]
    n: list[Array] = []
    estimates: list[Array] = []
    if plan.method == "complex_step":
        for some in complex_step.of_entries(point, block, entries):
            n.append(some)
            estimates.append(np.zeros_like(some))
            yield numeric_of(block, entries, n, estimates)
    else:
        for k in entries:
            unit = np.zeros_like(point.w)
            unit[k] = 1.0
            difference = differences.along(point, unit)
            n.append(difference.value[None])
            estimates.append(difference.estimate[None])
            yield numeric_of(block, entries, n, estimates)
    v = directions(point.network.size, plan.directions, seed, [block])
    v[:, left_out] = 0.0
    n_v, estimate_v = along_all(point, plan.method, v)
    yield numeric_of(block, entries, n, estimates)._replace(
        v=v[:, block.start : block.stop], n_v=n_v, estimate_v=estimate_v
    )


def numeric_of(block: Block, entries: Array, n: list[Array], estimates: list[Array]) -> Numeric:
    """What has been worked out of a block's entries so far."""
    so_far = np.concatenate([np.empty(0), *n])
    none = np.empty(0)
    size = block.stop - block.start
    return Numeric(
        entries[: len(so_far)] - block.start,
        so_far,
        np.concatenate([none, *estimates]),
        np.empty((0, size)),
        none,
        none,
    )


def along_all(point: Point, method: Method, v: Array) -> tuple[Array, Array]:
    """The derivative along each row of v, and how far off each may be."""
    if method == "complex_step":
        return np.array([complex_step.along(point, one) for one in v]), np.zeros(len(v))
    found = [differences.along(point, one) for one in v]
    return np.array([float(one.value) for one in found]), np.array([float(one.estimate) for one in found])

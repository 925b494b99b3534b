"""The numeric side of a check: what each block of parameters is judged by."""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from bptrain.core.network import Block
from bptrain.gradient_check import complex_step, differences
from bptrain.gradient_check.plan import Plan, directions, entries_of
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.verdicts import Numeric, UpdateRule
from bptrain.parts.types import Array


class CheckProgress(NamedTuple):
    """How far a check has come, in derivatives."""

    done: int
    total: int


def numeric_side(
    point: Point, plan: Plan, block: Block, seed: int, left_out: Array, before: int, total: int
) -> Generator[CheckProgress, None, Numeric]:
    """The numbers that a block is judged by, of all but the parameters left out; `before` are those of other blocks."""
    entries = entries_of(block, plan.entries, seed)
    entries = entries[~left_out[entries]]
    n, estimate = np.empty(len(entries)), np.zeros(len(entries))
    done = 0
    if plan.method == "complex_step":
        for some in complex_step.of_entries(point, block, entries):
            n[done : done + len(some)] = some
            done += len(some)
            yield CheckProgress(before + done, total)
    else:
        for done, k in enumerate(entries):
            unit = np.zeros_like(point.w)
            unit[k] = 1.0
            n[done], estimate[done] = differences.along(point, unit)
            yield CheckProgress(before + done + 1, total)
    v = directions(point.network.size, plan.directions, seed, [block])
    v[:, left_out] = 0.0
    n_v, estimate_v = along_all(point, plan.method, v)
    yield CheckProgress(before + len(n) + len(n_v), total)
    return Numeric(entries - block.start, n, estimate, v[:, block.start : block.stop], n_v, estimate_v)


def along_all(point: Point, method: UpdateRule, v: Array) -> tuple[Array, Array]:
    """The derivative along each row of v, and how far off each may be."""
    if method == "complex_step":
        return np.array([complex_step.along(point, one) for one in v]), np.zeros(len(v))
    found = [differences.along(point, one) for one in v]
    return np.array([float(one.value) for one in found]), np.array([float(one.estimate) for one in found])

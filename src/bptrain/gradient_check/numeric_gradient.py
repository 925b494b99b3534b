"""The numeric gradient: by which method, of which entries and along which directions, and working it out."""

from collections.abc import Generator, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import numpy as np

from bptrain.core.network import Block, Network
from bptrain.errors import UsageError
from bptrain.gradient_check import complex_step, differences
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.verdicts import KinkPolicy, NumericGradient, NumericMethod
from bptrain.parts.random import stream
from bptrain.parts.types import Array

RequestedMethod = Literal["auto", "complex_step", "directions", "central"]

BUDGET = 2e10  # multiply-adds, some seconds
DIRECTIONS = 4  # through each block, and through all blocks together
SAMPLE = 10  # entries per block that are checked in addition to directions
STEPS_OF_DIFFERENCES = 24  # evaluations that a difference takes, about


class Settings(NamedTuple):
    """How a gradient is checked."""

    method: RequestedMethod = "auto"
    kinks: KinkPolicy = "interval"
    params: tuple[str, ...] = ("*",)  # patterns of the names of blocks, such as layers.1.*
    inputs: bool = False  # ∂objective/∂X_0 too
    entries_per_block: int | None = None  # the most that are checked, drawn by the seed
    fail_fast: bool = False  # nothing more after the first mismatch
    seed: int = 0


class CheckPlan(NamedTuple):
    """What is done, and why."""

    method: NumericMethod
    entries: int  # of a block, at most
    directions: int  # through each block, and as many through all
    why: str


def chosen_blocks(network: Network, params: Sequence[str]) -> list[Block]:
    """The blocks whose names match one of the patterns. Raises UsageError where a pattern matches none."""
    names = [block.name for block in network.blocks]
    for pattern in params:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(f"no parameters match {pattern!r}; there are {', '.join(names)}")
    return [block for block in network.blocks if any(fnmatchcase(block.name, pattern) for pattern in params)]


def plan(point: GradientPoint, settings: Settings, method: NumericMethod) -> CheckPlan:
    """Every entry where that takes a few seconds; else directions through all of them, and a sample of entries."""
    size, N = point.network.size, len(point.X_0)
    evaluations = 1 if method == "complex_step" else STEPS_OF_DIFFERENCES
    affordable = int(BUDGET / (4.0 * size * N * evaluations))
    largest = max(block.stop - block.start for block in point.network.blocks)
    limit = largest if settings.entries_per_block is None else settings.entries_per_block
    asked = sum(
        min(limit, block.stop - block.start) for block in chosen_blocks(point.network, settings.params)
    )
    how = "by the complex step" if method == "complex_step" else "by central differences"
    if settings.method == "directions":
        return CheckPlan(method, 0, DIRECTIONS, f"along random directions {how}, as requested")
    if settings.method == "complex_step" or settings.entries_per_block is not None or asked <= affordable:
        few = "" if settings.entries_per_block is None else f", at most {limit} per block"
        return CheckPlan(method, limit, 0, f"each entry {how}{few}")
    why = (
        f"{size:,} parameters on {N} rows: along random directions {how}, which take one evaluation each, "
        "and a few entries of each block"
    )
    return CheckPlan(method, SAMPLE, DIRECTIONS, why)


def entries_of(block: Block, count: int, seed: int) -> Array:
    """The places in the flat vector that are checked: all of a block, or `count` of them drawn by the seed."""
    entries = np.arange(block.start, block.stop)
    if count >= len(entries):
        return entries
    rng = stream(seed, "check", epoch=block.layer, step=number(block))
    return np.sort(rng.choice(entries, count, replace=False))


def number(block: Block) -> int:
    """Which block of its layer it is; those of steps before W_1 have numbers four apart, by their places."""
    return int(block.kind == "bias") if block.layer else 4 * (1 + block.start)


def directions(size: int, count: int, seed: int, blocks: Sequence[Block]) -> Array:
    """Random directions of ±1, count × size, over the entries of some blocks, 0 elsewhere."""
    v = np.zeros((count, size))
    for block in blocks:
        rng = stream(seed, "check", epoch=block.layer, step=2 + number(block) + 2 * (len(blocks) > 1))
        bits = rng.integers(0, 2, (count, block.stop - block.start), np.int8)
        v[:, block.start : block.stop] = 2 * bits - 1
    return v


class CheckProgress(NamedTuple):
    """How far a check has come, in derivatives."""

    done: int
    total: int


def numeric_side(
    point: GradientPoint, plan: CheckPlan, block: Block, seed: int, left_out: Array, before: int, total: int
) -> Generator[CheckProgress, None, NumericGradient]:
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
    return NumericGradient(
        entries - block.start, n, estimate, v[:, block.start : block.stop], n_v, estimate_v
    )


def along_all(point: GradientPoint, method: NumericMethod, v: Array) -> tuple[Array, Array]:
    """The derivative along each row of v, and how far off each may be."""
    if method == "complex_step":
        return np.array([complex_step.along(point, one) for one in v]), np.zeros(len(v))
    found = [differences.along(point, one) for one in v]
    return np.array([float(one.value) for one in found]), np.array([float(one.estimate) for one in found])

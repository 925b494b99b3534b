"""What a check does: which method, which blocks, how many entries and directions."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import numpy as np

from bptrain.core.network import Block, Network
from bptrain.errors import UsageError
from bptrain.gradient_check.point import Point
from bptrain.gradient_check.verdicts import Kinks, UpdateRule
from bptrain.parts.random import stream
from bptrain.parts.types import Array

Asked = Literal["auto", "complex_step", "directions", "central"]

BUDGET = 2e10  # multiply-adds, some seconds
DIRECTIONS = 4  # through each block, and through all of them
SAMPLE = 10  # entries of a block that are checked beside directions
STEPS_OF_DIFFERENCES = 24  # evaluations that a difference takes, about


class Settings(NamedTuple):
    """How a gradient is checked."""

    method: Asked = "auto"
    kinks: Kinks = "interval"
    params: tuple[str, ...] = ("*",)  # patterns of the names of blocks, such as layers.1.*
    inputs: bool = False  # ∂objective/∂X_0 too
    entries_per_block: int | None = None  # at most so many, drawn by the seed
    fail_fast: bool = False  # nothing more after the first mismatch
    seed: int = 0


class Plan(NamedTuple):
    """What is done, and why."""

    method: UpdateRule
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


def plan(point: Point, settings: Settings, method: UpdateRule) -> Plan:
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
        return Plan(method, 0, DIRECTIONS, f"along random directions {how}, as asked")
    if settings.method == "complex_step" or settings.entries_per_block is not None or asked <= affordable:
        few = "" if settings.entries_per_block is None else f", at most {limit} of a block"
        return Plan(method, limit, 0, f"each entry {how}{few}")
    why = (
        f"{size:,} parameters on {N} rows: along random directions {how}, which take one evaluation each, "
        "and a few entries of each block"
    )
    return Plan(method, SAMPLE, DIRECTIONS, why)


def entries_of(block: Block, count: int, seed: int) -> Array:
    """The places in the flat vector that are checked: all of a block, or so many drawn by the seed."""
    entries = np.arange(block.start, block.stop)
    if count >= len(entries):
        return entries
    rng = stream(seed, "check", epoch=block.layer, step=int(block.kind == "bias"))
    return np.sort(rng.choice(entries, count, replace=False))


def directions(size: int, count: int, seed: int, blocks: Sequence[Block]) -> Array:
    """Random directions of ±1, count × size, over the entries of some blocks, 0 elsewhere."""
    v = np.zeros((count, size))
    for block in blocks:
        rng = stream(
            seed, "check", epoch=block.layer, step=2 + int(block.kind == "bias") + 2 * (len(blocks) > 1)
        )
        bits = rng.integers(0, 2, (count, block.stop - block.start), np.int8)
        v[:, block.start : block.stop] = 2 * bits - 1
    return v

"""Patterns with one number that is fitted: c times the right gradient in some blocks, or a multiple of W added."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bptrain.core.gradcheck.point import Point
from bptrain.core.gradcheck.slips.base import Diagnosis, Truth, compare, matches
from bptrain.core.network import Block
from bptrain.parts.types import Array

ENTRIES = 3  # that must bear out a number which is not one of those that slips bring in


class Group(NamedTuple):
    """Blocks that a factor may have in common."""

    words: str
    layer: int | None
    blocks: tuple[Block, ...]


def diagnoses(
    truth: Truth, a: Array, wrong: list[Block], tolerance: float
) -> Iterator[tuple[int, Diagnosis]]:
    """What the wrong blocks are a multiple of, the smallest group first; each with the count of its layers."""
    point, n = truth.point, truth.right.g
    penalty = _penalty(point)
    groups = [group for group in _groups(point) if set(wrong) <= set(group.blocks)]
    for group in groups:
        places = np.concatenate([np.arange(block.start, block.stop) for block in group.blocks])
        bases = [(0 * penalty, "")] + ([(penalty, ", the penalty apart")] if penalty[places].any() else [])
        for base, apart in bases:
            c = _fitted(a[places] - base[places], n[places] - base[places])
            name = named(point, c)
            borne_out = _count(n[places] - base[places]) >= ENTRIES
            if not np.isfinite(c) or c == 0 or not (borne_out or name):
                continue
            pattern = n.copy()
            pattern[places] = base[places] + c * (n[places] - base[places])
            error = error_of(truth, a, pattern, tolerance)
            if error is not None:
                code, times = name or ("factor", f"{c:.7g}")
                words = f"{group.words} at {times} times the right one{apart}"
                layers = len({block.layer for block in group.blocks})
                yield layers, Diagnosis(code, words, group.layer, error)
    yield from _added(truth, a, tolerance)


def named(point: Point, c: float) -> tuple[str, str] | None:
    """Code and words of a factor that slips bring in."""
    N, n_L = len(point.X_0), point.network.sizes[-1]
    table: list[tuple[float, str, str]] = [
        (-1, "factor_sign", "−1"),
        (2, "factor_2", "2"),
        (0.5, "factor_half", "½"),
        (point.divisor, "factor_rows", f"{point.divisor:g} (what the mean divides by)"),
        (1 / point.divisor, "factor_one_by_rows", f"1/{point.divisor:g} (what the mean divides by)"),
        (N, "factor_rows", f"{N} (the count of rows)"),
        (1 / N, "factor_one_by_rows", f"1/{N} (the count of rows)"),
        (n_L, "factor_outputs", f"{n_L} (the count of outputs)"),
        (1 / n_L, "factor_one_by_outputs", f"1/{n_L} (the count of outputs)"),
    ]
    found = [
        (code, words) for value, code, words in table if value != 1 and abs(c - value) <= 1e-7 * abs(value)
    ]
    return found[0] if found else None


def error_of(truth: Truth, a: Array, pattern: Array, tolerance: float) -> float | None:
    """The largest error of a block where a is what the pattern says in every block; None where it is not."""
    largest = 0.0
    for block in truth.point.network.blocks:
        of = slice(block.start, block.stop)
        error = matches(a[of], pattern[of], truth.right.g[of], truth.scale.w[of], tolerance)
        if error is None:
            return None
        largest = max(largest, error)
    return largest


def _groups(point: Point) -> Iterator[Group]:
    blocks, L = point.network.blocks, point.network.L
    for block in blocks:
        letter = "W" if block.kind == "weight" else "b"
        yield Group(f"∂E/∂{letter}_{block.layer}", block.layer, (block,))
    for i in range(1, L + 1):
        yield Group(f"the gradient of layer {i}", i, tuple(b for b in blocks if b.layer == i))
    for i in range(2, L):
        yield Group(f"δ_{i} and what is below it", i, tuple(b for b in blocks if b.layer <= i))
    for kind, words in (("weight", "every ∂E/∂W_i"), ("bias", "every ∂E/∂b_i")):
        yield Group(words, None, tuple(b for b in blocks if b.kind == kind))
    yield Group("the whole gradient", None, blocks)


def _added(truth: Truth, a: Array, tolerance: float) -> Iterator[tuple[int, Diagnosis]]:
    """λ w or λ sign(w) added in every W_i."""
    point, n = truth.point, truth.right.g
    for code, of_w, letter in (("l2_added", point.w, "w"), ("l1_added", np.sign(point.w), "sign(w)")):
        direction = np.zeros_like(n)
        for block in point.network.blocks:
            if block.kind == "weight":
                direction[block.start : block.stop] = of_w[block.start : block.stop]
        c = _fitted(a - n, direction)
        if np.isfinite(c) and c != 0 and _count(direction) >= ENTRIES:
            error = error_of(truth, a, n + c * direction, tolerance)
            if error is not None:
                words = f"{c:.6g} {letter} added in every W_i, a penalty that the objective has not"
                yield point.network.L, Diagnosis(code, words, None, error)


def _penalty(point: Point) -> Array:
    """The part of the gradient that is the penalty's, flat."""
    part, of_one = np.zeros_like(point.w), point.network.penalty
    if of_one is not None:
        for block in point.network.blocks:
            if block.kind == "weight":
                part[block.start : block.stop] = of_one.slope(point.w[block.start : block.stop])
    return part


def _fitted(a: Array, n: Array) -> float:
    """c of a ≈ c n, by least squares; NaN where n is all zero."""
    square = float(n @ n)
    return float(a @ n) / square if square > 0 else float("nan")


def _count(n: Array) -> int:
    """How many entries have a say in a fit."""
    return int(np.count_nonzero(np.abs(n) > 1e-3 * np.abs(n).max(initial=0.0)))


def of_one(point: Point, a: Array, n: Array, s: Array, tolerance: float) -> tuple[str, str, float] | None:
    """Code, words and error where the one quantity a is c times n."""
    c = _fitted(a.ravel(), n.ravel())
    name = named(point, c)
    if not np.isfinite(c) or c == 0 or not (_count(n) >= ENTRIES or name):
        return None
    found = compare(a, c * n, s, tolerance)
    code, times = name or ("factor", f"{c:.7g}")
    return (code, times, found.error) if found.right else None

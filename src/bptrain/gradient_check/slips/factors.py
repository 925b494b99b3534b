"""Patterns with one number that is fitted: c times the right gradient in some blocks, or a multiple of W added."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bptrain.core.network import Block
from bptrain.gradient_check.number_words import factor_words
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips.base import LikelySlip, UnexplainedGradient, compare
from bptrain.parts.types import Array

ENTRIES = 3  # that must bear out a number which is not one of those that slips bring in
NAMED = 1e-9  # by which share of it a number that is fitted may be off one that has a name
HAS_A_SAY = 1e-3  # of the largest entry: smaller ones count for nothing

Pieces = Mapping[Block, tuple[Array | float, Array]]  # what the pattern adds c times the second to


class Group(NamedTuple):
    """Blocks that a factor may have in common."""

    words: str
    layer: int | None
    blocks: tuple[Block, ...]


class Fitted(NamedTuple):
    """The number c, the error of the match, and whether there are enough entries to bear out any number."""

    c: float
    error: float
    borne_out: bool


def diagnoses(target: UnexplainedGradient) -> Iterator[tuple[int, LikelySlip]]:
    """What the wrong blocks are a multiple of, the smallest group first; each with the count of its layers."""
    point, n = target.truth.point, target.truth.right.g
    penalties = _penalties(point)
    for group in _groups(point):
        if not set(target.wrong) <= set(group.blocks):
            continue
        right = {block: block.view(n) for block in group.blocks}
        times_all: Pieces = {block: (0.0, n_i) for block, n_i in right.items()}
        times_loss: Pieces = {
            block: (penalties[block], n_i - penalties[block]) for block, n_i in right.items()
        }
        ways = [(times_all, ""), (times_loss, ", apart from the penalty")]
        for pieces, apart in ways if point.network.penalty is not None else ways[:1]:
            fitted = _fit(target, pieces)
            name = None if fitted is None else named(point, fitted.c)
            if fitted is None or not (fitted.borne_out or name):
                continue
            code, times = name or ("factor", factor_words(fitted.c))
            words = f"{group.words} at {times} times the right one{apart}"
            layers = len({block.layer for block in group.blocks})
            yield layers, LikelySlip(code, words, group.layer, fitted.error)
    for code, of_w, letters in (("l2_added", point.w, "w"), ("l1_added", np.sign(point.w), "sign(w)")):
        weights = [block for block in point.network.blocks if block.kind == "weight"]
        fitted = None
        if set(target.wrong) <= set(weights):
            fitted = _fit(target, {block: (block.view(n), block.view(of_w)) for block in weights})
        if fitted is not None and fitted.borne_out:
            words = f"{fitted.c:.6g} {letters} added in every W_i, a penalty that the objective does not have"
            yield point.network.L, LikelySlip(code, words, None, fitted.error)


def _fit(target: UnexplainedGradient, pieces: Pieces) -> Fitted | None:
    """c of a ≈ base + c n over some blocks, by least squares; None where that is no match in one of them."""
    parts = [(block.view(target.a) - base, n) for block, (base, n) in pieces.items()]
    c = _ratio(parts)
    if not np.isfinite(c) or c == 0:
        return None
    largest = 0.0
    for block, (base, n) in pieces.items():
        error = target.error(block, base + c * n)
        if error is None:
            return None
        largest = max(largest, error)
    return Fitted(c, largest, _bear_out([n for _, n in parts]))


def of_one(
    point: GradientPoint, a: Array, n: Array, s: Array, tolerance: float
) -> tuple[str, str, float] | None:
    """Code, words and error where the one quantity a is c times n."""
    c = _ratio([(a, n)])
    name = named(point, c)
    if not np.isfinite(c) or c == 0 or not (_bear_out([n]) or name):
        return None
    found = compare(a, c * n, s, tolerance)
    code, times = name or ("factor", factor_words(c))
    return (code, times, found.error) if found.right else None


def named(point: GradientPoint, c: float, tolerance: float = NAMED) -> tuple[str, str] | None:
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
    found = (row for row in table if row[0] != 1 and abs(c - row[0]) <= tolerance * abs(row[0]))
    return next(((code, words) for _, code, words in found), None)


def letter(block: Block) -> str:
    """Such as ∂E/∂W_2."""
    return (
        f"∂E/∂{'W' if block.kind == 'weight' else 'b'}_{block.layer}" if block.layer else f"∂E/∂{block.name}"
    )


def _groups(point: GradientPoint) -> Iterator[Group]:
    blocks, L = point.network.blocks, point.network.L
    for block in blocks:
        yield Group(letter(block), block.layer, (block,))
    for i in range(1, L + 1):
        yield Group(f"the gradient of layer {i}", i, tuple(b for b in blocks if b.layer == i))
    if point.network.input_steps:
        yield Group("the gradient of the steps before W_1", 0, tuple(b for b in blocks if b.layer == 0))
    for i in range(1 if point.network.input_steps else 2, L):
        yield Group(f"δ_{i} and what is below it", i, tuple(b for b in blocks if b.layer <= i))
    for kind, words in (("weight", "every ∂E/∂W_i"), ("bias", "every ∂E/∂b_i")):
        yield Group(words, None, tuple(b for b in blocks if b.kind == kind))
    yield Group("the whole gradient", None, blocks)


def _penalties(point: GradientPoint) -> dict[Block, Array | float]:
    """What the penalty adds to each block."""
    of_one = point.network.penalty
    return {
        block: 0.0 if of_one is None or block.kind != "weight" else of_one.slope(block.view(point.w))
        for block in point.network.blocks
    }


def _ratio(parts: list[tuple[Array, Array]]) -> float:
    """c of a ≈ c n, by least squares; NaN where n is all zero."""
    square = sum(float(np.vdot(n, n)) for _, n in parts)
    return sum(float(np.vdot(a, n)) for a, n in parts) / square if square > 0 else float("nan")


def _bear_out(parts: list[Array]) -> bool:
    """Whether enough entries have a say in a fit."""
    largest = max((float(np.abs(n).max(initial=0.0)) for n in parts), default=0.0)
    return sum(int(np.count_nonzero(np.abs(n) > HAS_A_SAY * largest)) for n in parts) >= ENTRIES

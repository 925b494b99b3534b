"""Tuples in a rule that wraps another: cut, joined, and handed on."""

from collections.abc import Callable
from typing import Any

import pytest

from bptrain.engines.compiled.target import NUMBA
from bptrain.parts.types import Array
from bptrain.translate.expressions import Expression, Untranslatable, each, number
from bptrain.translate.formulas import translate

SLOTS = Expression("tuple", "", items=(each("a"), each("b"), each("c")))
PLACE = 1


def codes(part: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(
        value.code
        for value in translate(part, 1, NUMBA, z=each("z"), slots=SLOTS, t=number("t")).result.items
    )


def test_parts_of_a_tuple() -> None:
    def ends(z: Array, slots: Any, t: int) -> Any:
        return slots[-1], slots[0], *slots[1:], *slots[:-2]

    def steps(z: Array, slots: Any, t: int) -> Any:
        return z, *slots[::2]

    assert codes(ends) == ("c", "a", "b", "c", "a")
    assert codes(steps) == ("z", "a", "c")


def test_python_s_own_min_and_max_of_numbers() -> None:
    def f(z: Array, slots: Any, t: int) -> Any:
        return min(0.5, t) * z, max(0.5, 2.0) * z

    written = translate(f, 1, NUMBA, z=each("z"), slots=SLOTS, t=number("t"))
    assert written.numbers == {"c0": "min(0.5, t)"}
    assert written.lines == ("return c0 * z, F(2.0) * z",)


def an_entry(z: Array, slots: Any, t: int) -> Any:
    return z[0]


def a_cut(z: Array, slots: Any, t: int) -> Any:
    return z[1:]


def an_array_spread(z: Array, slots: Any, t: int) -> Any:
    return (*z, t)


def a_place_by_name(z: Array, slots: Any, t: int) -> Any:
    return slots[PLACE]


def beyond(z: Array, slots: Any, t: int) -> Any:
    return slots[3]


@pytest.mark.parametrize("part", [an_entry, a_cut, an_array_spread, a_place_by_name, beyond])
def test_arrays_are_not_cut(part: Callable[..., Any]) -> None:
    with pytest.raises(Untranslatable, match="no way to compile"):
        codes(part)

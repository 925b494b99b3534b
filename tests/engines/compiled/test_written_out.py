"""Formulas as plain arithmetic: what is written out, what is refused and why, and that the numbers stay the same."""

import ast
import functools
import importlib
import linecache
import math
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.engines.compiled.formulas import translate
from bptrain.engines.compiled.functions import Functions
from bptrain.engines.compiled.rules import write_rule
from bptrain.engines.compiled.unroll import unrolled
from bptrain.engines.compiled.values import Untranslatable, each, number
from bptrain.parts.optimizers import Optimizer, Slots, optimizers
from bptrain.parts.schedules import Schedule
from bptrain.parts.types import Array

SLOPE, HALF = 0.25, 0.5


def helper(z: Array) -> Array:
    scaled = z * HALF
    return np.tanh(scaled)


def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def twice(*arguments: Any) -> Any:
        return 2 * function(*arguments)

    return twice


def lines(part: Callable[..., Any], *names: str) -> list[str]:
    return list(translate(part, 3, **{name: each(name) for name in names}).lines)


def test_constants_are_typed_and_where_is_a_choice() -> None:
    def f(z: Array) -> Array:
        return np.where(z.real <= 0, SLOPE * z, z**2)

    assert lines(f, "z") == ["return F(0.25) * z if z <= F(0) else square(z)"]


def test_a_function_of_the_project_is_written_out() -> None:
    def f(z: Array) -> Array:
        z = z + 1
        return 1.0 - helper(z)

    assert lines(f, "z") == ["z_1 = z + F(1)", "scaled_2 = z_1 * F(0.5)", "return F(1.0) - tanh(scaled_2)"]


def test_sums_over_a_row_become_loops() -> None:
    def f(z: Array) -> Array:
        e = np.exp(z - z.real.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    assert lines(f, "z") == [
        "largest_1 = largest(z)",
        "for j in range(3):",
        "    s0[j] = exp(z[j] - largest_1)",
        "total_3 = total(s0)",
        "for j in range(3):",
        "    out[j] = s0[j] / total_3",
    ]


def test_numbers_are_worked_out_once_in_float64() -> None:
    def f(g: Array, t: int) -> Array:
        return g / (1.0 - HALF**t)

    written = translate(f, 1, g=each("g"), t=number("t"))
    assert written.lines == ("return g / c0",)
    assert written.numbers == {"c0": "(1.0 - (0.5 ** t))"}


def test_functions_of_numbers_are_worked_out_in_float64() -> None:
    def f(g: Array, t: int) -> Array:
        return g * math.sqrt(2.0 / math.pi) / np.maximum(1.0, np.power(HALF, t)) * 2**-t

    written = translate(f, 1, g=each("g"), t=number("t"))
    assert written.lines == (f"return g * F({math.sqrt(2 / math.pi)!r}) / c0 * c1",)
    assert written.numbers == {"c0": "max(1.0, (0.5 ** t))", "c1": "(float(2) ** (-1 * t))"}


def test_a_source_that_has_changed_is_not_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs is what was imported, whatever the file has become since."""
    file = tmp_path / "my_part.py"
    file.write_text("def f(z):\n    return z * z\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("my_part")
    assert lines(module.f, "z") == ["return z * z"]
    file.write_text("def f(z):\n    return z + z\n")
    linecache.checkcache()
    with pytest.raises(Untranslatable, match="has changed since"):
        lines(module.f, "z")


def squared(x: float) -> float:
    return 1.0 + x


def with_a_helper(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
    return squared(step)


def with_an_imported_name(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
    return exp(-step * 0.3)


@pytest.mark.parametrize(("schedule", "name"), [(with_a_helper, "squared"), (with_an_imported_name, "exp")])
def test_names_in_a_schedule_mean_what_they_mean_there(schedule: Schedule, name: str) -> None:
    with pytest.raises(Untranslatable, match=f"{name} is not known in compiled code"):
        Functions().schedule(schedule)


def test_powers_of_whole_numbers_in_a_schedule() -> None:
    def halves(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return max(2**-step, HALF / 100)

    written = Functions()
    written.schedule(halves)
    assert written.lines[-1] == "    return max(float(2) ** (-step), 0.5 / 100)"


def test_infinite_constants() -> None:
    def f(z: Array) -> Array:
        return np.where(z < -np.inf, np.nan, z)

    assert lines(f, "z") == ["return F(np.nan) if z < F(-np.inf) else z"]


def a_loop(z: Array) -> Array:
    for _ in range(2):
        z = z + 1
    return z


def another_axis(z: Array) -> Array:
    total: Array = z.sum(axis=0)
    return total


def unknown_function(z: Array) -> Array:
    result: Array = np.sort(z)
    return result


def returns_nothing(z: Array) -> None:
    z = z + 1


def changes_its_array(z: Array) -> Array:
    z += 1.0
    return z


def adds_conditions(z: Array) -> Array:
    return ((z > 0) + (z > 1)) * z


def of_numbers_alone(z: Array) -> Array:
    return z * (2.0 / 0.0)


def too_small(z: Array) -> Array:
    return z + 1e-40


def endless(z: Array) -> Array:
    return endless(z)


@decorator
def decorated(z: Array) -> Array:
    return z


def wrapped_later(z: Array) -> Array:
    return z * z


wrapped = decorator(wrapped_later)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (lambda z: z, "not a lambda"),
        (a_loop, "for _ in range"),
        (another_axis, "axis=-1"),
        (unknown_function, "np.sort"),
        (returns_nothing, "returns nothing"),
        (decorated, "decorated"),
        (wrapped, "decorated"),
        (changes_its_array, "z \\+= 1.0"),
        (adds_conditions, "true and false"),
        (of_numbers_alone, "division by zero"),
        (too_small, "too small"),
        (endless, "more than 100 times"),
        (np.tanh, "source"),
    ],
)
def test_what_cannot_be_written_out_is_refused_with_a_reason(part: Callable[..., Any], why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        translate(part, 3, z=each("z"))


def test_rules_that_fold() -> None:
    """Gradient descent into W, momentum into V; adam is not linear."""
    descent, momentum, adam = (
        write_rule(optimizers.get(name)()) for name in ("gradient_descent", "momentum", "adam")
    )
    assert descent.fold is not None
    assert (descent.fold.slot, descent.fold.alpha, descent.fold.beta) == (None, "(-c0)", "F(1.0)")
    assert momentum.fold is not None
    assert momentum.fold == ("slot_velocity", "F(1.0)", "F(0.9)", "c0")
    assert adam.fold is None


def test_a_rule_with_decay_folds_into_beta() -> None:
    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        return rate * (g + 0.01 * w), slots

    rule = write_rule(Optimizer(0.1, step))
    assert rule.fold is not None
    assert rule.fold.beta == "(F(1.0) - c1)"
    assert rule.numbers == {"c0": "rate", "c1": "(rate * 0.01)"}


def test_a_scalar_slot_must_be_one_number() -> None:
    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (largest,) = slots
        return rate * g, (largest + g,)

    with pytest.raises(Untranslatable, match="from weight to weight"):
        write_rule(Optimizer(0.1, step, slots={"largest": "scalar"}))


def test_loops_are_written_out_and_short_vectors_become_variables() -> None:
    looped = ["for j in range(2):", "    z[j] = W[j, 0]", "    y[j] = z[j]", "total = sum_of(y)"]
    assert list(unrolled(looped, {"z", "y"})) == [
        "z_0 = W[0, 0]",
        "y[0] = z_0",
        "z_1 = W[1, 0]",
        "y[1] = z_1",
        "total = sum_of(y)",
    ]


def test_what_is_written_is_python() -> None:
    for line in lines(helper, "z"):
        ast.parse(line.replace("return ", ""))

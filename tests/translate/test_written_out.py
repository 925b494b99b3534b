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

from bptrain.engines.compiled.functions import KernelFunctions
from bptrain.engines.compiled.kernel import kernel_source
from bptrain.engines.compiled.running import kernel_plan_of
from bptrain.engines.compiled.target import NUMBA
from bptrain.engines.compiled.unroll import unrolled
from bptrain.parts.optimizers import Optimizer, Slots, optimizers, with_weight_decay
from bptrain.parts.schedules import Schedule
from bptrain.parts.types import Array
from bptrain.translate.expressions import Untranslatable, each, number
from bptrain.translate.formulas import translate
from bptrain.translate.update_rules import write_rule
from engines.installed import plan_of
from networks import network

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
    return list(translate(part, 3, NUMBA, **{name: each(name) for name in names}).lines)


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

    written = translate(f, 1, NUMBA, g=each("g"), t=number("t"))
    assert written.lines == ("return g / c0",)
    assert written.numbers == {"c0": "(1.0 - (0.5 ** t))"}


def test_functions_of_numbers_are_worked_out_in_float64() -> None:
    def f(g: Array, t: int) -> Array:
        return g * math.sqrt(2.0 / math.pi) / np.maximum(1.0, np.power(HALF, t)) * 2**-t

    written = translate(f, 1, NUMBA, g=each("g"), t=number("t"))
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


def endless_schedule(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
    return endless_schedule(step, epoch, steps_per_epoch, epochs)


def takes_a_name(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
    factor_of_0 = 2.0
    return factor_of_0 * squared(step)


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        (with_an_imported_name, "exp is not known in compiled code"),
        (endless_schedule, "more than 100 times"),
        (takes_a_name, "factor_of_0 is a name that is needed here"),
    ],
)
def test_what_a_schedule_may_not_call(schedule: Schedule, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        KernelFunctions().schedule(schedule)


def test_a_function_that_a_schedule_calls_stands_beside_it() -> None:
    written = KernelFunctions()
    written.schedule(with_a_helper)
    assert [line for line in written.lines if line] == [
        "# squared",
        "@schedule",
        "def factor_of_0(x):",
        "    return 1.0 + x",
        "# with_a_helper",
        "@schedule",
        "def factor_of(step, epoch, steps_per_epoch, epochs):",
        "    return factor_of_0(step)",
    ]


def test_powers_of_whole_numbers_in_a_schedule() -> None:
    def halves(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:
        return max(2**-step, HALF / 100)

    written = KernelFunctions()
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


def asks_an_array(z: Array) -> Array:
    return z if z > 0 else -z


def largest_of_arrays(z: Array) -> Array:
    return max(z, -z)


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
        (asks_an_array, "z if z > 0 else"),
        (largest_of_arrays, "max\\(z, -z\\)"),
        (of_numbers_alone, "division by zero"),
        (too_small, "too small"),
        (endless, "more than 100 times"),
        (np.tanh, "source"),
    ],
)
def test_what_cannot_be_written_out_is_refused_with_a_reason(part: Callable[..., Any], why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        translate(part, 3, NUMBA, z=each("z"))


def test_rules_that_fold() -> None:
    """Gradient descent into W, momentum into V; adam is not linear."""
    descent, momentum, adam = (
        write_rule(optimizers.get(name)(), NUMBA) for name in ("gradient_descent", "momentum", "adam")
    )
    assert descent.fold is not None
    assert (descent.fold.slot, descent.fold.alpha, descent.fold.beta) == (None, "(-c0)", "F(1.0)")
    assert momentum.fold is not None
    assert momentum.fold == ("slot_velocity", "F(1.0)", "F(0.9)", "c0")
    assert adam.fold is None


def test_choices_by_numbers_are_made_once_an_update() -> None:
    """In float64, and by Python's own choice too; beside a choice entry by entry."""

    def f(g: Array, t: int) -> Array:
        start = np.where(t == 1, 0.5, 2.0**-t)
        longest = max(3, t) if t > 2 else 1
        first = (t == 1) & (g > 0)
        return np.where(first, start, g) * longest

    written = translate(f, 1, NUMBA, g=each("g"), t=number("t"))
    assert written.lines == (
        "first_1 = c0 != F(0) and g > F(0)",
        "return (c1 if first_1 else g) * c2",
    )
    assert written.numbers == {
        "c0": "(t == 1)",
        "c1": "(0.5 if (t == 1) else (2.0 ** (-1 * t)))",
        "c2": "(max(3, t) if (t > 2) else 1)",
    }


def test_a_choice_between_arrays_by_a_number() -> None:
    def f(g: Array, t: int) -> Array:
        return np.sign(g) if HALF * t > 2.0 else np.minimum(g, np.full_like(g, t))

    written = translate(f, 1, NUMBA, g=each("g"), t=number("t"))
    assert written.lines == ("return np.sign(g) if c1 != F(0) else minimum(g, c0)",)
    assert written.numbers == {"c0": "t", "c1": "((0.5 * t) > 2.0)"}


def test_a_choice_that_is_known_is_made_now() -> None:
    def f(g: Array) -> Array:
        return g + 1 if HALF > 1 else g - 1

    assert lines(f, "g") == ["return g - F(1)"]


def test_weight_decay_is_part_of_the_product() -> None:
    """Gradient descent with decay keeps no gradient: W ← (1 − α λ) W − α DᵀX by BLAS."""
    rule = with_weight_decay(optimizers.get("gradient_descent")(), 0.01)
    fold = write_rule(rule, NUMBA).fold
    assert fold == (None, "(-c0)", "(F(1.0) - c1)", None)
    source = kernel_source(kernel_plan_of(plan_of(network((3, 5, 2)), rule), np.float32), "run_slice")
    assert "transposed_times(d2, x1, n, (-c0), (F(1.0) - c1), W2)" in source
    assert "c1 = F((rate * 0.01))" in source
    assert "transposed_times_rows" not in source.partition("def run_slice")[2]
    assert write_rule(with_weight_decay(optimizers.get("momentum")(), 0.01), NUMBA).fold is None


def test_a_rule_with_decay_folds_into_beta() -> None:
    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        return rate * (g + 0.01 * w), slots

    rule = write_rule(Optimizer(0.1, step), NUMBA)
    assert rule.fold is not None
    assert rule.fold.beta == "(F(1.0) - c1)"
    assert rule.numbers == {"c0": "rate", "c1": "(rate * 0.01)"}


def test_a_scalar_slot_must_be_one_number() -> None:
    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        (largest,) = slots
        return rate * g, (largest + g,)

    with pytest.raises(Untranslatable, match="from weight to weight"):
        write_rule(Optimizer(0.1, step, slots={"largest": "scalar"}), NUMBA)


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

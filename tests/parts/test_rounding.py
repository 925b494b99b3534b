"""Activations, their derivatives, and losses against mpmath, in both dtypes and engines: docs/rounding.md.

No error that a grid or a search among random points finds is above the bound of the formula's record, 4 units where it
says no other (tests/parts/exact_formulas.py): of the last place of the result wherever that can be kept.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rounding
from bptrain.parts.activations import activations
from bptrain.parts.losses import losses
from bptrain.parts.types import Array
from engines.installed import EXHAUSTIVE, needs_compiler
from parts import ulps
from parts.exact_formulas import ACTIVATIONS, LOSSES
from parts.ulps import DTYPES, ENGINES, measured

PARTS = [*ACTIVATIONS, *LOSSES]


@pytest.fixture(autouse=True)
def a_smaller_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The points of the grid, and a few random ones: the whole search is that of dev/rounding.py."""
    monkeypatch.setattr(ulps, "MANY", 4_000)
    monkeypatch.setattr(ulps, "CELLS", 24)


PAGE = Path(__file__).parents[2] / "docs" / "rounding.md"


def test_every_part_is_measured() -> None:
    assert set(ACTIVATIONS) == set(activations)
    assert {name.split(",")[0] for name in LOSSES} == set(losses)
    for name in losses:
        part: Any = losses.get(name)()
        assert ("E of z" in LOSSES[name]) == (part.canonical is not None and part.E_of_z is not part.E), name


# Compiling takes a second per formula: here every second part in one of the dtypes, all in both by dev/rounding.py and
# in the exhaustive check.
MEASURED = [
    pytest.param(part, dtype, engine, marks=[needs_compiler] if engine == "numba" else [])
    for k, part in enumerate(PARTS)
    for dtype in DTYPES
    for engine in ENGINES
    if engine == "numpy" or EXHAUSTIVE or (k % 2 == 0 and dtype is DTYPES[k // 2 % 2])
]


@pytest.mark.parametrize(("part", "dtype", "engine"), MEASURED)
@pytest.mark.slow
def test_no_error_is_above_the_bound(part: str, dtype: type, engine: str) -> None:
    errors = measured(part, dtype, engine)
    assert {error.of for error in errors} == ({**ACTIVATIONS, **LOSSES}[part]).keys()
    for error in errors:
        assert error.units <= error.exact.bound, (
            f"{error.of} of {part}: {error.units} units of {error.exact.unit}"
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_digit_lost_is_seen(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """½ + ½ tanh(z/2), which keeps the digits of 1, has none where the sigmoid is small."""

    def f(z: Array) -> Array:
        return 0.5 + 0.5 * np.tanh(0.5 * z)

    part = activations.get("sigmoid")()
    monkeypatch.setattr(activations, "get", lambda name: lambda: part._replace(f=f))
    assert measured("sigmoid", dtype, "numpy")[0].units > 1e6


def test_probabilities_of_rare_events() -> None:
    """Sigmoid, worked out with 60 digits."""
    f = activations.get("sigmoid")().f
    z: Array = np.array([-15, -17, -20, -80], np.float32)
    np.testing.assert_allclose(
        f(z), [3.0590222692562e-7, 4.13993754739e-8, 2.0611536181902e-9, 1.8048513878e-35], rtol=3e-7
    )
    np.testing.assert_allclose(f(np.array([-36.0])), [2.3195228302435691e-16], rtol=5e-16)


def test_the_page_has_every_formula() -> None:
    """Its measurements are of one machine; what it lists, and against what, is what is measured here."""
    rows = rounding.rows_of(PAGE.read_text(encoding="utf-8"))
    expected = {
        (part, of, exact.unit)
        for part, formulas in {**ACTIVATIONS, **LOSSES}.items()
        for of, exact in formulas.items()
    }
    assert rows.keys() == expected
    for (part, of, _), figures in rows.items():
        bound = {**ACTIVATIONS, **LOSSES}[part][of].bound
        assert all(float(figure) <= bound for figure in figures), (part, of)

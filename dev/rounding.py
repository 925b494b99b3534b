"""Writes docs/rounding.md: `python dev/rounding.py`; how many units in the last place each formula is off here.

The formulas with all their digits are in tests/parts/exact_formulas.py; tests/parts/test_rounding.py keeps the bound.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numba
import numpy as np

from parts.exact_formulas import ACTIVATIONS, BOUND, LOSSES, Exact
from parts.ulps import DTYPES, ENGINES, MANY, Error, measured

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rounding.md"
ROW = re.compile(
    r"^\| (.+?) \| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| (.+?) \|", re.MULTILINE
)

HEAD = f"""\
# Rounding

How far activations, their derivatives and losses are from their exact values: f, f' and the losses of z over |z| ≤
1e4, the losses of x over outputs of their range. An exact value is that of the very floats that a formula is given,
with 120 digits (mpmath). The unit is the last place (ulp): the distance between the floats around the result, at most
1.2e-7 of it in float32 and 2.2e-16 in float64. f' and Jᵀg are computed from the x that the engine has, f' is compared
with that of the exact one. "E of z" is the loss of a canonical pair (softmax with cross_entropy, for example),
computed from z_L.

The figures are the largest among the points of a grid and the worst of {5 * MANY:,} random ones, found by comparison
with a type of more digits; rare floats may be some tenths of a unit worse (of silu's and mish's f', up to 1.5 units: a
search of millions found 5.0 and 5.6). No error found is above {BOUND:g} units, but where the table names another bound,
and why. Where the unit cannot be the last place of the result, the table says of what it is, and why; "of the result"
is then the largest error in units of the result in float32 and float64, "all" where no digit need be right. In the
compiled engine a number below the smallest one with a full mantissa (1.2e-38 in float32, 2.2e-308 in float64) counts as
0, in the result and on the way to it; NumPy keeps fewer of its digits.

So f' of sigmoid and tanh is 0 where x has rounded to 1. Its error is then below 1e-7 in float32, a unit in the last
place of x, and so is that of the gradient.

Written by `python dev/rounding.py`; `tests/parts/test_rounding.py` keeps the bound.

## A row in another batch

The last bits of a row's outputs may differ with the other rows that it is predicted or evaluated with: a product of
matrices of another size may be added up in another order, as in PyTorch. The differences grow with the depth and the
width of the network, since each layer adds its own and passes on those before it: in a 784-512-512-512-10 relu network
in float32 they were up to 4.3e-7 of the largest output. They are relative to the terms of the sums, so an output near
0, whose terms cancel, may lose all its digits. The same rows in the same order give the same bits, on the same machine
and with the same number of threads.
"""


def figure(units: float) -> str:
    """Units in the table."""
    return f"{units:.2f}"


def in_results(errors: list[Error]) -> str:
    """The largest error in units of the result, where another unit is kept."""
    if errors[0].exact.scale is None:
        return ""
    by_dtype = [max(e.results for e in errors if e.dtype == np.dtype(dtype).name) for dtype in DTYPES]
    return ", ".join(f"{units:.0f}" if units < 1e5 else "all" for units in by_dtype)


def table(parts: dict[str, list[list[Error]]]) -> Iterator[str]:
    """One row per formula."""
    columns = [f"{np.dtype(dtype).name} {engine}" for dtype in DTYPES for engine in ENGINES]
    yield f"| part | of | {' | '.join(columns)} | units of | of the result | why |"
    yield f"| --- | --- |{' ---: |' * len(columns)} --- | --- | --- |"
    for part, formulas in parts.items():
        for errors in formulas:
            exact, figures = errors[0].exact, " | ".join(figure(error.units) for error in errors)
            bound = f"up to {exact.bound:g}: " if exact.bound > BOUND else ""
            yield (
                f"| {part} | {errors[0].of} | {figures} | {exact.unit.replace('|', '&#124;')} | {in_results(errors)} "
                f"| {bound}{exact.reason.replace('|', '&#124;')} |"
            )


def rows_of(page: str) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """The figures of a page, by part, formula and unit."""
    rows = {}
    for part, of, *figures, unit in ROW.findall(page):
        rows[part, of, unit.replace("&#124;", "|")] = tuple(figures)
    return rows


def all_errors(parts: dict[str, dict[str, Exact]]) -> dict[str, list[list[Error]]]:
    """By part, the errors of each formula in the order of the columns."""
    found = {}
    for part in parts:
        of_all = [measured(part, dtype, engine) for dtype in DTYPES for engine in ENGINES]
        found[part] = [list(errors) for errors in zip(*of_all, strict=True)]
    return found


def main() -> None:
    """Measures, and writes the page."""
    text = [HEAD]
    for title, parts in (("Activations", ACTIVATIONS), ("Losses", LOSSES)):
        text += [f"## {title}\n", *table(all_errors(parts)), ""]
    text += [f"Measured with NumPy {np.__version__} and Numba {numba.__version__}."]
    PAGE.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

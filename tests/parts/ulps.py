"""How far the formulas of the parts are from their exact values, engine by engine, in units in the last place.

The exact value is that of the very floats that a formula is given; f' is given the x that the engine has, and compared
with what it is of the exact x. It is worked out at the points of a grid, and at the worst of many random points: those
where the result is furthest from NumPy's in a type of more digits.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp

from bptrain.engines.compiled.functions import Function, KernelFunctions
from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.types import Array
from parts.exact_formulas import ACTIVATIONS, BITS, LOSSES, Exact

DTYPES: list[type] = [np.float32, np.float64]
MANY = 40_000  # random points of each kind
CELLS = 192  # neighboring ones, of which the worst is taken
# Where searches have found the largest errors: of softplus' f', of sigmoid and of log_cosh.
FOUND = (-4.4823942, -4.847205, -4.8460722, -7.2563767, -0.6931665, 0.6978214, 0.34955284, 0.50377685)

Run = Callable[
    [str, Callable[..., Any], dict[str, Array], bool], Array
]  # (kind, formula, arrays, by row) -> results


class Error(NamedTuple):
    """The largest errors of one formula of one part in one dtype by one engine."""

    part: str
    of: str
    dtype: str
    engine: str
    units: float  # in the last place of the unit that its record names
    results: float  # in the last place of the result

    @property
    def exact(self) -> Exact:
        """The record of the formula."""
        return {**ACTIVATIONS, **LOSSES}[self.part][self.of]


def grid(dtype: type) -> Array:
    """Some z with |z| ≤ 1e4: dense around 0, at every magnitude, and where exponentials end in either dtype."""
    rng = np.random.default_rng(0)
    sizes = [np.geomspace(1e-9, 1e4, 80), rng.uniform(0, 20, 120), rng.uniform(0, 110, 60)]
    ends = [
        e + rng.uniform(-1, 1, 6) for e in (5.5, 12.9, 16.6, 36.7, 87.3, 88.7, 103.9, 708.4, 709.8, 745.1)
    ]
    z = np.concatenate([*sizes, *ends, [0.5, 1, 1.278464542761074, 3], FOUND])
    return np.unique(np.concatenate([z, -z, [0.0]]).astype(dtype))


def many(dtype: type) -> Array:
    """Random z with |z| ≤ 1e4, most of them where functions bend."""
    rng = np.random.default_rng(3)
    near = [rng.uniform(-width, width, MANY) for width in (1, 6, 30, 110)]
    z = np.concatenate([*near, 10 ** rng.uniform(-9, 4, MANY) * rng.choice([-1, 1], MANY)])
    return np.unique(z.astype(dtype))


def targets_of(loss: Loss, dtype: type, z: Array) -> tuple[Array, Array, Array]:
    """Outputs, pre-activations, and targets of a loss, a row for each pair; of numbers, those of z."""
    rng = np.random.default_rng(1)
    rows = 300 if len(z) < MANY else MANY
    X: Array
    Z: Array
    T: Array
    if loss.outputs == "distribution":
        Z = np.concatenate(
            [rng.normal(size=(rows, 3)) * 10 ** rng.uniform(-1, 2, (rows, 1)), np.zeros((2, 3))]
        )
        Z = Z.astype(dtype)
        shares: Array = rng.dirichlet([1, 1, 1], len(Z)).astype(dtype)
        one: Array = np.eye(3, dtype=dtype)
        T = np.concatenate([one[Z.argmax(axis=1)], one[rng.integers(0, 3, len(Z))], shares])
        Z = np.tile(Z, (3, 1))
        with np.errstate(under="ignore"):
            X = np.maximum(activations.get("softmax")().f(Z.astype(np.float64)), 1e-30).astype(dtype)
        return X, Z, T
    x = {
        "values": z,
        "positive": np.geomspace(1e-6, 1e4, rows),
        "margins": z,
        "probabilities": 1 / (1 + np.exp(-z[np.abs(z) < 30].astype(np.float64))),
    }[loss.outputs]
    x = x.astype(dtype)
    if loss.outputs == "probabilities":
        x = x[(x > 0) & (x < 1)]
    t = {"values": [-7.25, 0.0, 1.0, 1e3], "positive": [0.0, 1.0, 7.0], "margins": [0.0, 1.0]}.get(
        loss.outputs, [0.0, 0.3, 1.0]
    )
    X, Z = np.tile(x, len(t))[:, None], np.tile(z, len(t))[:, None]
    T = np.array(t, dtype)
    return X, Z, T


def by_numpy(kind: str, formula: Callable[..., Any], arrays: dict[str, Array], by_row: bool) -> Array:
    """What NumPy makes of a formula."""
    with np.errstate(all="ignore"):
        return formula(*arrays.values())


def by_numba(kind: str, formula: Callable[..., Any], arrays: dict[str, Array], by_row: bool) -> Array:
    """What the compiled engine makes of a formula."""
    from numba import types

    from bptrain.engines.compiled.cache import compiled
    from bptrain.engines.compiled.kernel import RUNTIME

    first = next(iter(arrays.values()))
    functions, n = KernelFunctions(), first.shape[1]
    function = functions.formula(kind, n, tuple(arrays), formula)
    bits = first.itemsize * 8
    source = [
        "import math",
        "import numpy as np",
        *(
            f"from {RUNTIME}.elementary import {name}_{bits} as {name}"
            for name in ("exp", "expm1", "tanh", "log1p")
        ),
        f"from {RUNTIME}.loops import formula, largest, loop, maximum, mean, minimum, smallest, square, total",
        f"from {RUNTIME}.subnormals import as_before, subnormals_to_zero",
        f"F = np.float{bits}",
        *functions.lines,
        *_loop(function, list(arrays), n),
    ]
    result = np.empty_like(first[:, :1] if function.formula.result.kind == "row" else first)
    run: Any = compiled("\n".join(source) + "\n", "run", tuple([_matrix(types, bits)] * (len(arrays) + 1)))
    run(*arrays.values(), result)
    return result[:, 0] if function.formula.result.kind == "row" else result


def _matrix(types: Any, bits: int) -> Any:
    return {32: types.float32, 64: types.float64}[bits][:, ::1]


def _loop(function: Function, names: list[str], n: int) -> Iterator[str]:
    """The loop over all rows, and over their entries where the formula is one of entries."""
    scratch = function.scratch
    yield from ("", "", "@loop", f"def run({', '.join(names)}, result):")
    yield from (f"    {name} = np.empty({n}, F)" for name in scratch)
    yield "    word = subnormals_to_zero()"
    yield f"    for r in range(len({names[0]})):"
    if not function.formula.by_row:
        yield f"        for j in range({n}):"
        yield f"            result[r, j] = {function.name}({', '.join(f'{name}[r, j]' for name in names)})"
    else:
        given = ", ".join(f"{name}[r]" for name in names)
        if function.formula.result.kind == "row":
            yield f"        result[r, 0] = {function.name}({', '.join([given, *scratch])})"
        else:
            yield f"        {function.name}({', '.join([given, 'result[r]', *scratch])})"
    yield "    as_before(word)"


ENGINES: dict[str, Run] = {"numpy": by_numpy, "numba": by_numba}


def place(size: Any, dtype: type) -> Any:
    """The unit in the last place of a number: the distance between the floats around it."""
    info = np.finfo(dtype)
    exponent = mp.frexp(size)[1] - 1 if size else -math.inf
    return mp.ldexp(1, int(max(exponent, info.minexp)) - info.nmant)


def largest_error(exact: Exact, got: Array, given: list[Array], compiled: bool) -> tuple[float, float]:
    """The largest error over all rows, in the unit of the record and in that of the results."""
    dtype, most = got.dtype.type, [mp.mpf(0), mp.mpf(0)]
    info = np.finfo(dtype)
    for row, results in zip(zip(*given, strict=True), got.reshape(len(got), -1), strict=True):
        numbers = [[mp.mpf(float(entry)) for entry in array] for array in row]
        values = exact.value(*numbers)
        scales = values if exact.scale is None else exact.scale(*numbers)
        factors = [1] * len(values) if exact.factor is None else exact.factor(*numbers)
        for value, scale, factor, result in zip(values, scales, factors, results, strict=True):
            small = max(1, factor) * mp.mpf(float(info.tiny))
            if abs(value) > float(info.max) and np.isinf(result):
                continue
            error = abs(mp.mpf(float(result)) - value)
            if compiled:  # what is below the smallest normal number on the way is 0
                error = max(0, error - small)
            for k, size in enumerate((scale, value)):
                most[k] = max(most[k], error / max(place(abs(size), dtype), small * float(info.eps)))
    return float(most[0]), float(most[1])


class Case(NamedTuple):
    """A formula at many points."""

    of: str
    exact: Exact
    got: Array  # its results
    given: list[Array]  # what its exact value is of, a row for each point
    wider: Array  # its results by NumPy in a type of more digits

    def worst(self) -> "Case":
        """The point of each cell where its result is furthest from that with more digits."""
        got = self.got.reshape(len(self.got), -1).astype(self.wider.dtype)
        wider = self.wider.reshape(got.shape)
        info = np.finfo(self.got.dtype)
        with np.errstate(all="ignore"):
            unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(wider), info.tiny)))) * float(info.eps)
            off = np.nan_to_num(np.abs(got - wider) / unit, posinf=0.0).max(axis=1)
        cells = [cell for cell in np.array_split(np.arange(len(off)), CELLS) if len(cell)]
        rows = np.array([cell[off[cell].argmax()] for cell in cells])
        return self._replace(got=self.got[rows], given=[array[rows] for array in self.given])


def measured(part: str, dtype: type, engine: str) -> list[Error]:
    """All formulas of a part, by the name of its record."""
    with mp.workprec(BITS):
        name, run = part.split(",")[0], ENGINES[engine]
        options = {"tau": 0.999} if "tau" in part else {}
        of = _of_activation if part in ACTIVATIONS else _of_loss
        registry: Any = activations if part in ACTIVATIONS else losses
        made = registry.get(name)(**options)
        found = []
        for at_grid, at_many in zip(
            *(of(part, made, z, run) for z in (grid(dtype), many(dtype))), strict=True
        ):
            errors = [
                largest_error(case.exact, case.got, case.given, engine == "numba")
                for case in (at_grid, at_many.worst())
            ]
            largest = [max(pair) for pair in zip(*errors, strict=True)]
            found.append(Error(part, at_grid.of, np.dtype(dtype).name, engine, *largest))
        return found


def _wider(formula: Callable[..., Any], *arrays: Array) -> Array:
    """What NumPy makes of a formula with more digits."""
    more = np.float64 if arrays[0].dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        return np.asarray(formula(*(array.astype(more) for array in arrays)))


def _of_activation(part: str, activation: Activation, z: Array, run: Run) -> Iterator[Case]:
    exact, f = ACTIVATIONS[part], activation.f
    if activation.product is not None:
        product = activation.product
        _, z, _ = targets_of(losses.get("cross_entropy")(), z.dtype.type, z)
        x = run("f", f, {"z": z}, True)
        yield Case("f", exact["f"], x, [z], _wider(f, z))
        g: Array = np.random.default_rng(2).normal(size=z.shape).astype(z.dtype)
        yield Case(
            "Jᵀg",
            exact["Jᵀg"],
            run("product", product, {"x": x, "g": g}, True),
            [x, g],
            _wider(product, x, g),
        )
        return
    z = z[:, None]
    x = run("f", f, {"z": z}, False)
    yield Case("f", exact["f"], x, [z], _wider(f, z))
    df = activation.df
    assert df is not None
    slopes = _wider(lambda z: df(z, f(z)) + 0 * z, z)
    yield Case("f'", exact["f'"], run("df", df, {"z": z, "x": x}, False), [z], slopes)


def _of_loss(part: str, loss: Loss, z: Array, run: Run) -> Iterator[Case]:
    exact, E_of_z = LOSSES[part], loss.E_of_z
    X, Z, T = targets_of(loss, z.dtype.type, z)
    t_x, t_z = (T, T) if T.ndim == 2 else (np.repeat(T, len(M) // len(T))[:, None] for M in (X, Z))
    at_x, at_z = {"x": X, "t": t_x}, {"z": Z, "t": t_z}
    yield Case("E", exact["E"], run("loss", loss.E, at_x, True), [X, t_x], _wider(loss.E, X, t_x))
    yield Case("∂E/∂x", exact["∂E/∂x"], run("dloss", loss.dE, at_x, False), [X, t_x], _wider(loss.dE, X, t_x))
    if "E of z" in exact:
        assert E_of_z is not None
        yield Case(
            "E of z", exact["E of z"], run("loss", E_of_z, at_z, True), [Z, t_z], _wider(E_of_z, Z, t_z)
        )

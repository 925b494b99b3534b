"""Every activation and loss once more, with some 120 digits, and what rounding is measured against.

A formula takes one row of numbers of mpmath (of z or x, and of targets) and gives a list: a number for each entry, or
the one loss of the row. `scale` gives as many: sizes whose last place is the unit where that of the result cannot be.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from mpmath import mp

Row = list[Any]  # numbers of mpmath
BOUND = 4.0  # units that an error is kept below, where nothing else is said
BITS = 400  # of precision: what cancels below loses at most a third of it

LONG = (
    "e^z of float32 is up to 2.4 units off in NumPy, up to twice as many of the result; more roundings follow"
)
SQUARED = (
    "it goes by the square of x − t, which is rounded, and of its sinh, which NumPy has up to 1.5 units off"
)
FROM_X = "f' is worked out from x: 1 − x keeps what rounding has left of it (as in PyTorch)"
POWER = "e^a with a rounded: its relative error is |a| times that of a"
ROOT = "the result changes sign: beside its terms it is small there"
DISTRIBUTION = "terms of both signs: beside them the result is small where x is near t"


class Exact(NamedTuple):
    """A formula, and the unit of its error where that is not the last place of the result."""

    value: Callable[..., Row]
    scale: Callable[..., Row] | None = None
    unit: str = "the result"
    reason: str = ""
    factor: Callable[..., Row] | None = None  # of what may be below the smallest normal number on the way
    bound: float = BOUND  # of the error, in units


def entrywise(formula: Callable[..., Any]) -> Callable[..., Row]:
    """A formula of single numbers over the entries of rows."""
    return lambda *rows: [formula(*entries) for entries in zip(*rows, strict=True)]


def of_entries(
    value: Callable[..., Any],
    scale: Callable[..., Any] | None = None,
    unit: str = "the result",
    reason: str = "",
    factor: Callable[..., Any] | None = None,
    bound: float = BOUND,
) -> Exact:
    """The record of a formula of single numbers."""
    of_rows = [None if of is None else entrywise(of) for of in (scale, factor)]
    return Exact(entrywise(value), of_rows[0], unit, reason, of_rows[1], bound)


def logistic(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def softplus(z: Any) -> Any:
    return mp.log1p(mp.exp(-abs(z))) + max(z, 0)


def sech2(z: Any) -> Any:
    return 1 / mp.cosh(z) ** 2


def gelu_a(z: Any) -> Any:
    return mp.sqrt(8 / mp.pi) * (z + mp.mpf("0.044715") * z**3)


def gelu_slope(z: Any) -> Any:
    return mp.sqrt(8 / mp.pi) * (1 + 3 * mp.mpf("0.044715") * z**2)


def bump(a: Any) -> Any:
    """The derivative of the logistic function."""
    return logistic(a) * logistic(-a)


def mish_terms(z: Any) -> tuple[Any, Any]:
    return mp.tanh(softplus(z)), z * sech2(softplus(z)) * logistic(z)


def softmax(z: Row) -> Row:
    most = max(z)
    e = [mp.exp(z_j - most) for z_j in z]
    return [e_j / mp.fsum(e) for e_j in e]


def softmax_product(x: Row, g: Row) -> Row:
    inner = mp.fsum(a * b for a, b in zip(x, g, strict=True))
    return [a * (b - inner) for a, b in zip(x, g, strict=True)]


def softmax_terms(x: Row, g: Row) -> Row:
    inner = mp.fsum(a * abs(b) for a, b in zip(x, g, strict=True))
    return [a * (abs(b) + inner) for a, b in zip(x, g, strict=True)]


SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # selu's; 0.01 and others as Python reads them, too

ACTIVATIONS: dict[str, dict[str, Exact]] = {
    "identity": {"f": of_entries(lambda z: z), "f'": of_entries(lambda z: mp.mpf(1))},
    "sigmoid": {"f": of_entries(logistic), "f'": of_entries(bump, logistic, "x", FROM_X)},
    "tanh": {"f": of_entries(mp.tanh), "f'": of_entries(sech2, lambda z: mp.mpf(1), "1", FROM_X)},
    "hard_sigmoid": {
        "f": of_entries(lambda z: min(max(z + 3, 0), 6) / 6),
        "f'": of_entries(lambda z: mp.mpf(1) / 6 if abs(z) < 3 else mp.mpf(0)),
    },
    "hard_tanh": {
        "f": of_entries(lambda z: min(max(z, -1), 1)),
        "f'": of_entries(lambda z: mp.mpf(abs(z) < 1)),
    },
    "softsign": {
        "f": of_entries(lambda z: z / (1 + abs(z))),
        "f'": of_entries(lambda z: 1 / (1 + abs(z)) ** 2),
    },
    "relu": {"f": of_entries(lambda z: max(z, 0)), "f'": of_entries(lambda z: mp.mpf(z > 0))},
    "leaky_relu": {
        "f": of_entries(lambda z: z if z > 0 else mp.mpf(0.01) * z),
        "f'": of_entries(lambda z: mp.mpf(1 if z > 0 else 0.01)),
    },
    "elu": {
        "f": of_entries(lambda z: z if z > 0 else mp.expm1(z)),
        "f'": of_entries(lambda z: mp.exp(min(z, 0))),
    },
    "selu": {
        "f": of_entries(lambda z: mp.mpf(SCALE) * (z if z > 0 else mp.mpf(ALPHA) * mp.expm1(z))),
        "f'": of_entries(
            lambda z: mp.mpf(SCALE) * (1 if z > 0 else mp.mpf(ALPHA) * mp.exp(z)), factor=lambda z: 2
        ),
    },
    "softplus": {"f": of_entries(softplus), "f'": of_entries(logistic)},
    "silu": {
        "f": of_entries(lambda z: z * logistic(z), reason=LONG, factor=abs, bound=5.0),
        "f'": of_entries(
            lambda z: logistic(z) + z * bump(z),
            lambda z: logistic(z) + abs(z) * bump(z),
            "its terms s + |z| s (1 − s)",
            f"{ROOT}; {LONG}",
            abs,
            6.0,
        ),
    },
    "gelu": {
        "f": of_entries(
            lambda z: z * logistic(gelu_a(z)),
            lambda z: abs(z) * (logistic(gelu_a(z)) + abs(gelu_a(z)) * bump(gelu_a(z))),
            "x max(1, |a|), a = √(8/π) (z + 0.044715 z³)",
            POWER,
            abs,
        ),
        "f'": of_entries(
            lambda z: logistic(gelu_a(z)) + z * gelu_slope(z) * bump(gelu_a(z)),
            lambda z: (
                (logistic(gelu_a(z)) + abs(z) * gelu_slope(z) * bump(gelu_a(z))) * max(1, abs(gelu_a(z)))
            ),
            "its terms times max(1, |a|)",
            f"{POWER}; {ROOT}",
            lambda z: abs(z) * gelu_slope(z),
        ),
    },
    "mish": {
        "f": of_entries(lambda z: z * mp.tanh(softplus(z)), reason=LONG, factor=abs, bound=5.0),
        "f'": of_entries(
            lambda z: sum(mish_terms(z)),
            lambda z: sum(map(abs, mish_terms(z))),
            "its terms",
            f"{ROOT}; {LONG}",
            abs,
            6.0,
        ),
    },
    "sine": {"f": of_entries(mp.sin), "f'": of_entries(mp.cos)},
    "gaussian": {
        "f": of_entries(
            lambda z: mp.exp(-z * z), lambda z: mp.exp(-z * z) * max(1, z * z), "x max(1, z²)", POWER
        ),
        "f'": of_entries(
            lambda z: -2 * z * mp.exp(-z * z),
            lambda z: abs(2 * z) * mp.exp(-z * z) * max(1, z * z),
            "f' max(1, z²)",
            POWER,
            lambda z: 2 * abs(z),
        ),
    },
    "softmax": {
        "f": Exact(
            softmax,
            lambda z: [x * max(1, max(z) - z_j) for x, z_j in zip(softmax(z), z, strict=True)],
            "x_j max(1, m − z_j), m the largest z",
            POWER,
        ),
        "Jᵀg": Exact(softmax_product, softmax_terms, "its terms", ROOT),
    },
}


def cross_of_z(z: Row, t: Row) -> Any:
    """−Σ t ln x of x = softmax(z): every term is positive."""
    most = max(z)
    others = mp.fsum(mp.exp(z_j - most) for z_j in sorted(z)[:-1])
    return mp.fsum(t_k * (mp.log1p(others) + (most - z_k)) for z_k, t_k in zip(z, t, strict=True))


def cross_terms(z: Row, t: Row) -> Any:
    """The same with ln Σ e^(z_j − m) raised as much as the powers in it."""
    others = mp.fsum(mp.exp(z_j - max(z)) for z_j in sorted(z)[:-1])
    raised = mp.log1p(others) * max(1, max(z) - sorted(z)[-2])
    return mp.fsum(t_k * (raised + (max(z) - z_k)) for z_k, t_k in zip(z, t, strict=True))


def cross(x: Row, t: Row) -> Any:
    return -mp.fsum(t_k * mp.log(x_k) for x_k, t_k in zip(x, t, strict=True) if t_k)


def log_terms(t: Row) -> Any:
    """Σ t ln t, whose terms are not positive."""
    return mp.fsum(t_k * mp.log(t_k) for t_k in t if t_k)


def log_cosh(x: Any, t: Any) -> Any:
    return mp.log(mp.cosh(x - t))


def quantile(tau: float) -> dict[str, Exact]:
    """The losses at one τ."""
    return {
        "E": of_entries(lambda x, t: max(mp.mpf(tau) * (t - x), (1 - mp.mpf(tau)) * (x - t))),
        "∂E/∂x": of_entries(
            lambda x, t: -mp.mpf(tau) if x < t else 1 - mp.mpf(tau) if x > t else mp.mpf("0.5") - tau
        ),
    }


def short(x: Any, t: Any) -> Any:
    return max(1 - (2 * t - 1) * x, 0)


def bce(x: Any, t: Any) -> Any:
    return -(t * mp.log(x) if t else 0) - ((1 - t) * mp.log1p(-x) if t != 1 else 0)


DIFFERENCE = of_entries(lambda x, t: x - t)
CROSS_SLOPE = Exact(entrywise(lambda x, t: -t / x))

LOSSES: dict[str, dict[str, Exact]] = {
    "half_squared_error": {"E": of_entries(lambda x, t: (x - t) ** 2 / 2), "∂E/∂x": DIFFERENCE},
    "mean_squared_error": {
        "E": of_entries(lambda x, t: (x - t) ** 2),
        "∂E/∂x": of_entries(lambda x, t: 2 * (x - t)),
    },
    "absolute_error": {
        "E": of_entries(lambda x, t: abs(x - t)),
        "∂E/∂x": of_entries(lambda x, t: mp.sign(x - t)),
    },
    "huber": {
        "E": of_entries(lambda x, t: (x - t) ** 2 / 2 if abs(x - t) <= 1 else abs(x - t) - mp.mpf("0.5")),
        "∂E/∂x": of_entries(lambda x, t: min(max(x - t, -1), 1)),
    },
    "log_cosh": {
        "E": of_entries(log_cosh, reason=SQUARED, bound=6.5),
        "∂E/∂x": of_entries(lambda x, t: mp.tanh(x - t)),
    },
    "quantile": quantile(0.5),
    "quantile, tau: 0.999": quantile(0.999),
    "binary_cross_entropy": {
        "E": of_entries(bce),
        "∂E/∂x": of_entries(lambda x, t: (x - t) / (x * (1 - x))),
        "E of z": of_entries(lambda z, t: mp.log1p(mp.exp(-abs(z))) + (-t * z if z <= 0 else (1 - t) * z)),
    },
    "cross_entropy": {
        "E": Exact(lambda x, t: [cross(x, t)]),
        "∂E/∂x": CROSS_SLOPE,
        "E of z": Exact(
            lambda z, t: [cross_of_z(z, t)],
            lambda z, t: [cross_terms(z, t)],
            "its terms, with ln Σ e^(z_j − m) times max(1, m − the next z)",
            POWER,
            lambda z, t: [len(z)],
        ),
    },
    "kl_divergence": {
        "E": Exact(
            lambda x, t: [cross(x, t) + log_terms(t)],
            lambda x, t: [cross(x, t) - log_terms(t)],
            "its terms",
            DISTRIBUTION,
        ),
        "∂E/∂x": CROSS_SLOPE,
        "E of z": Exact(
            lambda z, t: [cross_of_z(z, t) + log_terms(t)],
            lambda z, t: [cross_terms(z, t) - log_terms(t)],
            "its terms, with ln Σ e^(z_j − m) times max(1, m − the next z)",
            f"{POWER}; {DISTRIBUTION}",
            lambda z, t: [len(z)],
        ),
    },
    "poisson": {
        "E": of_entries(
            lambda x, t: x - t * mp.log(x),
            lambda x, t: x + abs(t * mp.log(x)),
            "its terms x + |t ln x|",
            ROOT,
        ),
        "∂E/∂x": of_entries(lambda x, t: 1 - t / x),
    },
    "hinge": {
        "E": of_entries(short),
        "∂E/∂x": of_entries(lambda x, t: 1 - 2 * t if short(x, t) > 0 else mp.mpf(0)),
    },
    "squared_hinge": {
        "E": of_entries(lambda x, t: short(x, t) ** 2),
        "∂E/∂x": of_entries(lambda x, t: 2 * (1 - 2 * t) * short(x, t)),
    },
}

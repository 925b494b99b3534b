"""Activations that let one side pass: relu and its relatives.

The relu family lets about half of a signal's square pass, which he_* makes up for. selu passes all of it by its
constants, and softplus as much by its positive mean: for these `auto` draws glorot_*.
"""

import math

import numpy as np

from bptrain.parts.activations.base import Activation, activations
from bptrain.parts.activations.steps import FAR, at_least, decay, growth, logistic, within
from bptrain.parts.types import Array, NonNegative

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # λ and α of Klambauer et al. 2017
GELU_SLOPE, GELU_CUBE = math.sqrt(8.0 / math.pi), 0.044715  # 2 √(2/π), and the factor of z³


@activations.add("relu", "f(z) = max(z, 0)", "f'(z) = 1 for z > 0, else 0")
def relu() -> Activation:
    """max(z, 0). f'(0) = 0. Nair and Hinton 2010."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, 0.0, z)

    def df(z: Array, x: Array) -> Array:
        return np.where(x.real <= 0, 0.0, 1.0)

    return Activation(f, df, range=(0.0, math.inf), attains=True, kinks=(0.0,), relu_family=True)


@activations.add("leaky_relu", "f(z) = z for z > 0, else {slope} z", "f'(z) = 1 for z > 0, else {slope}")
def leaky_relu(slope: NonNegative = 0.01) -> Activation:
    """z for z > 0, else slope z. f'(0) = slope. Maas, Hannun and Ng 2013."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, slope * z, z)

    def df(z: Array, x: Array) -> Array:
        return np.where(x.real <= 0, slope, 1.0)

    return Activation(f, df, kinks=(0.0,), relu_family=True)


@activations.add("elu", "f(z) = z for z > 0, else {alpha} (e^z − 1)", "f'(z) = 1 for z > 0, else {alpha} e^z")
def elu(alpha: NonNegative = 1.0) -> Activation:
    """z for z > 0, else alpha (e^z − 1). f'(0) = alpha. Clevert, Unterthiner and Hochreiter 2016."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, alpha * np.expm1(np.where(z.real <= 0, z, 0.0)), z)

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real <= 0, alpha * np.exp(np.where(z.real <= 0, z, 0.0)), 1.0)

    kinks = () if alpha == 1 else (0.0,)
    return Activation(f, df, range=(-alpha, math.inf), kinks=kinks, relu_family=True)


@activations.add(
    "selu", "f(z) = 1.0507 z for z > 0, else 1.7581 (e^z − 1)", "f'(z) = 1.0507 for z > 0, else 1.7581 e^z"
)
def selu() -> Activation:
    """λ z for z > 0, else λ α (e^z − 1), with λ = 1.0507… and α = 1.6732…. Klambauer et al. 2017.

    With these constants outputs keep mean 0 and variance 1 from layer to layer if the weights have variance 1 / n_in:
    the paper uses lecun_normal. f'(0) = λ α.
    """
    bottom = SELU_SCALE * SELU_ALPHA

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, bottom * np.expm1(np.where(z.real <= 0, z, 0.0)), SELU_SCALE * z)

    def df(z: Array, x: Array) -> Array:
        return np.where(z.real <= 0, bottom * np.exp(np.where(z.real <= 0, z, 0.0)), SELU_SCALE)

    return Activation(f, df, range=(-1.7581, math.inf), kinks=(0.0,))


@activations.add("softplus", "f(z) = ln(1 + e^z)", "f'(z) = 1 / (1 + e^(−z))")
def softplus() -> Activation:
    """ln(1 + e^z). Computed as max(z, 0) + ln(1 + e^−|z|); f' = e^z / (1 + e^z). Dugas et al. 2001."""

    def f(z: Array) -> Array:
        return np.where(z.real <= 0, 0.0, z) + np.log1p(decay(z))

    def df(z: Array, x: Array) -> Array:
        return logistic(growth(z))

    return Activation(f, df, range=(0.0, math.inf))


@activations.add("silu", "f(z) = z {c}", "f'(z) = {c} + z {c} (1 − {c})", "{c} = 1 / (1 + e^(−z))")
def silu() -> Activation:
    """z / (1 + e^−z). Elfwing, Uchibe and Doya 2018; Hendrycks and Gimpel 2016. Also called swish.

    With s = 1 / (1 + e^−z), f' = s + z s (1 − s), where 1 − s is 1 / (1 + e^z).
    """

    def f(z: Array) -> Array:
        z = at_least(z, -FAR)
        return z * logistic(growth(z))

    def df(z: Array, x: Array) -> Array:
        z = within(z, -FAR, FAR)
        e = growth(z)
        s = logistic(e)
        return s + z * (s / (1.0 + e))

    return Activation(f, df, range=(-0.2785, math.inf), relu_family=True)


@activations.add(
    "gelu",
    "f(z) = ½ z (1 + tanh {c})",
    "f'(z) = ½ (1 + tanh {c}) + ½ z (1 − (tanh {c})²) √(2/π) (1 + 0.134145 z²)",
    "{c} = √(2/π) (z + 0.044715 z³)",
)
def gelu() -> Activation:
    """½ z (1 + tanh(√(2/π) (z + 0.044715 z³))). Hendrycks and Gimpel 2016; the tanh form, not z Φ(z).

    ½ (1 + tanh(a/2)) is computed as e^a / (1 + e^a), which is accurate where it is small. The exact form, z Φ(z), which
    is the default of PyTorch and Keras, differs by at most 0.0005.
    """

    def f(z: Array) -> Array:
        z = at_least(z, -FAR)
        a = GELU_SLOPE * (z + GELU_CUBE * (z * z * z))
        return z * logistic(growth(a))

    def df(z: Array, x: Array) -> Array:
        z = within(z, -FAR, FAR)
        a = GELU_SLOPE * (z + GELU_CUBE * (z * z * z))
        e = growth(a)
        s = logistic(e)
        da = GELU_SLOPE * (1.0 + 3.0 * GELU_CUBE * (z * z))
        return s + z * da * (s / (1.0 + e))

    return Activation(f, df, range=(-0.1701, math.inf), relu_family=True)


@activations.add(
    "mish", "f(z) = z tanh {c}", "f'(z) = tanh {c} + z (1 − (tanh {c})²) / (1 + e^(−z))", "{c} = ln(1 + e^z)"
)
def mish() -> Activation:
    """z tanh(ln(1 + e^z)). Misra 2020.

    With e = e^−|z|, tanh(ln(1 + e^z)) is p / q, p = e (e + 2), q = p + 2 for z ≤ 0, and p = 1 + 2e, q = p + 2e² for
    z > 0; its derivative is 4 e (1 + e) / q² and 4 e² (1 + e) / q².
    """

    def f(z: Array) -> Array:
        z = at_least(z, -FAR)
        e = decay(z)
        p = np.where(z.real <= 0, e * (e + 2.0), 1.0 + 2.0 * e)
        q = p + np.where(z.real <= 0, 2.0, 2.0 * (e * e))
        return z * (p / q)

    def df(z: Array, x: Array) -> Array:
        z = within(z, -FAR, FAR)
        e = decay(z)
        p = np.where(z.real <= 0, e * (e + 2.0), 1.0 + 2.0 * e)
        q = p + np.where(z.real <= 0, 2.0, 2.0 * (e * e))
        return p / q + z * (4.0 * (np.where(z.real <= 0, e, e * e) * (1.0 + e)) / (q * q))

    return Activation(f, df, range=(-0.3089, math.inf), relu_family=True)

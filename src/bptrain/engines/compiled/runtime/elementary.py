"""exp, expm1, tanh and log1p without branches or table look-ups, so that the compiler turns them into vector code.

The C library's functions work on one number at a time: 4 ns per exp and 14 ns per tanh, against some 0.5 ns here.
ln u of log1p is theirs.

    x = i ln 2 + r,  |r| ≤ ½ ln 2            i by rounding x / ln 2, r in two steps (Cody and Waite 1980)
    e^x − 1 = 2^i (p(r) + 1 − 2^−i)          p(r) = e^r − 1, a polynomial without constant term
    e^x     = 2^i (p(r) + 1)
    tanh x  = ∓ y / (y + 2),  y = e^(−2|x|) − 1
    ln(1 + x) = ln u · x / (u − 1),  u = 1 + x rounded      (Goldberg 1991, theorem 4)

Adding 1.5 · 2^(bits of the mantissa) rounds a number to an integer that stands in its lowest bits; 2^i is made by
placing i + bias in the bits of the exponent, in two factors, since 2^i alone may be out of range. NaN and infinity
come out as they should, subnormal results included. Relative errors: below 1.5e-7 in float32, 5e-16 in float64.
"""

import math

import numpy as np
from numba import njit

from bptrain.engines.compiled.runtime.loops import INSIDE

F = np.float32
G = np.float64
I = np.int32
J = np.int64

# Strict: the rounding above is undone by a compiler that takes sums in another order.
strict = njit(fastmath={"contract"}, forceinline=True, **INSIDE)


@strict
def power_32(i):
    """2^i for −126 ≤ i ≤ 127."""
    return I((i + I(127)) << I(23)).view(F)


@strict
def power_64(i):
    """2^i for −1022 ≤ i ≤ 1023."""
    return J((i + J(1023)) << J(52)).view(G)


@strict
def polynomial_32(r):
    """e^r − 1 for |r| ≤ ½ ln 2. Cephes' coefficients (Moshier 1989), in pairs, so that fewer steps wait for others."""
    r2 = r * r
    p = (F(5.0000001201e-1) + F(1.6666665459e-1) * r) + r2 * (
        (F(4.1665795894e-2) + F(8.3334519073e-3) * r) + r2 * (F(1.3981999507e-3) + F(1.9875691500e-4) * r)
    )
    return p * r2 + r


@strict
def split_32(x):
    """i and p(r)."""
    shifted = x * F(1.4426950408889634) + F(12582912.0)
    k = shifted - F(12582912.0)
    r = (x - k * F(0.693359375)) + k * F(2.12194440e-4)
    return F(shifted).view(I) - I(0x4B400000), polynomial_32(r)


@strict
def split_64(x):
    """i and p(r). The polynomial is Taylor's, to r¹³: what is left out is below 5e-18."""
    shifted = x * G(1.4426950408889634) + G(6755399441055744.0)
    k = shifted - G(6755399441055744.0)
    r = (x - k * G(6.93147180369123816490e-01)) - k * G(1.90821492927058770002e-10)
    p = G(1 / 6227020800)
    p = p * r + G(1 / 479001600)
    p = p * r + G(1 / 39916800)
    p = p * r + G(1 / 3628800)
    p = p * r + G(1 / 362880)
    p = p * r + G(1 / 40320)
    p = p * r + G(1 / 5040)
    p = p * r + G(1 / 720)
    p = p * r + G(1 / 120)
    p = p * r + G(1 / 24)
    p = p * r + G(1 / 6)
    p = p * r + G(0.5)
    return G(shifted).view(J) - J(0x4338000000000000), p * (r * r) + r


@strict
def exp_32(x):
    """e^x in float32."""
    x = F(-104.0) if x < F(-104.0) else x
    x = F(89.0) if x > F(89.0) else x
    i, p = split_32(x)
    h = i >> I(1)
    return (p + F(1.0)) * power_32(h) * power_32(i - h)


@strict
def exp_64(x):
    """e^x in float64."""
    x = G(-746.0) if x < G(-746.0) else x
    x = G(710.0) if x > G(710.0) else x
    i, p = split_64(x)
    h = i >> J(1)
    return (p + G(1.0)) * power_64(h) * power_64(i - h)


@strict
def expm1_32(x):
    """e^x − 1 in float32, exact near 0."""
    x = F(-18.0) if x < F(-18.0) else x
    x = F(89.0) if x > F(89.0) else x
    i, p = split_32(x)
    h = i >> I(1)
    return (p + (F(1.0) - power_32(-h) * power_32(h - i))) * power_32(h) * power_32(i - h)


@strict
def expm1_64(x):
    """e^x − 1 in float64, exact near 0."""
    x = G(-40.0) if x < G(-40.0) else x
    x = G(710.0) if x > G(710.0) else x
    i, p = split_64(x)
    h = i >> J(1)
    return (p + (G(1.0) - power_64(-h) * power_64(h - i))) * power_64(h) * power_64(i - h)


@strict
def tanh_32(x):
    """tanh x in float32. −18 ≤ −2|x| ≤ 0 needs one factor 2^i, and r in one step."""
    u = F(-2.0) * abs(x)
    u = F(-18.0) if u < F(-18.0) else u
    shifted = u * F(1.4426950408889634) + F(12582912.0)
    s = power_32(F(shifted).view(I) - I(0x4B400000))
    r = u - (shifted - F(12582912.0)) * F(0.6931471805599453)
    y = s * polynomial_32(r) + (s - F(1.0))
    return F(math.copysign(y / (y + F(2.0)), x))


@strict
def tanh_64(x):
    """tanh x in float64."""
    y = expm1_64(G(-2.0) * abs(x))
    return math.copysign(y / (y + G(2.0)), x)


@strict
def log1p_32(x):
    """ln(1 + x) in float32."""
    u = F(1.0) + x
    return x if u == F(1.0) or u == F(np.inf) else np.log(u) * (x / (u - F(1.0)))


@strict
def log1p_64(x):
    """ln(1 + x) in float64."""
    u = G(1.0) + x
    return x if u == G(1.0) or u == G(np.inf) else np.log(u) * (x / (u - G(1.0)))

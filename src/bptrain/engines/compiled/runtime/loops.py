"""What a compiled loop is written in: the flags of the compiler, and sums over a row.

Formulas are compiled strictly: their arithmetic is that of the registered part, up to fused multiply-adds. Sums may
be taken in any order, which is what makes them fast. No flag assumes away NaN or infinity.
"""

from numba import njit

# What loops call and Python does not: without the entries that Python and C would take, a seventh less to compile.
INSIDE = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

# A formula, put straight into the loop that calls it.
formula = njit(fastmath={"contract"}, forceinline=True, **INSIDE)

# The same for a rule that divides every weight's step by one number: the division becomes one reciprocal.
rule = njit(fastmath={"contract", "arcp"}, forceinline=True, **INSIDE)

# A schedule: plain Python numbers, in float64.
schedule = njit(fastmath=set(), **INSIDE)

# A loop over sums, kept on disk between processes. It lets other threads run.
loop = njit(
    fastmath={"contract", "reassoc", "nsz", "arcp"},
    error_model="numpy",
    no_cfunc_wrapper=True,
    cache=True,
    nogil=True,
    boundscheck=False,
)

_sum = njit(fastmath={"contract", "reassoc", "nsz"}, forceinline=True, **INSIDE)


@_sum
def total(row):
    """The sum of a row."""
    s = row[0]
    for j in range(1, row.shape[0]):
        s += row[j]
    return s


@formula
def largest(row):
    """The maximum of a row, NaN if it holds one."""
    m = row[0]
    for j in range(1, row.shape[0]):
        m = m if m >= row[j] or m != m else row[j]
    return m


@formula
def smallest(row):
    """The minimum of a row, NaN if it holds one."""
    m = row[0]
    for j in range(1, row.shape[0]):
        m = m if m <= row[j] or m != m else row[j]
    return m


@_sum
def mean(row):
    """The mean of a row."""
    return total(row) / row.dtype.type(row.shape[0])


@formula
def minimum(a, b):
    """The smaller of two numbers, NaN if one of them is."""
    return b if b < a or b != b else a


@formula
def maximum(a, b):
    """The larger of two numbers, NaN if one of them is."""
    return b if b > a or b != b else a


@formula
def square(x):
    """x²."""
    return x * x

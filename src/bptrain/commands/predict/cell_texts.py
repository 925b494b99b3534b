"""Cells of predictions as texts: the shortest that read back as the same number."""

import numpy as np

from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.data.sheet_columns import texts_of
from bptrain.formats.coded_texts import CodedTexts
from bptrain.parts.types import Array

DIGITS = range(6, 10)  # six, which a float32 always keeps, to nine, which any float32 needs at most
EXACT_POWER = 22  # of ten, up to which one is exact in float64


def number_texts(values: Array) -> list[str]:
    """Numbers, N, as texts that read back as the same number of the same type."""
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind in "iu":
        return [*map(str, values.tolist())]
    if values.dtype == np.float32:
        return texts_of_float32(values)
    return texts_of_float64(values.astype(np.float64, copy=False))


def texts_of_float64(values: Array) -> list[str]:
    """The shortest texts that float() reads as the same number, as repr() has them, several times faster."""
    from pydantic_core import to_json

    texts = to_json(values.tolist(), inf_nan_mode="constants").decode()[1:-1].split(",")
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        texts[row] = repr(float(values[row]))
    return texts


def lines_of_numbers(column: OutColumn) -> str | None:
    """The cells of a column of finite float64, each on a line; None of any other column."""
    from pydantic_core import to_json

    values = column.values
    if not isinstance(values, np.ndarray) or values.dtype != np.float64 or column.copied:
        return None
    if column.missing is not None or not len(values) or not np.isfinite(values).all():
        return None
    return to_json(values.tolist()).decode()[1:-1].replace(",", "\n") + "\n"


def texts_of_float32(values: Array) -> list[str]:
    """The shortest texts that read back as the same float32.

    With d digits that is m 10^k, for a whole number m of d digits. Where both are exact in float64, this is rounded
    once, to the float64 with that text; it is the one where it is nearest to the same float32. Nine digits always are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = values.astype(np.float64)
        exponent = np.floor(np.log10(np.abs(exact)))
    usual = exponent - min(DIGITS) + 1 <= EXACT_POWER
    # below a power of two numbers lie twice as close as above it, so that the nearest m may not be the only one
    alike = np.abs(np.frexp(exact)[0]) != 0.5
    short, settled = np.zeros(len(values)), (exact == 0) & ~np.signbit(exact)
    for digits in DIGITS:
        k = exponent - digits + 1
        rows = np.flatnonzero(~settled & usual & (k >= -EXACT_POWER) & (alike | (digits == min(DIGITS))))
        power, large = 10.0 ** np.abs(k[rows]), k[rows] >= 0
        m = np.rint(np.where(large, exact[rows] / power, exact[rows] * power))
        near = np.where(large, m * power, m / power)
        with np.errstate(over="ignore"):
            same = near.astype(np.float32) == values[rows]
        short[rows[same]] = near[same]
        settled[rows[same]] = True
    texts = texts_of_float64(short)
    for row in np.flatnonzero(~settled).tolist():  # very large or small ones, infinity and NaN
        texts[row] = str(values[row])
    return texts


def cell_texts(column: OutColumn) -> list[str]:
    """The cells of a column, "" where one is empty."""
    values = column.values
    if isinstance(values, CodedTexts):
        texts = [*map(values.texts.__getitem__, values.codes.tolist())]
    elif column.copied or not isinstance(values, np.ndarray):
        texts = texts_of(values)
    else:
        texts = number_texts(values)
    if column.missing is not None:
        texts = [*texts]
        for row in np.flatnonzero(column.missing).tolist():
            texts[row] = ""
    return texts

"""A chart of some lines of plain characters."""

import math
from collections.abc import Mapping, Sequence

from bptrain.console.terminal.screen import figure

MARKS = "*o+x"
STEEP = 20.0  # a ratio of largest to smallest from which the scale is logarithmic


def chart(
    title: str, epochs: Sequence[int], series: Mapping[str, Sequence[float | None]], width: int
) -> list[str]:
    """Values by epoch, a mark for each series; a column stands for the mean of its epochs."""
    known = [
        value for values in series.values() for value in values if value is not None and math.isfinite(value)
    ]
    if not known:
        return [f"{title}: nothing to draw"]
    low, high = min(known), max(known)
    logarithmic = low > 0 and high / low > STEEP
    scale = math.log if logarithmic else float
    height = 10 if high > low else 1
    top, bottom = scale(high), scale(low)
    labels = {0: figure(float(high)), height - 1: figure(float(low))}
    room = max(map(len, labels.values()))
    columns = max(width - room - 4, 10)
    grid = [[" "] * columns for _ in range(height)]
    span = max(epochs[-1] - epochs[0], 1)
    for mark, values in zip(MARKS, series.values(), strict=False):
        bins: dict[int, list[float]] = {}
        for epoch, value in zip(epochs, values, strict=True):
            if value is not None and math.isfinite(value):
                bins.setdefault(round((epoch - epochs[0]) / span * (columns - 1)), []).append(value)
        for column, within in bins.items():
            share = (top - scale(math.fsum(within) / len(within))) / ((top - bottom) or 1.0)
            grid[min(round(share * (height - 1)), height - 1)][column] = mark
    legend = "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, series, strict=False))
    head = f"{title}{', on a logarithmic scale' if logarithmic else ''}: {legend}"
    rows = [f"  {labels.get(k, ''):>{room}} |{''.join(line).rstrip()}" for k, line in enumerate(grid)]
    first, last = str(epochs[0]), str(epochs[-1])
    axis = first if len(epochs) == 1 else f"{first}{last:>{columns - len(first)}}"
    return [head, *rows, f"  {'':>{room}} +{'-' * columns}", f"  {'':>{room}}  {axis}"]

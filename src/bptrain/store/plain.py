"""Values as plain JSON types."""

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Arrays as lists, NumPy numbers as Python's, and NaN or infinity as None, which JSON cannot say."""
    import numpy as np  # here, so that a command may fail, or print a text, without it

    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

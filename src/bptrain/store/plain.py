"""Values as plain JSON types, and back from JSON."""

import json
import math
from collections.abc import Mapping
from typing import Any


def parsed(text: str | bytes) -> Any:
    """What JSON says. Raises ValueError for what is none."""
    from pydantic_core import from_json  # in half the time

    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)  # takes half a surrogate pair, too, which a name of a file may have


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

"""The types that parts share: arrays, and the bounds of their options."""

from typing import Annotated, Any

import numpy as np
from annotated_types import Interval
from numpy.typing import NDArray

Array = NDArray[Any]  # float32, float64, or complex128 in the gradient check

Unit = Annotated[float, Interval(ge=0, le=1)]
Inside = Annotated[float, Interval(gt=0, lt=1)]
BelowOne = Annotated[float, Interval(ge=0, lt=1)]
Positive = Annotated[float, Interval(gt=0)]
NonNegative = Annotated[float, Interval(ge=0)]
Share = Inside  # the same; a name that plug-ins may import
AboveOne = Annotated[float, Interval(gt=1)]
Count = Annotated[int, Interval(ge=1, le=10**9)]
NonNegativeCount = Annotated[int, Interval(ge=0, le=10**9)]

# α_{W_i}: one number for the whole network, or one for each layer
LearningRate = Positive | tuple[Positive, ...]

Generator = np.random.Generator

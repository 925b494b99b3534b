"""Small files and settings for the tests of the data room."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.prepare import prepare
from bptrain.data.prepared import Prepared
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.sources import DataSource, FileSource
from bptrain.errors import DataError, Problem
from bptrain.parts.scalers import none

SQUARED = NetworkFacts("half_squared_error", "values")
BINARY = NetworkFacts("binary_cross_entropy", "probabilities")
CROSS = NetworkFacts("cross_entropy", "distribution")


def write(folder: Path, text: str, name: str = "data.csv") -> FileSource:
    """A text file as a source."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return FileSource(path)


def whole(source: DataSource, target: Any = "y", **options: Any) -> DataSettings:
    """Settings that train on all rows, unscaled by default."""
    chosen: dict[str, Any] = {
        "validation_share": 0.0,
        "test_share": 0.0,
        "scale": none(),
        "scale_target": None,
    } | options
    return DataSettings(source, target=target, **chosen)


def prepared(
    settings: DataSettings, facts: NetworkFacts = SQUARED, seed: int = 0, **options: Any
) -> Prepared:
    """`prepare` in float64."""
    return prepare(settings, facts, seed, np.float64, **options)


def problems(settings: DataSettings, facts: NetworkFacts = SQUARED) -> list[Problem]:
    """The problems that `prepare` finds."""
    with pytest.raises(DataError) as caught:
        prepared(settings, facts)
    return caught.value.problems

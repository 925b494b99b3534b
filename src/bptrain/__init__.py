"""Train multilayer perceptrons from a YAML file, and check their gradients.

import bptrain
run = bptrain.fit("config.yaml", {"training.epochs": 20})
model = bptrain.load(run.path)
y = model.predict(X)
mean = bptrain.cross_validate("config.yaml", folds=10).mean["test"]
report = bptrain.gradcheck("config.yaml")
grade = bptrain.check_backward("my_backprop.py", "config.yaml")
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.4.0"
__all__ = [
    "CrossValidation", "Ensemble", "Model", "Run", "SeededRuns", "__version__",
    "check_backward", "cross_validate", "ensemble", "fit", "gradcheck", "load", "seeds",
]  # fmt: skip

if TYPE_CHECKING:
    from bptrain.api import (
        CrossValidation,
        Ensemble,
        Model,
        Run,
        SeededRuns,
        check_backward,
        cross_validate,
        ensemble,
        fit,
        gradcheck,
        load,
        seeds,
    )


def __getattr__(name: str) -> Any:
    """Imports the API when it is first asked for: `bptrain --version` needs no NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'bptrain' has no attribute {name!r}")
    from bptrain import api

    return getattr(api, name)

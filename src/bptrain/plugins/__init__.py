"""What a plug-in needs: the registries of parts, what their factories return, and the types of options.

A plug-in is a Python file that registers parts of your own, given on the command line (`--plugin my_parts.py`) or to
the Python API (`plugins=["my_parts.py"]`); no YAML file can name one. It imports from here:

    from bptrain.plugins import Activation, activations

    @activations.add("cube")
    def cube(scale: float = 1.0) -> Activation:
        \"\"\"scale z³.\"\"\"
        return Activation(lambda z: scale * z * z * z, lambda z, x: 3.0 * scale * z * z)

docs/plugins.md shows how. The other modules of this package load the file, and tell what is wrong with it.
"""

from annotated_types import Interval

from bptrain.parts.activations import Activation, activations
from bptrain.parts.initializers import Initializer, initializers
from bptrain.parts.losses import Loss, difference_terms, losses
from bptrain.parts.metrics import Metric, metrics
from bptrain.parts.optimizers import Optimizer, Slots, optimizers
from bptrain.parts.scalers import Affine, Scaler, scalers
from bptrain.parts.schedules import Schedule, schedules
from bptrain.parts.solvers import Iteration, Objective, Solver, solvers
from bptrain.parts.types import (
    AboveOne,
    Array,
    BelowOne,
    Count,
    Generator,
    Inside,
    LearningRate,
    NonNegative,
    NonNegativeCount,
    Positive,
    Share,
    Unit,
)

__all__ = [
    "AboveOne",
    "Activation",
    "Affine",
    "Array",
    "BelowOne",
    "Count",
    "Generator",
    "Initializer",
    "Inside",
    "Interval",
    "Iteration",
    "LearningRate",
    "Loss",
    "Metric",
    "NonNegative",
    "NonNegativeCount",
    "Objective",
    "Optimizer",
    "Positive",
    "Scaler",
    "Schedule",
    "Share",
    "Slots",
    "Solver",
    "Unit",
    "activations",
    "difference_terms",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "scalers",
    "schedules",
    "solvers",
]

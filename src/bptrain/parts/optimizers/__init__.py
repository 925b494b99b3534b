"""Optimizers: pure rules on the flat parameter vector, by family. `base` says what a rule is."""

from bptrain.parts.optimizers.base import Optimizer, Slots, Step, optimizers, with_weight_decay
from bptrain.parts.optimizers.descent import gradient_descent, momentum, nesterov
from bptrain.parts.optimizers.moments import adam, adamax, adamw, amsgrad, nadam, radam
from bptrain.parts.optimizers.squares import adadelta, adagrad, rmsprop
from bptrain.parts.optimizers.whole_set import quickprop, rprop

__all__ = [
    "Optimizer",
    "Slots",
    "Step",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "amsgrad",
    "gradient_descent",
    "momentum",
    "nadam",
    "nesterov",
    "optimizers",
    "quickprop",
    "radam",
    "rmsprop",
    "rprop",
    "with_weight_decay",
]

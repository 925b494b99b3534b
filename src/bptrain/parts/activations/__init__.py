"""Activations: x = f(z), and right below it f'(z).

`df(z, x)` is given x = f(z) as well and uses whichever is cheaper. An activation that is not element-wise
(softmax) has no f'; it supplies the product Jᵀg of its Jacobian with a vector instead.
"""

from bptrain.parts.activations import outputs, rectifiers, sigmoids, waves
from bptrain.parts.activations.base import Activation, activations

__all__ = ["Activation", "activations", "outputs", "rectifiers", "sigmoids", "waves"]

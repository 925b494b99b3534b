"""Whether the parts of a network give arrays of the right shapes on its own rows.

A wrong shape would fail far from the mistake, or would spread over rows and units where it should not.
"""

from collections.abc import Iterator

import numpy as np

from bptrain.errors import UsageError
from bptrain.gradient_check.point import GradientPoint
from bptrain.plugins.kinds import wrong_shape


def refuse_wrong_shapes(point: GradientPoint) -> None:
    """Raises UsageError where a part gives another shape than it should, on all rows or on the first alone."""
    with np.errstate(all="ignore"):
        for some in (point, point.some_rows(np.arange(1))):
            for fault in _faults(some):
                raise UsageError(fault)


def _faults(point: GradientPoint) -> Iterator[str]:
    """The faults, from the first layer to the loss; each is raised before the next layer is given its outcome."""
    network, parameters, masks = point.network, point.parameters, point.context.dropout_masks
    X = Z = point.X_0
    for i in range(1, network.L + 1):
        W, b = parameters.W[i], parameters.b[i]
        Z = np.asarray((X * masks[i - 1] if i - 1 in masks else X) @ W.T + (0.0 if b is None else b))
        f, df, product = network.activations[i][:3]
        whose, of = f"the activation of layer {i}", f"z of shape {Z.shape}"
        X = f(Z)
        yield from (f"{whose} {words}" for words in wrong_shape("f", X, Z.shape, of))
        if df is not None:
            yield from (f"{whose} {words}" for words in wrong_shape("df", df(Z, X), Z.shape, of))
        elif product is not None:
            yield from (f"{whose} {words}" for words in wrong_shape("product", product(X, Z), Z.shape, of))
    loss, T, of = network.loss, point.T, f"x and t of shape {X.shape}"
    yield from (f"the loss {words}" for words in wrong_shape("E", loss.E(X, T), (len(X),), of))
    yield from (f"the loss {words}" for words in wrong_shape("dE", loss.dE(X, T), X.shape, of))
    if network.canonical and loss.E_of_z is not None:
        yield from (f"the loss {words}" for words in wrong_shape("E_of_z", loss.E_of_z(Z, T), (len(X),), of))

"""Losses of probabilities and counts: what the targets cost in a code that is made for the outputs.

A target of 0 costs nothing: t ln x is 0 there, whatever x.
"""

import numpy as np

from bptrain.parts.activations.steps import decay
from bptrain.parts.losses.base import Loss, difference_terms, losses
from bptrain.parts.types import Array, BelowOne


@losses.add(
    "binary_cross_entropy", "E = −Σ_j (t_j ln x_j + (1 − t_j) ln(1 − x_j))", "∂E/∂x = (x − t) / (x ∘ (1 − x))"
)
def binary_cross_entropy(label_smoothing: BelowOne = 0.0) -> Loss:
    """−Σ [t ln x + (1 − t) ln(1 − x)]. Each output is a separate yes or no. Canonical with sigmoid. Hinton 1989.

    From z it is Σ [ln(1 + e^z) − t z], computed as Σ [ln(1 + e^−|z|) + (1 − t) z] for z > 0 and Σ [ln(1 + e^−|z|) − t
    z] else: no term is below 0, so none takes digits from another. label_smoothing ε gives yes and no a share each: the
    targets are (1 − ε) t + ε/2, in evaluation too. Szegedy et al. 2016, of two classes; as in Keras.
    """

    def E(x: Array, t: Array) -> Array:
        yes = np.where(t == 0, 0.0, t * np.log(x))
        no = np.where(t == 1, 0.0, (1.0 - t) * np.log1p(-x))
        return -(yes + no).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return (x - t) / (x * (1.0 - x))

    def E_of_z(z: Array, t: Array) -> Array:
        return (np.log1p(decay(z)) + np.where(z.real <= 0, -t, 1.0 - t) * z).sum(axis=-1)

    def terms(x: Array, t: Array) -> Array:
        return difference_terms(x, t) / np.abs(x * (1.0 - x))

    return Loss(
        E, dE, "sigmoid", E_of_z, terms, outputs="probabilities", output="sigmoid", smoothing=label_smoothing
    )


@losses.add("cross_entropy", "E = −Σ_k t_k ln x_k", "∂E/∂x = −t / x")
def cross_entropy(label_smoothing: BelowOne = 0.0) -> Loss:
    """−Σ_k t_k ln x_k. The rows of t and x are distributions. Canonical with softmax. Bridle 1990.

    From z it is Σ_k t_k (ln Σ_j e^z_j − z_k). As Σ_j t_j = 1, the logarithm is ln(1 + Σ_j (e^z_j − t_j)), which keeps
    the digits of a small loss. label_smoothing ε gives each of the K classes a share: the targets are (1 − ε) t + ε/K,
    in evaluation too. Szegedy et al. 2016; as in PyTorch and Keras.
    """

    def E(x: Array, t: Array) -> Array:
        return -np.where(t == 0, 0.0, t * np.log(x)).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return -np.where(t == 0, 0.0, t / x)

    def E_of_z(z: Array, t: Array) -> Array:
        shifted = z - z.real.max(axis=-1, keepdims=True)
        log_sum = np.log1p((np.exp(shifted) - t).sum(axis=-1, keepdims=True))
        return (t * (log_sum - shifted)).sum(axis=-1)

    return Loss(
        E, dE, "softmax", E_of_z, _shares, outputs="distribution", output="softmax", smoothing=label_smoothing
    )


@losses.add("kl_divergence", "E = Σ_k t_k ln(t_k / x_k)", "∂E/∂x = −t / x")
def kl_divergence() -> Loss:
    """Σ_k t_k ln(t_k / x_k). The rows of t and x are distributions. Canonical with softmax. Kullback and Leibler 1951.

    cross_entropy minus the entropy of t: the same gradient, and 0 where x = t.
    """

    cross = cross_entropy()
    cross_of_z = cross.E_of_z
    assert cross_of_z is not None

    def E(x: Array, t: Array) -> Array:
        log_t = np.log(np.where(t == 0, 1.0, t))
        return (t * (log_t - np.log(np.where(t == 0, 1.0, x)))).sum(axis=-1)

    def E_of_z(z: Array, t: Array) -> Array:
        log_t = np.log(np.where(t == 0, 1.0, t))
        return (t * log_t).sum(axis=-1) + cross_of_z(z, t)

    return cross._replace(E=E, E_of_z=E_of_z)


def _shares(x: Array, t: Array) -> Array:
    """The one term of t / x."""
    return np.where(t == 0, 0.0, np.abs(t / x))


@losses.add("poisson", "E = Σ_j (x_j − t_j ln x_j)", "∂E/∂x = 1 − t / x")
def poisson() -> Loss:
    """Σ (x − t ln x). The outputs are expected counts, above 0. Nelder and Wedderburn 1972.

    −ln of the Poisson probability of t, without ln t!, which does not depend on the weights (PyTorch's PoissonNLLLoss
    with log_input and full false and eps 0; Keras averages over the outputs). Its canonical activation would be e^z,
    which bptrain does not have.
    """

    def E(x: Array, t: Array) -> Array:
        return (x - t * np.log(np.where(t == 0, 1.0, x))).sum(axis=-1)

    def dE(x: Array, t: Array) -> Array:
        return np.where(t == 0, 1.0, (x - t) / np.where(t == 0, 1.0, x))

    def terms(x: Array, t: Array) -> Array:
        return 1.0 + t / np.where(t == 0, 1.0, x)

    return Loss(E, dE, terms=terms, outputs="positive", output="softplus")

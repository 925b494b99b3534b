"""What a config adds to the plain derivation, a sentence each; for `bptrain explain`."""

from collections.abc import Iterator

from bptrain.config.schema import Config
from bptrain.core.network import Network


def additions(config: Config, network: Network) -> Iterator[str]:
    """The equations as weights, dropout, penalties and bounds change them."""
    yield from _of_the_rows(config, network)
    yield from _of_the_gradient(config, network)
    yield from _of_the_weights(config)


def _of_the_rows(config: Config, network: Network) -> Iterator[str]:
    if config.data.weight is not None or config.loss.class_weight is not None:
        over = "; the mean divides by Σ v" if network.reduction == "mean" else ""
        yield f"an instance weighs v: δ_{network.L} ← v δ_{network.L}{over}"
    for i in network.masked:
        share = network.dropout[i]
        delta = f", and δ_{i} ← m_{i} ∘ δ_{i}" if i > 0 else ""
        yield (
            f"dropout: z_{i + 1} and ∂E/∂W_{i + 1} have m_{i} ∘ x_{i} in the place of x_{i}{delta}; an entry of m_{i} "
            f"is 0 in {share:g} of all cases, else {1 / (1 - share):.4g}; in training alone"
        )


def _of_the_gradient(config: Config, network: Network) -> Iterator[str]:
    training = config.training
    terms = [f"{network.l1:g} sign(W_i)"] if network.l1 else []
    terms += [f"{network.l2:g} W_i"] if network.l2 else []
    if terms:
        yield f"penalty: ∂E/∂W_i ← ∂E/∂W_i + {' + '.join(terms)}, once a batch"
    if training.clip_norm is not None:
        yield f"clip_norm: g ← g min(1, {training.clip_norm:g} / ‖g‖), g all of ∂E/∂W_1 … ∂E/∂b_{network.L}"
    if training.clip_value is not None:
        yield f"clip_value: every entry of g is held to ±{training.clip_value:g}"
    if training.noise is not None:
        variance = f"{training.noise.std:g}² / t^{training.noise.decay:g}"
        yield f"noise: g ← g + N(0, {variance}) in update t"


def _of_the_weights(config: Config) -> Iterator[str]:
    training = config.training
    if training.max_norm is not None:
        yield f"max_norm: after an update each row of W_i is shortened to a norm of {training.max_norm:g}"
    if training.average is not None:
        decay = training.average.decay
        yield (
            f"average: w̄ ← β w̄ + (1 − β) w after update t, β = min({decay:g}, (t − 1) / (t + 8)); w̄ is evaluated "
            "and kept"
        )

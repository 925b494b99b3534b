"""What row weights, dropout, penalties, bounds, noise and averages change in the equations."""

from collections.abc import Iterator

from bptrain.commands.explain.derivation import DerivationLine, DerivationSection, number
from bptrain.config.schema import Config
from bptrain.core.network import Network


def change_lines(config: Config, network: Network) -> DerivationSection | None:
    """The equations as they change; None where nothing changes them."""
    lines = [DerivationLine(text) for text in additions(config, network)]
    return DerivationSection("Added", tuple(lines)) if lines else None


def additions(config: Config, network: Network) -> Iterator[str]:
    """The equations as weights, dropout, penalties and bounds change them."""
    yield from _of_the_rows(config, network)
    yield from _of_the_gradient(config, network)
    yield from _of_the_weights(config)


def is_weighted(config: Config) -> bool:
    """Whether rows weigh differently."""
    return config.data.weight is not None or config.loss.class_weight is not None


def gradients(network: Network, of: str = "∂E/∂") -> str:
    """All blocks of the gradient, or of the weights: those that the network has."""
    names = [f"{of}{'W' if block.kind == 'weight' else 'b'}_{block.layer}" for block in network.blocks]
    alike = len(set(network.bias[1:])) == 1
    if len(names) <= 4 or not alike:
        return ", ".join(names)
    each = 2 if network.bias[1] else 1
    return f"{', '.join(names[:each])} … {', '.join(names[-each:])}"


def _of_the_rows(config: Config, network: Network) -> Iterator[str]:
    if is_weighted(config):
        over = "; the mean divides by Σ ω over the rows" if network.reduction == "mean" else ""
        yield f"an instance has weight ω: δ_{network.L} ← ω δ_{network.L}{over}"
    for i in network.masked:
        share = network.dropout[i]
        delta = f", and δ_{i} ← m_{i} ∘ δ_{i}" if i > 0 else ""
        yield (
            f"dropout: z_{i + 1} and ∂E/∂W_{i + 1} have m_{i} ∘ x_{i} in place of x_{i}{delta}; an entry of m_{i} "
            f"is 0 with probability {number(share)}, else {1 / (1 - share):.4g}; only in training"
        )


def _of_the_gradient(config: Config, network: Network) -> Iterator[str]:
    training = config.training
    terms = [f"{number(network.l1)} sign(W_i)"] if network.l1 else []
    terms += [f"{number(network.l2)} W_i"] if network.l2 else []
    if terms:
        of_objective = [f"{number(network.l1)} Σ |w|"] if network.l1 else []
        of_objective += [f"½ {number(network.l2)} Σ w²"] if network.l2 else []
        yield (
            f"penalty: E ← E + {' + '.join(of_objective)} over all entries w of W_1 … W_{network.L} (training.penalty)"
        )
        yield f"penalty: ∂E/∂W_i ← ∂E/∂W_i + {' + '.join(terms)}, once per batch"
    if training.clip_norm is not None:
        yield (
            f"clip_norm: g ← g min(1, {number(training.clip_norm)} / ‖g‖), g all of {gradients(network)} "
            "(training.clip_norm)"
        )
    if training.clip_value is not None:
        bound = number(training.clip_value)
        yield f"clip_value: every entry of g is clipped to ±{bound} (training.clip_value)"
    if training.noise is not None:
        variance = f"{number(training.noise.std)}² / (s + 1)^{number(training.noise.decay)}"
        yield f"noise: g ← g + N(0, {variance}) in every entry (training.noise)"


def _of_the_weights(config: Config) -> Iterator[str]:
    training = config.training
    if training.max_norm is not None:
        yield (
            f"max_norm: after an update each row of W_i is scaled down to a norm of at most "
            f"{number(training.max_norm)} (training.max_norm)"
        )
    if training.average is not None:
        decay = number(training.average.decay)
        yield (
            f"average: w̄ ← β w̄ + (1 − β) w after an update, β = min({decay}, s / (s + 9)) (training.average); "
            "w̄ is evaluated and saved"
        )

"""The derivation itself: the network and its functions, forward, loss, backward."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bptrain.commands.explain import input_lines
from bptrain.commands.explain.derivation import (
    DerivationLine,
    DerivationSection,
    listed,
    number,
    shape,
)
from bptrain.commands.explain.input_lines import InputText
from bptrain.commands.explain.part_lines import Alphabet, own_words, text_of
from bptrain.commands.explain.update_lines import is_weighted
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses

TARGET = re.compile(r"\bt(?=\b|_)")  # the letter t, with an index or without


def about(network: Network, parts: Sequence[PartConfig], alphabet: Alphabet) -> DerivationSection:
    """What the network is, its functions and their derivatives."""
    sizes = " → ".join(str(n) for n in network.sizes)
    names = [part.name for part in parts[1:]]
    each = names[0] if len(set(names)) == 1 else ", ".join(names)
    return DerivationSection(
        "Network",
        (
            DerivationLine(f"{sizes}: L = {network.L} layers, {each}, {network.size} parameters"),
            *function_lines(network, parts, alphabet),
            DerivationLine("one instance is a column; ∘ is the element-wise product, ᵀ the transpose"),
            DerivationLine(
                "functions, quotients, powers and comparisons of columns, and updates, are taken entry by entry"
            ),
        ),
    )


def function_lines(
    network: Network, parts: Sequence[PartConfig], alphabet: Alphabet
) -> Iterator[DerivationLine]:
    """f and f' of each part, with the layers that have it, and its options."""
    for part, layers in same_part(parts[1:]):
        text = text_of(activations, part, "network.activations", str(layers[0]), alphabet)
        who = listed([f"f_{i}" for i in layers], " = ")
        slope = listed([f"{'f' if network.activations[i].df else 'J'}_{i}" for i in layers], " = ")
        prime = "'" if network.activations[layers[0]].df else ""
        slopes = slope.replace(" = ", f"{prime} = ") + prime
        first, second = text.two(f"f(z) = {own_words(activations, part.name)}", part.name)
        yield DerivationLine(f"{who} = {part.name}: {first}")
        yield DerivationLine(f"{slopes}: {second}")
        yield from text.lines(first=2)


def same_part(parts: Sequence[PartConfig]) -> list[tuple[PartConfig, list[int]]]:
    """The different parts of layers 1 … L, each with its layers, in the order of the first."""
    found: list[tuple[PartConfig, list[int]]] = []
    for i, part in enumerate(parts, 1):
        known = next((layers for other, layers in found if other == part), None)
        if known is None:
            found.append((part, [i]))
        else:
            known.append(i)
    return found


def start_lines(config: Config, network: Network, alphabet: Alphabet, inputs: InputText) -> DerivationSection:
    """The weights and biases before the first update."""
    chosen = []
    for i, part in enumerate(config.network.initializer, 1):
        auto = "he_normal" if network.activations[i].relu_family else "glorot_uniform"
        chosen.append(PartConfig(auto, {}) if part.name == "auto" else part)
    lines, drawn = input_lines.start(inputs), set()
    for part, layers in same_part(chosen):
        text = text_of(initializers, part, "network.initializer", str(layers[0]), alphabet)
        who = listed([f"W_{i}" for i in layers])
        how = text.equations[0] if text.equations else own_words(initializers, part.name)
        lines += [DerivationLine(f"{who}: {part.name}, {how}"), *text.lines(first=1)]
        if initializers.get(part.name)(**part.options).b is not None:
            drawn.update(layers)
    starts = zip(config.network.bias, range(1, network.L + 1), strict=True)
    given = [(0.0 if value is True else value, i) for value, i in starts if value is not False]
    for value, some in groupby((one for one in given if one[1] not in drawn), key=lambda one: one[0]):
        who = listed([f"b_{i}" for _, i in some])
        lines.append(DerivationLine(f"{who}: {number(float(value))} in every entry (network.bias)"))
    if drawn:
        who = listed([f"b_{i}" for i in sorted(drawn)])
        lines.append(DerivationLine(f"{who}: drawn with the weights"))
    lines.append(DerivationLine(f"the draws follow from seed {config.seed}, in {config.network.dtype}"))
    return DerivationSection("Start", tuple(lines))


def forward_lines(network: Network, parts: Sequence[PartConfig], inputs: InputText) -> DerivationSection:
    """z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i)."""
    lines = input_lines.forward(inputs)
    for i in range(1, network.L + 1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        bias = network.bias[i]
        lines.append(
            DerivationLine(
                f"z_{i} = W_{i} x_{i - 1}" + (f" + b_{i}" if bias else ""),
                f"{shape(n_out, 1)} = {shape(n_out, n_in)} · {shape(n_in, 1)}"
                + (f" + {shape(n_out, 1)}" if bias else ""),
            )
        )
        column = shape(n_out, 1)
        lines.append(
            DerivationLine(f"x_{i} = f_{i}(z_{i}),  f_{i} = {parts[i].name}", f"{column} = f({column})")
        )
    return DerivationSection("Forward", tuple(lines))


def target_letter(network: Network) -> str:
    """t, or t' where the labels are smoothed."""
    return "t'" if network.loss.smoothing else "t"


def loss_lines(config: Config, network: Network, alphabet: Alphabet) -> DerivationSection:
    """E and ∂E/∂x_L, and how the rows of a batch are put together."""
    L, n = network.L, network.sizes[-1]
    column = shape(n, 1)
    t = target_letter(network)
    unused = () if network.loss.smoothing else ("label_smoothing",)
    text = text_of(losses, config.loss, "loss", config.loss.name, alphabet, leave_out=unused)
    error, slope = text.two(f"E = {own_words(losses, config.loss.name)}", config.loss.name)
    slope = slope if slope.startswith("∂E/∂x") else f"∂E/∂x: {slope}"
    written = [
        TARGET.sub(t, line).replace("∂E/∂x", f"∂E/∂x_{L}").replace("n_L", f"n_{L}")
        for line in (error, slope, *text.equations[2:])
    ]
    lines = []
    if network.loss.smoothing:
        epsilon = text.letters.get("label_smoothing") or alphabet.take("ε", config.loss.name)
        separate = network.loss.outputs == "probabilities"
        share = f"{epsilon}/2, of yes and no" if separate else f"{epsilon}/K, K = {n} classes"
        lines.append(
            DerivationLine(
                f"t' = (1 − {epsilon}) t + {share}; t' takes the place of t",
                f"{column} = {column} + {column}",
            )
        )
        if "label_smoothing" not in text.letters:  # of a plug-in, whose option has another name
            lines.append(DerivationLine(f"{epsilon} = {number(network.loss.smoothing)}"))
    lines.append(DerivationLine(f"{written[0]}, x = x_{L}", f"1×1 of {column} and {column}"))
    lines.append(DerivationLine(written[1], column))
    lines += [DerivationLine(line) for line in written[2:]]
    if f"n_{L}" in " ".join(written):
        lines.append(DerivationLine(f"n_{L} = {n} outputs"))
    lines += [DerivationLine(option) for option in text.options]
    if "label_smoothing" in config.loss.options and not network.loss.smoothing:
        lines.append(DerivationLine("t is not smoothed: 0 (loss.label_smoothing)"))
    over = {
        ("mean", False): "the mean of E over its rows",
        ("sum", False): "the sum of E over its rows",
        ("mean", True): "the mean of E over its rows, weighted: Σ ω E / Σ ω",
        ("sum", True): "the sum of ω E over its rows",
    }[network.reduction, is_weighted(config)]
    lines.append(DerivationLine(f"the objective of a batch is {over} (loss.reduction: {network.reduction})"))
    return DerivationSection(f"Loss: {config.loss.name}", tuple(lines))


def backward_lines(network: Network, inputs: InputText) -> DerivationSection:
    """δ_L, the recursion δ_i, and the gradients of each layer."""
    lines = []
    for i in range(network.L, 0, -1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        lines.append(output_delta_line(network) if i == network.L else delta_line(network, i))
        lines.append(
            DerivationLine(
                f"∂E/∂W_{i} = δ_{i} x_{i - 1}ᵀ",
                f"{shape(n_out, n_in)} = {shape(n_out, 1)} · {shape(1, n_in)}",
            )
        )
        if network.bias[i]:
            lines.append(DerivationLine(f"∂E/∂b_{i} = δ_{i}", shape(n_out, 1)))
    lines += input_lines.backward(inputs)
    of_parts = (
        ["∂E/∂W_i"] + ["∂E/∂b_i"] * any(network.bias) + ["those of the embedding"] * bool(network.input_steps)
    )
    *first, last = of_parts
    both = f"{', '.join(first)} and {last} are" if first else f"{last} is"
    lines.append(
        DerivationLine(
            f"of a batch, E is the objective, and {both} the {network.reduction} of these over its rows"
        )
    )
    return DerivationSection("Backward", tuple(lines))


def output_delta_line(network: Network) -> DerivationLine:
    """δ_L: x_L − t for a canonical pair, else ∂E/∂x_L through f_L."""
    L, t = network.L, target_letter(network)
    column = shape(network.sizes[L], 1)
    if network.canonical and network.loss.canonical != "identity":
        return DerivationLine(
            f"δ_{L} = x_{L} − {t}  (f_{L}' and the loss cancel)", f"{column} = {column} − {column}"
        )
    error = f"(x_{L} − {t})" if network.loss.canonical == "identity" else f"∂E/∂x_{L}"
    if network.canonical:
        return DerivationLine(f"δ_{L} = x_{L} − {t}  (f_{L}' = 1)", f"{column} = {column} − {column}")
    if network.activations[L].df is None:
        square = shape(network.sizes[L], network.sizes[L])
        return DerivationLine(
            f"δ_{L} = J_{L}ᵀ {error}  (J the Jacobian of f_{L})", f"{column} = {square} · {column}"
        )
    return DerivationLine(f"δ_{L} = {error} ∘ f_{L}'(z_{L})", f"{column} = {column} ∘ {column}")


def delta_line(network: Network, i: int) -> DerivationLine:
    """δ_i = (W_{i+1}ᵀ δ_{i+1}) ∘ f_i'(z_i)."""
    column, above = shape(network.sizes[i], 1), shape(network.sizes[i + 1], 1)
    product = f"{shape(network.sizes[i], network.sizes[i + 1])} · {above}"
    if network.activations[i].df is None:
        square = shape(network.sizes[i], network.sizes[i])
        return DerivationLine(f"δ_{i} = J_{i}ᵀ (W_{i + 1}ᵀ δ_{i + 1})", f"{column} = {square} · ({product})")
    return DerivationLine(
        f"δ_{i} = (W_{i + 1}ᵀ δ_{i + 1}) ∘ f_{i}'(z_{i})", f"{column} = ({product}) ∘ {column}"
    )

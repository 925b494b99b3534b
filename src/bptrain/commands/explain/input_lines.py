"""The embedding of numbers, between the inputs ξ and W_1: what it puts beside them, how it begins, its gradient."""

from typing import NamedTuple

from bptrain.commands.explain.derivation import DerivationLine, shape
from bptrain.commands.explain.part_lines import Alphabet, PartText, own_words, text_of
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.parts.input_steps import embeddings

LETTERS = {  # of what is trained
    "embed.frequencies": "ν_q",
    "embed.phases": "φ_q",
    "embed.weight": "V_q",
    "embed.bias": "ζ_q",
}


class InputText(NamedTuple):
    """The embedding of a network, as the page has it."""

    network: Network
    embed: PartText | None = None
    words: str = ""  # its formula in words, where it has no equations


def input_text(config: Config, network: Network, alphabet: Alphabet) -> InputText:
    """The embedding of a config."""
    section = config.network.input
    if section is None or section.embed is None:
        return InputText(network)
    name = section.embed.name
    text = text_of(embeddings, section.embed, "network.input.embed", name, alphabet)
    return InputText(network, text, own_words(embeddings, name))


def name_of_inputs(network: Network) -> str:
    """x_0, or ξ where x_0 is made of the inputs."""
    return "ξ" if network.input_steps else "x_0"


def forward(text: InputText) -> list[DerivationLine]:
    """x_0 from ξ."""
    if text.embed is None:
        return []
    lines, beside, first = [], text.words, text.network.input_steps[0]
    if text.embed.equations:
        groups, waves = len(first.columns), shape(first.outputs, 1)
        many = "1 … " * (groups > 1) + str(groups)
        shapes = f"{waves} = {waves} · {shape(1, 1)} + {waves}"
        equation, beside, *_ = text.embed.equations
        lines.append(DerivationLine(f"{equation}, where q = {many} counts the numbers of ξ", shapes))
    column = shape(text.network.sizes[0], 1)
    lines.append(DerivationLine(f"x_0 is ξ, and below it {beside} of each number", column))
    return [*lines, *(DerivationLine(line) for line in text.embed.options)]


def start(text: InputText) -> list[DerivationLine]:
    """What is trained, before the first update."""
    return [] if text.embed is None else [DerivationLine(line) for line in text.embed.equations[4:]]


def backward(text: InputText) -> list[DerivationLine]:
    """The gradients, from δ_1."""
    if text.embed is None or not text.embed.equations:
        return []
    sizes, mixed = text.network.sizes, text.network.input_steps[1]
    product = f"{shape(sizes[0], sizes[1])} · {shape(sizes[1], 1)}"
    of_one, waves = shape(mixed.outputs, 1), len(mixed.columns[0])
    _, beside, of_V, of_waves, *_ = text.embed.equations
    return [
        DerivationLine("η = W_1ᵀ δ_1", f"{shape(sizes[0], 1)} = {product}"),
        DerivationLine(f"η_q is the part of η that belongs to {beside}", of_one),
        DerivationLine(of_V, f"{shape(mixed.outputs, waves)} = {of_one} · {shape(1, waves)}"),
        DerivationLine(of_waves, shape(waves, 1)),
    ]


def update(text: InputText) -> list[DerivationLine]:
    """How what is trained is updated."""
    of_steps = [one for step in text.network.input_steps for one, _ in step.parameters]
    if not of_steps:
        return []
    rates = ", ".join(f"{LETTERS.get(one.name, one.name)} at {one.rate:.4g} α_1" for one in of_steps)
    return [DerivationLine(f"what is trained of the embedding is updated as W_1 is: {rates}")]

"""A derivation as it is printed: sections of lines, each an equation and its shapes; and what its letters mean."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple


class DerivationLine(NamedTuple):
    """One equation."""

    equation: str
    shapes: str = ""  # "5×1 = 5×4 · 4×1", or "" for a remark


class DerivationSection(NamedTuple):
    """Some equations under a heading."""

    title: str
    lines: tuple[DerivationLine, ...]


class Explanation(NamedTuple):
    """The derivation of one network."""

    sections: tuple[DerivationSection, ...]

    def record(self) -> dict[str, Any]:
        """The fields of explain's JSON."""
        return {
            "sections": [
                {"title": section.title, "lines": [line._asdict() for line in section.lines]}
                for section in self.sections
            ]
        }


def shape(rows: int, columns: int) -> str:
    """rows×columns."""
    return f"{rows}×{columns}"


def number(value: float) -> str:
    """A number with every digit that it has in the config, and no more."""
    return repr(value).removesuffix(".0")


def listed(names: list[str], sign: str = ", ") -> str:
    """Names in a row, those in the middle of many left out."""
    shown = names if len(names) <= 4 else [names[0], "…", names[-1]]
    return sign.join(shown)


NOT_WITHIN = r"(?<![\w'])"  # a letter begins here
MEANINGS = (  # where it is found, the letters, what they mean
    (r"_[ij]\b", "i", "the number of a layer, 1 … L"),
    (r"_j\b", "j", "the number of an entry of a column"),
    (r"_k\b", "k", "the number of a class"),
    (r"n_in|n_out", "n_in, n_out", "the columns and rows of the W_i that is drawn"),
    (r"W_", "W_i", "the weights of layer i"),
    (r"b_\d|b_i", "b_i", "the biases of layer i"),
    (r"z_", "z_i", "what layer i makes of x_i−1, before f_i"),
    (r"(?s)\A(?!.*ξ).*x_", "x_i", "the output of layer i; x_0 is the input"),
    (r"(?s)ξ.*x_|x_.*ξ", "x_i", "the output of layer i; x_0 is what layer 1 takes"),
    (r"ξ(?!_|')", "ξ", "the inputs"),
    (r"ξ_q", "ξ_q", "a number among the inputs"),
    (r"f_", "f_i, f_i'", "the activation of layer i, and its derivative"),
    (r"J_", "J_i", "the Jacobian of f_i: ∂x_i/∂z_i"),
    (r"diag", "diag(x)", "the square matrix with x on its diagonal"),
    (r"δ_", "δ_i", "∂E/∂z_i, the error of layer i"),
    (r"m_\d", "m_i", "the mask of x_i, drawn anew for every instance"),
    (rf"{NOT_WITHIN}g\b", "g", "∂E/∂w, after what is added to it"),
    (rf"{NOT_WITHIN}w\b", "w", "the parameters: one block of them, or all"),
    (rf"{NOT_WITHIN}w̄", "w̄", "the moving average of w"),
    (rf"{NOT_WITHIN}α_", "α_i", "the learning rate of layer i (optimizer.learning_rate)"),
    (r"every α|step is", "α", "the α_i of its layer, times the schedule"),
    (rf"{NOT_WITHIN}s\b", "s", "the number of updates before this one"),
    (rf"{NOT_WITHIN}e\b(?!\^)", "e", "s/n, the number of epochs before this update"),
    (r"step\(|step is", "step", "what is subtracted from w, by the optimizer"),
    (
        rf"{NOT_WITHIN}[mvu]̂? ←",
        "m, v, u",
        "averages or sums that each weight has its own of, 0 before the first update",
    ),
    (rf"{NOT_WITHIN}N\(", "N(a, b)", "a random number, normal with mean a and variance b"),
    (rf"{NOT_WITHIN}U\(", "U(a, b)", "a random number, uniform between a and b"),
    (rf"{NOT_WITHIN}I\b", "I", "the identity matrix"),
    (r"‖", "‖·‖", "the root of the sum of the squares of all entries"),
    (r"sign", "sign", "−1, 0 or 1"),
    (r"⌊", "⌊·⌋", "rounded down"),
    (r"e\^", "e^z", "the exponential function"),
    (r"\bln\b", "ln", "the natural logarithm"),
    (r"Σ", "Σ", "the sum over what its index counts, or over all"),
)


def letter_lines(sections: Sequence[DerivationSection]) -> DerivationSection:
    """The meanings of what occurs in some sections."""
    text = "\n".join(line.equation for section in sections for line in section.lines)
    found: list[str] = []
    while True:  # a meaning may use letters that nothing else on the page has
        text = "\n".join([text, *found])
        before = len(found)
        found = [f"{letters}: {meaning}" for where, letters, meaning in MEANINGS if re.search(where, text)]
        if len(found) == before:
            return DerivationSection("Letters", tuple(DerivationLine(line) for line in found))

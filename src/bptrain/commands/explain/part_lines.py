"""What a part says of itself: its equations in the letters of the page, and its options with their numbers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bptrain.commands.explain.derivation import DerivationLine, number
from bptrain.config.part import PartConfig
from bptrain.parts.describe import beside_options, formula
from bptrain.registry import Registry

# Options that the literature writes as letters; any other is written by its name. huber's delta is not δ, which is
# the error of a layer.
LETTERS = {
    "beta1": "β₁",
    "beta2": "β₂",
    "c1": "c₁",
    "c2": "c₂",
    "delta": "κ",
    "epsilon": "ε",
    "eta_minus": "η⁻",
    "eta_plus": "η⁺",
    "label_smoothing": "ε",
    "lambda_start": "λ₁",
    "momentum_decay": "ψ",
    "mu": "μ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "weight_decay": "λ",
}
PLACE = re.compile(r"\{(\w+)\}")  # of an option, or of a letter of the part's own
ONLY_WHERE = re.compile(
    r"\[(\w+)=(\w+)\] "
)  # a line that one choice of an option has, such as [variant=plus]


class Alphabet:
    """The letters that the parts of a page have taken. One that is taken gets an index: each letter has one meaning."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, letter: str, index: str) -> str:
        """The letter, or with an index if another part has it."""
        found = f"{letter}_{index}" if letter in self._taken else letter
        self._taken.add(found)
        return found


class PartText(NamedTuple):
    """A part in the letters of the page."""

    equations: tuple[str, ...]  # none where its registration has none
    options: tuple[str, ...]  # "β₁ = 0.9 (optimizer.beta1)"
    letters: Mapping[str, str]  # option or letter of its own -> what the page writes

    def two(self, words: str, name: str) -> tuple[str, str]:
        """Value and slope; in place of those that its registration lacks, its own words, and where it is computed."""
        slope = f"computed by the code of {name}, which gives no formula for it"
        first, second = (*self.equations[:2], *(words, slope)[len(self.equations[:2]) :])
        return first, second

    def lines(self, first: int = 0) -> Iterator[DerivationLine]:
        """The equations from a number on, and the options, as lines."""
        for equation in (*self.equations[first:], *self.options):
            yield DerivationLine(equation)


def text_of(
    registry: Registry[Any],
    part: PartConfig,
    key: str,
    index: str,
    alphabet: Alphabet,
    leave_out: Sequence[str] = (),
) -> PartText:
    """A part's equations and options; `key` is its place in the config, `index` tells its letters from others'."""
    written = registry.equations(part.name)
    own = [name for line in written for name in PLACE.findall(line) if name not in part.options]
    named = [name for name in part.options if name not in leave_out]
    letters = {name: alphabet.take(LETTERS.get(name, name), index) for name in dict.fromkeys([*named, *own])}
    equations = tuple(
        PLACE.sub(lambda place: letters[place[1]], line)
        for line in (_of_choice(line, part.options) for line in written)
        if line is not None
    )
    options = tuple(f"{letters[name]} = {value_text(part.options[name])} ({key}.{name})" for name in named)
    return PartText(equations, options, letters)


def _of_choice(line: str, options: Mapping[str, Any]) -> str | None:
    """A line without its condition; None where the options are others."""
    condition = ONLY_WHERE.match(line)
    if condition is None:
        return line
    return line[condition.end() :] if options.get(condition[1]) == condition[2] else None


def value_text(value: Any) -> str:
    """The value of an option: as in YAML, but for null, which stands for what is found in the data."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(one) for one in value)}]"
    return "that of the training rows" if value is None else str(value)


def own_words(registry: Registry[Any], name: str) -> str:
    """The formula in the documentation of a part that has no equations."""
    return formula(registry, name)


def beside_lines(registry: Registry[Any], part: PartConfig) -> Iterator[DerivationLine]:
    """What a part's additional options do."""
    for option in beside_options(registry, part.name):
        value = part.beside[option.name]
        if option.explain is not None and value:
            yield DerivationLine(option.explain(value))

"""The equations of a page as numbers: what a reader would work out from them, to be compared with the code.

    statement   value [for condition, else value]
    value       product [+ or − product …]
    product     factor [factor, ∘ factor or / factor …], from left to right
    factor      − factor; atom with powers

An entry such as x_j is the whole array, over whose last axis Σ sums.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from commands.explain.page_symbols import SYMBOL

Value = Any
TOKEN = re.compile(rf"\s*(\d+(?:\.\d+)?|Σ_[jk]|{SYMBOL.pattern}|[≤≥<>=]|.)")
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "tanh": np.tanh,
    "sin": np.sin,
    "cos": np.cos,
    "cosh": np.cosh,
    "ln": np.log,
    "sign": np.sign,
    "min": np.minimum,
    "max": np.maximum,
}
COMPARED: dict[str, Callable[[Value, Value], Value]] = {
    ">": np.greater,
    "<": np.less,
    "≤": np.less_equal,
    "≥": np.greater_equal,
    "=": np.equal,
}
POWERS = {"²": 2.0, "³": 3.0}
ENDS = {None, ")", ",", "+", "−", "|", "‖", "⌋", "for", "else", "or", *COMPARED}


def value(text: str, known: Mapping[str, Value]) -> Value:
    """The value of a statement, given those of its letters; functions are given as callables."""
    reader = EquationReader(text, known)
    found = reader.statement()
    assert reader.here is None, f"{text!r} is not read from {reader.here!r} on"
    return found


class EquationReader:
    """Reads one statement from the left to the right."""

    def __init__(self, text: str, known: Mapping[str, Value]) -> None:
        self.tokens = TOKEN.findall(unicodedata.normalize("NFD", text))
        self.known = {"π": np.pi, "e": np.e, "½": 0.5, **known}
        self.bars: list[str] = []  # that are open

    @property
    def here(self) -> str | None:
        """The token that comes next."""
        return self.tokens[0] if self.tokens else None

    def take(self, wanted: str | None = None) -> str:
        """The next token, which is `wanted`."""
        token: str = self.tokens.pop(0)
        assert wanted in (None, token), (wanted, token, self.tokens)
        return token

    def statement(self) -> Value:
        """A value, or one of two."""
        first = self.sum()
        if self.here != "for":
            return first
        self.take("for")
        where = self.condition()
        if not self.tokens:  # holds there alone
            return np.where(where, first, np.nan)
        self.take(",")
        self.take("else")
        return np.where(where, first, self.statement())

    def condition(self) -> Value:
        """Comparisons, of which one holds."""
        left = self.sum()
        found = COMPARED[self.take()](left, self.sum())
        if self.here == "or":
            self.take("or")
            return found | self.condition()
        return found

    def sum(self) -> Value:
        """Products, added up."""
        found = self.product()
        while self.here in ("+", "−"):
            found = found + self.product() if self.take() == "+" else found - self.product()
        return found

    def product(self) -> Value:
        """Factors, from left to right."""
        found = self.factor()
        while True:
            if self.here in ("/", "∘"):
                found = found / self.factor() if self.take() == "/" else found * self.factor()
            elif self.here in ENDS and not self.opens():
                return found
            else:
                found = found * self.factor()

    def opens(self) -> bool:
        """Whether a bar opens here: the innermost that is open is not like it."""
        return self.here in ("|", "‖") and self.bars[-1:] != [self.here]

    def factor(self) -> Value:
        """An atom with its powers, or − and a product."""
        if self.here == "−":
            self.take()
            return -self.factor()
        if self.here is not None and self.here.startswith("Σ"):
            self.take()
            return np.sum(self.product(), axis=-1)
        if self.here == "√":
            self.take()
            return np.sqrt(self.power(self.atom()))
        return self.power(self.atom())

    def power(self, base: Value) -> Value:
        """What stands to the power of what follows."""
        while self.here == "^" or self.here in POWERS:
            sign = self.take()
            base = base ** (POWERS[sign] if sign in POWERS else self.factor_of_power())
        return base

    def factor_of_power(self) -> Value:
        """A power: a letter, or what is in brackets."""
        return self.atom()

    def atom(self) -> Value:
        """A number, a letter, a function of something, or what is in brackets."""
        token = self.take()
        if re.fullmatch(r"[\d.]+", token):
            return float(token)
        if token == "(":
            return self.within(")")
        if token == "⌊":
            return np.floor(self.within("⌋"))
        if token in ("|", "‖"):
            self.bars.append(token)
            inside = self.within(token)
            self.bars.pop()
            return np.abs(inside) if token == "|" else np.sqrt(np.sum(inside * inside, axis=-1))
        name = re.sub(r"_[jk]$", "", token)
        found = FUNCTIONS.get(name, self.known.get(name))
        assert found is not None, f"{token} is unknown"
        if not callable(found):
            return found
        if self.here != "(":  # tanh z
            return found(self.factor())
        self.take("(")
        arguments = [self.sum()]
        while self.here == ",":
            self.take()
            arguments.append(self.sum())
        self.take(")")
        result = found(*arguments)
        if self.here is not None and re.fullmatch(r"_[jk]", self.here):
            self.take()
        return result

    def within(self, end: str) -> Value:
        """A statement up to a closing sign."""
        found = self.statement()
        self.take(end)
        return found

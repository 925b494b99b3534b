"""What the text of a formula is written for: how a language writes literals, operations, choices, calls and loops.

The rest of `translate/` knows no language. A formula's array is read entry by entry, as z[j]; every operation is put in
parentheses, so that the order of evaluation is the formula's in any language.
"""

from collections.abc import Sequence
from typing import Protocol


class Target(Protocol):
    """A language. Codes are texts of expressions; signs and functions are named as Python and NumPy name them."""

    def literal(self, value: float) -> str:
        """A number of Python. Raises Untranslatable where the language has no such number."""
        ...

    def typed(self, code: str) -> str:
        """A number in the network's dtype."""
        ...

    def real(self, code: str) -> str:
        """A whole number as a floating-point number of 64 bits."""
        ...

    def operation(self, sign: str, left: str, right: str) -> str:
        """left sign right; the sign is one of + - * / // % ** < <= > >= == != and or."""
        ...

    def negative(self, code: str) -> str:
        """-code."""
        ...

    def negation(self, condition: str) -> str:
        """Whether the condition does not hold."""
        ...

    def choice(self, condition: str, a: str, b: str) -> str:
        """NumPy's where: a where the condition holds, else b."""
        ...

    def call(self, function: str, codes: Sequence[str]) -> str:
        """A function of NumPy, of numbers in the network's dtype: exp, log, square, maximum and so on."""
        ...

    def call_of_numbers(self, function: str, codes: Sequence[str]) -> str:
        """A function of Python's math, or abs, min or max, of floating-point numbers of 64 bits."""
        ...

    def reduction(self, name: str, array: str) -> str:
        """total, mean, largest or smallest of a row: of scratch space, or of an argument."""
        ...

    def assignment(self, variable: str, code: str) -> str:
        """A line that gives a variable its value."""
        ...

    def loop(self, entries: int, lines: Sequence[str]) -> list[str]:
        """The lines for each j from 0 to entries − 1."""
        ...

    def returned(self, codes: Sequence[str]) -> str:
        """The line that ends a function with its values."""
        ...

    def tidy(self, code: str) -> str:
        """An expression as it is written in a line, without parentheses that say nothing."""
        ...

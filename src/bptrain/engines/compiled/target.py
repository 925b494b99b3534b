"""Python for Numba: what formulas are written for in the compiled engine."""

import ast
import math
from collections.abc import Sequence

from bptrain.translate.expressions import Untranslatable

TINY = 1.1754943508222875e-38  # the smallest number of float32 with a full mantissa
OWN = (
    "exp",
    "expm1",
    "tanh",
    "log1p",
    "square",
    "abs",
    "minimum",
    "maximum",
)  # functions that a kernel has under their own name
PYTHON = ("abs", "min", "max")  # of Python itself


class PythonForNumba:
    """See `translate.target_language.TargetLanguage`."""

    def literal(self, value: float) -> str:
        """A number; one that compiled loops would take for 0 is refused."""
        plain = int(value) if isinstance(value, int) else float(value)
        if 0 < abs(plain) < TINY:
            raise Untranslatable(f"{plain} is too small for compiled loops, which take it for 0")
        return repr(plain) if math.isfinite(plain) else f"np.{plain}".replace("np.-", "-np.")

    def typed(self, code: str) -> str:
        """F is the network's dtype, so that float32 stays float32."""
        return f"F({code})"

    def real(self, code: str) -> str:
        """A float."""
        return f"float({code})"

    def operation(self, sign: str, left: str, right: str) -> str:
        """As Python has it."""
        return f"({left} {sign} {right})"

    def negative(self, code: str) -> str:
        """As Python has it."""
        return f"(-{code})"

    def negation(self, condition: str) -> str:
        """As Python has it."""
        return f"(not {condition})"

    def choice(self, condition: str, a: str, b: str) -> str:
        """As Python has it."""
        return f"({a} if {condition} else {b})"

    def call(self, function: str, codes: Sequence[str]) -> str:
        """By the runtime where it has the function, else by NumPy one number at a time."""
        return f"{function if function in OWN else f'np.{function}'}({', '.join(codes)})"

    def call_of_numbers(self, function: str, codes: Sequence[str]) -> str:
        """By Python, or its math."""
        return f"{function if function in PYTHON else f'math.{function}'}({', '.join(codes)})"

    def reduction(self, name: str, array: str) -> str:
        """By the runtime."""
        return f"{name}({array})"

    def assignment(self, variable: str, code: str) -> str:
        """As Python has it."""
        return f"{variable} = {code}"

    def loop(self, entries: int, lines: Sequence[str]) -> list[str]:
        """As Python has it."""
        return [f"for j in range({entries}):", *(f"    {line}" for line in lines)]

    def returned(self, codes: Sequence[str]) -> str:
        """As Python has it."""
        return f"return {', '.join(codes)}"

    def tidy(self, code: str) -> str:
        """The shortest text of the same expression."""
        return ast.unparse(ast.parse(code, mode="eval"))


NUMBA = PythonForNumba()

"""What the expressions of a formula stand for in compiled code, and the arithmetic of them.

Every value is of one of these kinds:

    number     a Python number, the same for all weights or rows: an option, t, the rate, or whether t is 1
    row        one number per row, in the network's dtype: a sum or maximum
    each       one number per entry: of a row, of a matrix, of the weights
    condition  true or false per entry
    tuple      several values

A number that meets the others is worked out once per update, in float64, and passed on in the network's dtype (F), as
NumPy does with Python's numbers.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from bptrain.translate.target import Target

Kind = Literal["number", "row", "each", "condition", "tuple"]

BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}
COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
JOIN: dict[type[ast.operator], str] = {ast.BitAnd: "and", ast.BitOr: "or"}

# Functions of NumPy, by how many numbers they take; some have another name where they are written.
OF_ONE = (
    "exp",
    "expm1",
    "tanh",
    "square",
    "abs",
    "absolute",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "arctan",
    "sinh",
    "cosh",
    "sign",
    "exp2",
)
OF_TWO = ("maximum", "minimum", "fmax", "fmin", "power")
RENAMED = {"absolute": "abs"}
# Functions of NumPy that are Python's own where numbers are worked out once per update; others are those of math.
PYTHON: dict[str, Callable[..., Any]] = {"maximum": max, "minimum": min, "abs": abs, "absolute": abs}


class Untranslatable(Exception):
    """Why a formula cannot be compiled, in words."""


@dataclass(frozen=True)
class Expression:
    """What an expression stands for in the text that is written."""

    kind: Kind
    code: str
    constant: float | None = None  # its value where that is known now
    items: tuple["Expression", ...] = ()  # of a tuple
    linear: Mapping[str, "Expression"] | None = None  # an `each` as Σ number × input, by the input's name
    multiple: tuple["Expression", str] | None = None  # the number and the variable whose product it is

    @property
    def flat(self) -> list["Expression"]:
        """The single values of a tuple of tuples, from left to right."""
        return [inner for item in self.items for inner in item.flat] if self.kind == "tuple" else [self]


def number(code: str) -> Expression:
    """A Python number that is known when an update begins."""
    return Expression("number", code)


def constant(value: float) -> Expression:
    """A Python number that is known now; how it is written is the target's."""
    return Expression("number", repr(value), constant=value)


def each(code: str) -> Expression:
    """One entry of an array that the formula is given."""
    return Expression("each", code, linear={code: constant(1.0)})


class Numbers(dict[str, str]):
    """The numbers that are worked out once per update: name -> float64 expression, written for a target."""

    def __init__(self, target: Target, known: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(known)
        self.target = target

    def typed(self, value: Expression) -> str:
        """The code of a value among numbers of the network's dtype. Raises Untranslatable for a tuple."""
        if value.kind == "tuple":
            raise Untranslatable("several values stand where one is needed")
        if value.constant is not None:
            return self.target.typed(self.target.literal(value.constant))
        if value.kind != "number":
            return value.code
        name = next((name for name, code in self.items() if code == value.code), f"c{len(self)}")
        self[name] = value.code
        return name

    def plain(self, value: Expression) -> str:
        """The code of a number among Python numbers."""
        return value.code if value.constant is None else self.target.literal(value.constant)


def truth(value: Expression, numbers: Numbers) -> str:
    """The code of a value as what a choice depends on. Raises Untranslatable for a tuple."""
    if value.kind == "condition":
        return value.code
    return numbers.target.operation("!=", numbers.typed(value), numbers.typed(constant(0)))


def compared(op: ast.cmpop, a: Expression, b: Expression, numbers: Numbers) -> Expression:
    """a < b and the like; of two numbers it is a number too: true or false, once per update. Raises Untranslatable."""
    if type(op) not in COMPARE:
        raise Untranslatable(f"no way to compile: {a.code} {type(op).__name__} {b.code}")
    sign, apply = COMPARE[type(op)]
    if not a.kind == b.kind == "number":
        return Expression("condition", numbers.target.operation(sign, numbers.typed(a), numbers.typed(b)))
    if a.constant is not None and b.constant is not None:
        return constant(apply(a.constant, b.constant))
    return number(numbers.target.operation(sign, numbers.plain(a), numbers.plain(b)))


def chosen(numbers: Numbers, condition: Expression, a: Expression, b: Expression) -> Expression:
    """a where the condition holds, else b. Raises Untranslatable."""
    if condition.constant is not None:
        return a if condition.constant else b
    if condition.kind == a.kind == b.kind == "number":
        return number(numbers.target.choice(condition.code, numbers.plain(a), numbers.plain(b)))
    # in this order, which is that of the numbers' names
    chosen_a, whether, chosen_b = numbers.typed(a), truth(condition, numbers), numbers.typed(b)
    code = numbers.target.choice(whether, chosen_a, chosen_b)
    return Expression("each" if {"each", "condition"} & {condition.kind, a.kind, b.kind} else "row", code)


def binary(op: ast.operator, a: Expression, b: Expression, numbers: Numbers) -> Expression:
    """a op b. Raises Untranslatable."""
    if type(op) in JOIN and "condition" in (a.kind, b.kind):
        both = numbers.target.operation(JOIN[type(op)], truth(a, numbers), truth(b, numbers))
        return Expression("condition", both)
    if type(op) not in BINARY or "tuple" in (a.kind, b.kind):
        raise Untranslatable(f"no way to compile: {a.code} {type(op).__name__} {b.code}")
    sign, apply = BINARY[type(op)]
    if a.kind == b.kind == "condition" and not isinstance(op, ast.Mult):
        raise Untranslatable(f"arithmetic on true and false: {a.code} {sign} {b.code}")
    if a.kind == b.kind == "number":
        if a.constant is not None and b.constant is not None:
            return _folded(apply, (a.constant, b.constant), f"{a.code} {sign} {b.code}")
        if isinstance(op, ast.Mult) and 1 in (a.constant, b.constant):
            return b if a.constant == 1 else a
        # Of whole numbers 2 ** -1 would be 0.
        of_floats = isinstance(op, ast.Pow) and not isinstance(a.constant, float)
        base = numbers.target.real(numbers.plain(a)) if of_floats else numbers.plain(a)
        return number(numbers.target.operation(sign, base, numbers.plain(b)))
    left, right = numbers.typed(a), numbers.typed(b)
    if isinstance(op, ast.Mult) and a.constant == -1:
        code = numbers.target.negative(right)
    elif isinstance(op, ast.Pow) and b.constant == 2:
        code = numbers.target.call("square", [left])
    else:
        code = numbers.target.operation(sign, left, right)
    kind: Kind = "each" if {"each", "condition"} & {a.kind, b.kind} else "row"
    multiple = None
    if isinstance(op, ast.Mult) and kind == "each":
        scale, whole = (a, b) if a.kind == "number" else (b, a)
        if scale.kind == "number" and whole.code.isidentifier():
            multiple = (scale, whole.code)
    return Expression(kind, code, linear=_linear(op, a, b, numbers), multiple=multiple)


def _linear(
    op: ast.operator, a: Expression, b: Expression, numbers: Numbers
) -> Mapping[str, Expression] | None:
    """The coefficients of a ± b, or of a number times a linear form; None where it is not linear."""
    if isinstance(op, ast.Mult) and "number" in (a.kind, b.kind):
        scale, form = (a, b) if a.kind == "number" else (b, a)
        return form.linear and {k: binary(op, scale, c, numbers) for k, c in form.linear.items()}
    if isinstance(op, ast.Div) and b.kind == "number":
        return a.linear and {k: binary(op, c, b, numbers) for k, c in a.linear.items()}
    if isinstance(op, ast.Add | ast.Sub) and a.linear and b.linear:
        added = b.linear if isinstance(op, ast.Add) else _linear(ast.Mult(), constant(-1), b, numbers) or {}
        both = a.linear.keys() & b.linear.keys()
        return {**a.linear, **added, **{k: binary(op, a.linear[k], b.linear[k], numbers) for k in both}}
    return None


def _folded(apply: Callable[..., Any], given: Iterable[float], text: str) -> Expression:
    """The constant that some constants come to."""
    try:
        result = apply(*given)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Untranslatable(f"{text}: {error}") from error
    if not isinstance(result, bool | int | float):
        raise Untranslatable(f"{text} is no real number")
    return constant(result)


def _of_numbers(name: str, values: list[Expression], numbers: Numbers) -> Expression | None:
    """A function of Python numbers: a constant where they are constants, else worked out once per update."""
    if name == "power" and len(values) == 2:
        return binary(ast.Pow(), values[0], values[1], numbers)
    if name == "square" and len(values) == 1:
        return binary(ast.Mult(), values[0], values[0], numbers)
    python: Callable[..., Any] | None = PYTHON.get(name) or getattr(math, name, None)
    if python is None:
        return None
    known = [value.constant for value in values if value.constant is not None]
    if len(known) == len(values):
        return _folded(python, known, f"{name}({', '.join(value.code for value in values)})")
    return number(numbers.target.call_of_numbers(python.__name__, [numbers.plain(value) for value in values]))


def function(name: str, values: list[Expression], numbers: Numbers) -> Expression | None:
    """A function of NumPy or of math, entry by entry; None for one that is not known here."""
    if name == "where" and len(values) == 3:
        return chosen(numbers, *values)
    if values and all(value.kind == "number" for value in values):
        return _of_numbers(name, values, numbers)
    codes = [numbers.typed(value) for value in values]
    kind: Kind = "row" if all(value.kind in ("row", "number") for value in values) else "each"
    match name, len(values):
        case "full_like", 2:
            return Expression(values[0].kind, codes[1])
        case "ones_like" | "zeros_like", 1:
            return replace(constant(1.0 if name == "ones_like" else 0.0), kind=kind)
        case (_, 1) | (_, 2) if name in (OF_ONE, OF_TWO)[len(values) - 1]:
            return Expression(kind, numbers.target.call(RENAMED.get(name, name), codes))
    return None


def builtin(part: Callable[..., Any], values: list[Expression], numbers: Numbers) -> Expression | None:
    """abs of anything, min and max of numbers (of arrays Python has none); None for one that is not known here."""
    if part is abs or (part in (min, max) and all(value.kind == "number" for value in values)):
        return function({abs: "abs", min: "minimum", max: "maximum"}[part], values, numbers)
    return None

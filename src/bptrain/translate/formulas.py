"""A registered formula as plain arithmetic on single numbers, for a compiled loop.

The formula stays where it is registered; this reads its source. What NumPy does to whole arrays is written out:

    np.where(c, a, b)          a if c else b; so is a choice by Python, which is the same for all entries
    0.5                        F(0.5), so that float32 stays float32
    a closure's option         its value
    1 − β₁ᵗ                    worked out once an update, in float64, and passed on as a number
    x.shape[-1]                the number of entries of a row
    (…).sum(axis=-1)           a loop over the entries of a row, then a sum of what it has stored
    a function of the project  its statements in its place

What cannot be written out raises Untranslatable with the reason, and the formula is left to NumPy.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple

from bptrain.translate.expressions import (
    Expression,
    Numbers,
    Untranslatable,
    binary,
    builtin,
    chosen,
    compared,
    constant,
    function,
)
from bptrain.translate.source import is_library, source_of, subscript
from bptrain.translate.target import Target
from bptrain.translate.writer import Writing

DEPTH = 100
REDUCTIONS = {"sum": "total", "max": "largest", "min": "smallest", "mean": "mean"}


class _ByRow(Exception):
    """The formula takes sums over a row, so it has to be read as one that works on rows."""


class Formula(NamedTuple):
    """A formula written out: the body of a function of single numbers, or of rows."""

    lines: tuple[str, ...]
    result: Expression
    numbers: Numbers  # worked out once an update
    scratch: int  # rows of scratch space, s0, s1, …
    by_row: bool


def translate(part: Callable[..., Any], n: int, target: Target, **arguments: Expression) -> Formula:
    """A formula of the given arguments, written for a target; rows have n entries. Raises Untranslatable."""
    for by_row in (False, True):
        written = Writing(n, by_row, target)
        try:
            result = _Reader(written).call(part, list(arguments.values()), list(arguments))
        except _ByRow:
            continue
        lines = written.finish(result)
        return Formula(tuple(lines), result, written.numbers, written.scratch, by_row)
    raise AssertionError("a formula that is read by row needs no other reading")


@dataclass
class _Reader:
    """Reads the statements of a formula one after the other."""

    to: Writing
    depth: int = 0  # calls of functions so far

    # --- statements ---------------------------------------------------------------------------------------

    def call(
        self, part: Callable[..., Any], values: list[Expression], names: list[str] | None = None
    ) -> Expression:
        """The value that a function returns for these arguments; its statements are added to the lines."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Untranslatable(f"functions call one another more than {DEPTH} times")
        definition, scope = source_of(part)
        parameters = [argument.arg for argument in definition.args.args]
        if len(parameters) != len(values):
            raise Untranslatable(f"{definition.name} takes {len(parameters)} arguments, not {len(values)}")
        local = dict(zip(parameters, values, strict=True))
        if self.to.by_row and names is not None:  # the arrays of a row formula are read entry by entry
            local = {
                key: replace(value, code=f"{value.code}[j]") if value.kind == "each" else value
                for key, value in local.items()
            }
        for statement in definition.body:
            match statement:
                case ast.Expr(value=ast.Constant()) | ast.Delete():  # a docstring; "not used here"
                    continue
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    local[name] = self.to.variable(name, self.read(value, local, scope))
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                    items = self.read(value, local, scope).items
                    if len(items) != len(targets):
                        raise Untranslatable(f"cannot unpack {ast.unparse(statement)}")
                    for target, item in zip(targets, items, strict=True):
                        local[ast.unparse(target)] = item
                case ast.Return(value=value) if value is not None:
                    return self.read(value, local, scope)
                case _:
                    raise Untranslatable(f"no way to compile: {ast.unparse(statement).splitlines()[0]}")
        raise Untranslatable(f"{definition.name} returns nothing")

    # --- expressions --------------------------------------------------------------------------------------

    def read(self, node: ast.expr, local: Mapping[str, Expression], scope: Mapping[str, Any]) -> Expression:
        """The value of an expression."""
        match node:
            case ast.Constant(value=bool() | int() | float() as written):
                return constant(written)
            case ast.Name(id=name) if name in local:
                return local[name]
            case ast.Name(id=name) if isinstance(scope.get(name), bool | int | float):
                return constant(scope[name])
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if is_library(scope.get(name)):
                named = getattr(scope[name], attribute, None)
                if isinstance(named, int | float):
                    return constant(named)
            case ast.Attribute(value=inner, attr="real"):
                return self.read(inner, local, scope)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=last) if (
                ast.unparse(last) == "-1" and self.read(inner, local, scope).kind == "each"
            ):
                return constant(self.to.n)
            case ast.Tuple(elts=elements):
                items: list[Expression] = []
                for part in elements:
                    starred = isinstance(part, ast.Starred)
                    value = self.read(part.value if isinstance(part, ast.Starred) else part, local, scope)
                    if starred and value.kind != "tuple":
                        raise Untranslatable(f"no way to compile: {ast.unparse(part)}")
                    items += value.items if starred else [value]
                return Expression("tuple", "", items=tuple(items))
            case ast.Subscript(value=inner, slice=where):
                whole, place = self.read(inner, local, scope), subscript(where)
                if whole.kind == "tuple" and isinstance(place, slice):
                    return replace(whole, items=whole.items[place])
                if isinstance(place, int) and -len(whole.items) <= place < len(whole.items):
                    return whole.items[place]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return binary(ast.Mult(), constant(-1), self.read(inner, local, scope), self.to.numbers)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner, local, scope)
            case ast.UnaryOp(op=ast.Invert(), operand=inner):
                condition = self.read(inner, local, scope)
                if condition.kind == "condition":
                    return Expression("condition", self.to.target.negation(condition.code))
            case ast.BinOp(left=left, op=op, right=right):
                return binary(
                    op, self.read(left, local, scope), self.read(right, local, scope), self.to.numbers
                )
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return compared(
                    op, self.read(left, local, scope), self.read(right, local, scope), self.to.numbers
                )
            case ast.IfExp(test=test, body=body, orelse=other):
                condition = self.read(test, local, scope)
                if condition.kind == "number":  # of an array Python cannot ask
                    a, b = (self.read(branch, local, scope) for branch in (body, other))
                    return chosen(self.to.numbers, condition, a, b)
            case ast.Call():
                return self.called(node, local, scope)
        raise Untranslatable(f"no way to compile: {ast.unparse(node)}")

    def called(self, node: ast.Call, local: Mapping[str, Expression], scope: Mapping[str, Any]) -> Expression:
        """The value of a call: of NumPy, of a reduction, or of a function whose statements take its place."""
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr=called) if is_library(scope.get(name)):
                if called in REDUCTIONS and node.args:
                    return self.reduction(called, node.args[0], node.keywords, local, scope)
                values = [self.read(argument, local, scope) for argument in node.args]
                result = function(called, values, self.to.numbers)
                if result is not None and not node.keywords:
                    return result
            case ast.Attribute(value=inner, attr=called) if called in REDUCTIONS and not node.args:
                return self.reduction(called, inner, node.keywords, local, scope)
            case ast.Attribute(value=inner, attr="copy") if not node.args:
                return self.read(inner, local, scope)
            case ast.Name(id=name) if isinstance(scope.get(name), BuiltinFunctionType) and not node.keywords:
                values = [self.read(argument, local, scope) for argument in node.args]
                result = builtin(scope[name], values, self.to.numbers)
                if result is not None:
                    return result
            case ast.Name(id=name) if isinstance(scope.get(name), FunctionType) and not node.keywords:
                return self.call(scope[name], [self.read(argument, local, scope) for argument in node.args])
        raise Untranslatable(f"no way to compile: {ast.unparse(node)}")

    def reduction(
        self,
        called: str,
        over: ast.expr,
        keywords: list[ast.keyword],
        local: Mapping[str, Expression],
        scope: Mapping[str, Any],
    ) -> Expression:
        """A sum, mean, maximum or minimum over the entries of a row."""
        if not self.to.by_row:
            raise _ByRow
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
        if options.pop("axis", "") != "-1" or options.keys() - {"keepdims"}:
            raise Untranslatable(f"sums are compiled over axis=-1 alone, not {ast.unparse(over)}.{called}")
        return self.to.reduced(REDUCTIONS[called], self.read(over, local, scope))

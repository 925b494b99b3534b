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
from dataclasses import dataclass, field, replace
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple

from bptrain.engines.compiled.source import is_library, source_of, subscript
from bptrain.engines.compiled.values import (
    Numbers,
    Untranslatable,
    Value,
    binary,
    builtin,
    chosen,
    compared,
    constant,
    function,
)

DEPTH = 100
REDUCTIONS = {"sum": "total", "max": "largest", "min": "smallest", "mean": "mean"}


class _ByRow(Exception):
    """The formula takes sums over a row, so it has to be read as one that works on rows."""


class Formula(NamedTuple):
    """A formula written out: the body of a function of single numbers, or of rows."""

    lines: tuple[str, ...]
    result: Value
    numbers: Numbers  # worked out once an update
    scratch: int  # rows of scratch space, s0, s1, …
    by_row: bool


def translate(part: Callable[..., Any], n: int, **arguments: Value) -> Formula:
    """A formula of the given arguments; rows have n entries. Raises Untranslatable."""
    for by_row in (False, True):
        reader = _Reader(n, by_row)
        try:
            result = reader.call(part, list(arguments.values()), list(arguments))
        except _ByRow:
            continue
        lines = reader.finish(result)
        return Formula(tuple(lines), result, reader.numbers, reader.scratch, by_row)
    raise AssertionError("a formula that is read by row needs no other reading")


@dataclass
class _Reader:
    """Reads the statements of a formula one after the other."""

    n: int
    by_row: bool
    lines: list[str] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)  # (variable, code) of the loop under way
    stored: dict[str, str] = field(default_factory=dict)  # variable of an earlier loop -> scratch entry
    numbers: Numbers = field(default_factory=Numbers)
    scratch: int = 0
    variables: int = 0
    depth: int = 0  # calls of functions so far

    # --- statements ---------------------------------------------------------------------------------------

    def call(self, part: Callable[..., Any], values: list[Value], names: list[str] | None = None) -> Value:
        """The value that a function returns for these arguments; its statements are added to the lines."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Untranslatable(f"functions call one another more than {DEPTH} times")
        definition, scope = source_of(part)
        parameters = [argument.arg for argument in definition.args.args]
        if len(parameters) != len(values):
            raise Untranslatable(f"{definition.name} takes {len(parameters)} arguments, not {len(values)}")
        local = dict(zip(parameters, values, strict=True))
        if self.by_row and names is not None:  # the arrays of a row formula are read entry by entry
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
                    local[name] = self.variable(name, self.read(value, local, scope))
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

    def variable(self, name: str, value: Value) -> Value:
        """A value under a name of its own, so that it is worked out once."""
        if value.kind not in ("each", "row", "condition") or value.constant is not None:
            return value
        self.variables += 1
        here = f"{name}_{self.variables}"
        if self.by_row and value.kind == "each":
            self.pending.append((here, value.code))
        else:
            self.lines.append(f"{here} = {self.placed(value.code)}")
        return replace(value, code=here)

    def close_loop(self, code: str) -> str:
        """Ends the loop under way, which stores each of its variables and `code` in a scratch row: that of `code`."""
        self.lines.append(f"for j in range({self.n}):")
        entries = [*self.pending] if code in dict(self.pending) else [*self.pending, ("", code)]
        for variable, value in entries:
            place = f"s{self.scratch}[j]"
            self.lines.append(f"    {place} = {self.placed(value)}")
            self.stored[variable or code] = place
            self.scratch += 1
        self.pending.clear()
        return self.stored[code].removesuffix("[j]")

    def placed(self, code: str) -> str:
        """Code in which variables of earlier loops are read from where they were stored."""
        tree = ast.parse(code, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = self.stored.get(node.id, node.id)
        return ast.unparse(tree)

    def finish(self, result: Value) -> list[str]:
        """All lines, the last loop of a row formula included, which writes `out`; a single value is returned."""
        if not self.by_row:
            return [
                *self.lines,
                "return " + ", ".join(self.placed(self.numbers.typed(value)) for value in result.flat),
            ]
        if result.kind == "row":
            return [*self.lines, f"return {self.placed(result.code)}"]
        if result.kind != "each":
            raise Untranslatable("the formula gives neither a number for each entry nor one for each row")
        last = [f"    {variable} = {self.placed(code)}" for variable, code in self.pending]
        return [*self.lines, f"for j in range({self.n}):", *last, f"    out[j] = {self.placed(result.code)}"]

    # --- expressions --------------------------------------------------------------------------------------

    def read(self, node: ast.expr, local: Mapping[str, Value], scope: Mapping[str, Any]) -> Value:
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
                return constant(self.n)
            case ast.Tuple(elts=elements):
                items: list[Value] = []
                for part in elements:
                    starred = isinstance(part, ast.Starred)
                    value = self.read(part.value if isinstance(part, ast.Starred) else part, local, scope)
                    if starred and value.kind != "tuple":
                        raise Untranslatable(f"no way to compile: {ast.unparse(part)}")
                    items += value.items if starred else [value]
                return Value("tuple", "", items=tuple(items))
            case ast.Subscript(value=inner, slice=where):
                whole, place = self.read(inner, local, scope), subscript(where)
                if whole.kind == "tuple" and isinstance(place, slice):
                    return replace(whole, items=whole.items[place])
                if isinstance(place, int) and -len(whole.items) <= place < len(whole.items):
                    return whole.items[place]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return binary(ast.Mult(), constant(-1), self.read(inner, local, scope), self.numbers)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner, local, scope)
            case ast.UnaryOp(op=ast.Invert(), operand=inner):
                condition = self.read(inner, local, scope)
                if condition.kind == "condition":
                    return Value("condition", f"(not {condition.code})")
            case ast.BinOp(left=left, op=op, right=right):
                return binary(op, self.read(left, local, scope), self.read(right, local, scope), self.numbers)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return compared(
                    op, self.read(left, local, scope), self.read(right, local, scope), self.numbers
                )
            case ast.IfExp(test=test, body=body, orelse=other):
                condition = self.read(test, local, scope)
                if condition.kind == "number":  # of an array Python cannot ask
                    a, b = (self.read(branch, local, scope) for branch in (body, other))
                    return chosen(self.numbers, condition, a, b)
            case ast.Call():
                return self.called(node, local, scope)
        raise Untranslatable(f"no way to compile: {ast.unparse(node)}")

    def called(self, node: ast.Call, local: Mapping[str, Value], scope: Mapping[str, Any]) -> Value:
        """The value of a call: of NumPy, of a reduction, or of a function whose statements take its place."""
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr=called) if is_library(scope.get(name)):
                if called in REDUCTIONS and node.args:
                    return self.reduction(called, node.args[0], node.keywords, local, scope)
                values = [self.read(argument, local, scope) for argument in node.args]
                result = function(called, values, self.numbers)
                if result is not None and not node.keywords:
                    return result
            case ast.Attribute(value=inner, attr=called) if called in REDUCTIONS and not node.args:
                return self.reduction(called, inner, node.keywords, local, scope)
            case ast.Attribute(value=inner, attr="copy") if not node.args:
                return self.read(inner, local, scope)
            case ast.Name(id=name) if isinstance(scope.get(name), BuiltinFunctionType) and not node.keywords:
                values = [self.read(argument, local, scope) for argument in node.args]
                result = builtin(scope[name], values, self.numbers)
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
        local: Mapping[str, Value],
        scope: Mapping[str, Any],
    ) -> Value:
        """A sum, mean, maximum or minimum over the entries of a row."""
        if not self.by_row:
            raise _ByRow
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in keywords}
        if options.pop("axis", "") != "-1" or options.keys() - {"keepdims"}:
            raise Untranslatable(f"sums are compiled over axis=-1 alone, not {ast.unparse(over)}.{called}")
        code = self.placed(self.numbers.typed(self.read(over, local, scope)))
        array = code.removesuffix("[j]")
        if not array.isidentifier() or array == code:  # not a row that is there already
            array = self.close_loop(code)
        self.variables += 1
        name = f"{REDUCTIONS[called]}_{self.variables}"
        self.lines.append(f"{name} = {REDUCTIONS[called]}({array})")
        return Value("row", name)

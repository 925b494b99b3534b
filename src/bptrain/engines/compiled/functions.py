"""The formulas of a kernel, each as a function of its module."""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from bptrain.engines.compiled.target import NUMBA
from bptrain.parts.schedules import Schedule
from bptrain.translate.expressions import Untranslatable, each
from bptrain.translate.formulas import DEPTH, Formula, translate
from bptrain.translate.source import is_library, source_of
from bptrain.translate.update_rules import Rule

Lines = Iterator[str]
BUILTINS: tuple[Any, ...] = (abs, bool, float, int, max, min, range, round)  # that compiled code knows


def indented(lines: Iterable[str], levels: int = 1) -> Lines:
    """The lines, further to the right."""
    for line in lines:
        yield "    " * levels + line


class Function(NamedTuple):
    """A formula as a function of the module, for a layer of n units."""

    name: str
    formula: Formula
    n: int

    @property
    def scratch(self) -> list[str]:
        """The rows of scratch space that it is given, by number and length."""
        return [f"s{k}_{self.n}" for k in range(self.formula.scratch)]


class KernelFunctions:
    """The functions of one module, each written once however many layers share it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[tuple[str, ...], str] = {}

    def formula(self, kind: str, n: int, arguments: tuple[str, ...], part: Callable[..., Any]) -> Function:
        """The function of a formula of arrays, entry by entry or row by row. Raises Untranslatable."""
        try:
            written = translate(part, n, NUMBA, **{name: each(name) for name in arguments})
        except Untranslatable as error:
            *_, factory, _ = ("", *part.__qualname__.split(".<locals>."))
            raise Untranslatable(f"{factory or part.__qualname__}: {error}") from error
        if written.numbers:
            raise Untranslatable(f"{part.__qualname__} works out numbers that do not depend on its arrays")
        writes = written.by_row and written.result.kind == "each"
        parameters = [*arguments, *(["out"] if writes else []), *(f"s{k}" for k in range(written.scratch))]
        key = (kind, *parameters, *written.lines)
        if key not in self._names:
            self._names[key] = f"{kind}{1 + sum(name[0] == kind for name in self._names)}"
            signature = f"{self._names[key]}({', '.join(parameters)})"
            self._define("formula", signature, written.lines, origin(part))
        return Function(self._names[key], written, n)

    def rule(self, rule: Rule) -> None:
        """`update`: the rule of the optimizer for one weight."""
        parameters = ["g", *rule.slots, "w", *rule.formula.numbers]
        step = "the optimizer's rule, for one weight: its step, then its slots after it"
        self._define("rule", f"update({', '.join(parameters)})", rule.formula.lines, step)

    def schedule(self, schedule: Schedule) -> None:
        """`factor_of`: the schedule as it stands, with its options in their places, and the functions that it calls.

        Raises Untranslatable.
        """
        try:
            self._plain("factor_of", schedule)
        except Untranslatable as error:
            raise Untranslatable(f"the schedule: {error}") from error

    def _plain(self, name: str, part: Callable[..., Any], depth: int = 0) -> None:
        """A function of Python numbers, those that it calls first."""
        if depth > DEPTH:
            raise Untranslatable(f"functions call one another more than {DEPTH} times")
        definition, scope = source_of(part)
        text, called = _plain_python(name, definition, scope)
        for inner, helper in called.items():
            self._plain(inner, helper, depth + 1)
        parameters = [argument.arg for argument in definition.args.args]
        self._define("schedule", f"{name}({', '.join(parameters)})", text, origin(part))

    def _define(self, decorator: str, signature: str, lines: Iterable[str], comment: str) -> None:
        self.lines += ["", "", f"# {comment}", f"@{decorator}", f"def {signature}:", *indented(lines)]


def origin(part: Callable[..., Any]) -> str:
    """Where a formula is from, such as "f of relu"."""
    *_, factory, name = ("", *part.__qualname__.split(".<locals>."))
    return f"{name} of {factory}" if factory else name


class _Powers(ast.NodeTransformer):
    """a ** b on floats: of whole numbers compiled code makes a whole number, so 2 ** -1 would be 0."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            node.left = ast.Call(ast.Name("float", ast.Load()), [node.left], [])
        return node


def _plain_python(
    name: str, definition: ast.FunctionDef, scope: Mapping[str, Any]
) -> tuple[list[str], dict[str, FunctionType]]:
    """The statements of a function of Python numbers, and the functions of the project that they call, by new names.

    Every other name in it is its own, a number, or what it is here too.
    """
    own = {argument.arg for argument in definition.args.args}
    own |= {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    called: dict[str, FunctionType] = {}
    renamed: dict[str, str] = {}
    statements = ast.Module(definition.body, [])
    for node in ast.walk(statements):
        if not isinstance(node, ast.Name) or node.id in own:
            continue
        value = scope.get(node.id)
        if isinstance(value, bool | int | float):
            node.id = NUMBA.literal(value)
        elif isinstance(value, FunctionType):
            node.id = renamed.setdefault(node.id, f"{name}_{len(renamed)}")
            called[node.id] = value
            if node.id in own:
                raise Untranslatable(f"{node.id} is a name that is needed here")
        elif not (is_library(value) and node.id in ("math", "np")) and not any(
            value is known for known in BUILTINS
        ):
            raise Untranslatable(f"{node.id} is not known in compiled code")
    return ast.unparse(ast.fix_missing_locations(_Powers().visit(statements))).splitlines(), called

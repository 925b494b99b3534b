"""The source of a registered function, and what the names in it stand for."""

import ast
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import CodeType, ModuleType
from typing import Any

from bptrain.translate.expressions import Untranslatable


def is_library(module: Any) -> bool:
    """Whether a name stands for NumPy or math, whose functions have a meaning here."""
    return isinstance(module, ModuleType) and module.__name__ in ("numpy", "math")


def source_of(function: Callable[..., Any]) -> tuple[ast.FunctionDef, dict[str, Any]]:
    """The definition of a function, and what the names in it stand for. Raises Untranslatable."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError) as error:
        raise Untranslatable(f"the source of {function} cannot be read") from error
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise Untranslatable("a formula must be a function with a name (def), not a lambda")
    if not is_source_of(definition, function):
        raise Untranslatable(
            f"the source of {definition.name} is not what runs: it is decorated, or has changed since it was imported"
        )
    names = inspect.getclosurevars(function)
    return definition, {**names.builtins, **names.globals, **names.nonlocals}


def is_source_of(definition: ast.FunctionDef, function: Callable[..., Any]) -> bool:
    """Whether a definition compiles to the very code of a function."""
    running = getattr(function, "__code__", None)
    if running is None or hasattr(function, "__wrapped__") or definition.decorator_list:
        return False
    bound = [
        ast.arg(name) for name in running.co_freevars
    ]  # as variables of a function around it, as they are
    here: list[ast.stmt] = [] if definition.name in running.co_freevars else [ast.Global([definition.name])]
    arguments = ast.arguments([], bound, None, [], [], None, [])
    around = ast.FunctionDef("around", arguments, [*here, definition], [])
    module = compile(
        ast.fix_missing_locations(ast.Module([around], [])), "<formula>", "exec", dont_inherit=True
    )
    written = next(code for code in _codes(_codes([module])) if code.co_name == definition.name)
    return _steps(written) == _steps(running)


def _codes(outer: Iterable[CodeType]) -> list[CodeType]:
    """The code of the functions defined in some code."""
    return [inner for code in outer for inner in code.co_consts if isinstance(inner, CodeType)]


def _steps(code: CodeType) -> list[tuple[str, str]]:
    """What code does, step by step, whichever way the names that it calls were imported.

    A jump is told by the step that it leads to: how far that is depends on how the names were imported.
    """
    same = {"LOAD_METHOD": "LOAD_ATTR"}
    passed_over = ("PUSH_NULL", "RESUME", "COPY_FREE_VARS", "EXTENDED_ARG")
    kept: list[dis.Instruction] = []
    place: dict[Any, int] = {}  # offset -> the step there, or the next one
    for step in dis.get_instructions(code):
        place[step.offset] = len(kept)
        if step.opname not in passed_over:
            kept.append(step)
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return [
        (
            same.get(step.opname, step.opname),
            str(place[step.argval]) if step.opcode in jumps else repr(step.argval),
        )
        for step in kept
    ]


def subscript(node: ast.expr) -> int | slice | None:
    """The place in a tuple that a subscript names in whole numbers; None where it is anything else."""
    parts = (node.lower, node.upper, node.step) if isinstance(node, ast.Slice) else (node,)
    try:
        places = [None if part is None else ast.literal_eval(part) for part in parts]
    except ValueError:
        return None
    if any(type(place) is not int for place in places if place is not None):
        return None
    return slice(*places) if isinstance(node, ast.Slice) else places[0]

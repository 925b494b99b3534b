"""The source of a registered function, and what the names in it stand for."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from bptrain.engines.compiled.values import Untranslatable


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
    if definition.decorator_list:
        raise Untranslatable(f"{definition.name} is decorated, so its source does not say what it does")
    names = inspect.getclosurevars(function)
    return definition, {**names.builtins, **names.globals, **names.nonlocals}

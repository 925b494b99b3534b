"""Somebody's function called: it may print, raise, or change what it is given.

None of that is an error of this program, so each becomes a record that says what happened, and in which line of their
file.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.commands.check_backward.contract import RETURNS, TAKES, shape
from bptrain.commands.check_backward.loading import THEIRS, Functions, as_a_script, deepest, described_error

LISTS = {word for words in RETURNS.values() for word in words}
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


class Fault(NamedTuple):
    """What went wrong in a function, other than its numbers."""

    code: str  # raised | unfinished | changed_input | wrong_return
    message: str
    line: int | None = None  # of their file
    source: str | None = None  # that line
    computing: tuple[str, int] | None = None  # the quantity that was being computed, such as ("delta", 2)


class Called(NamedTuple):
    """What a call came to."""

    value: Any  # what was returned; None where it raised
    fault: Fault | None
    reached: Mapping[str, Any]  # where it raised: the function's own variables


def call(functions: Functions, name: str, arguments: Sequence[Any]) -> Called:
    """Calls a function with copies of the arguments. What it prints goes to stderr."""
    given = copied(arguments)
    called = _called(functions, name, given)
    if name == "step":  # which may well update in place
        return called
    changed = [_changed(word, a, b) for word, a, b in zip(TAKES[name], arguments, given, strict=True)]
    changes = [text for text in changed if text]
    if called.fault is None and changes:
        line = _line_of_change(functions, name, arguments)
        message = f"{name} changed what it was given: {', '.join(changes)}. It should leave that as it is"
        fault = Fault("changed_input", message, line, _line(functions, line))
        return called._replace(fault=fault)
    return called


def _called(functions: Functions, name: str, arguments: Sequence[Any], silent: bool = False) -> Called:
    """What a call with these very arguments comes to."""
    try:
        with as_a_script(functions.path, silent):
            return Called(functions.by_name[name](*arguments), None, {})
    except THEIRS as error:
        line, _ = deepest(error, functions.path)
        at, frame = deepest(error, functions.path, name)
        variables = dict(frame.f_locals) if frame is not None else {}
        statement = statement_in(functions, at)
        computing = target(statement, variables)
        if isinstance(error, NotImplementedError):
            text = str(error) or "it raises NotImplementedError"
            fault = Fault("unfinished", f"{name} is not finished: {text}", line, _line(functions, line))
        else:
            message = f"{name} raised {described_error(error)}{_hint(error, statement, variables, computing)}"
            fault = Fault("raised", message, line, _line(functions, line), computing)
        return Called(None, fault, variables)


def target(statement: ast.stmt | None, variables: Mapping[str, Any]) -> tuple[str, int] | None:
    """The entry of a list that a statement computes, such as ("delta", 2) of `delta[i] = …`."""
    if isinstance(statement, ast.Assign | ast.AugAssign):
        goal = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(goal, ast.Subscript) and isinstance(goal.value, ast.Name) and goal.value.id in LISTS:
            entries, index = variables.get(goal.value.id), _number(goal.slice, variables)
            if isinstance(entries, list) and index is not None:
                return goal.value.id, index + len(entries) if index < 0 else index
    return None


def statement_in(functions: Functions, line: int | None) -> ast.stmt | None:
    """The simple statement that a line of the file belongs to."""
    for node in ast.walk(ast.parse("\n".join(functions.lines))):
        if isinstance(node, SIMPLE) and node.lineno <= (line or 0) <= (node.end_lineno or 0):
            return node
    return None


def shapes_in(statement: ast.stmt | None, variables: Mapping[str, Any]) -> str:
    """The shapes of the arrays that a statement reads, in words: `there W[i + 1] is 2×3, delta[i + 1] is 2×14`."""
    nodes = [node for node in ast.walk(statement) if isinstance(node, ast.expr)] if statement else []
    shapes = {}
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        value: Any = None
        if isinstance(node, ast.Name):
            value = variables.get(node.id)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            entries, index = variables.get(node.value.id), _number(node.slice, variables)
            if (
                isinstance(entries, list | tuple)
                and index is not None
                and -len(entries) <= index < len(entries)
            ):
                value = entries[index]
        if isinstance(value, np.ndarray):
            shapes[ast.unparse(node)] = shape(value.shape)
    return f"; there {', '.join(f'{name} is {of}' for name, of in shapes.items())}" if shapes else ""


def _number(node: ast.expr, variables: Mapping[str, Any]) -> int | None:
    """The value of an index such as 2, -1, i, i - 1 or L - i; None for any other."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) else None
    if isinstance(node, ast.Name):
        value = variables.get(node.id)
        return value if isinstance(value, int) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand, variables)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        left, right = _number(node.left, variables), _number(node.right, variables)
        if left is None or right is None:
            return None
        return left + right if isinstance(node.op, ast.Add) else left - right
    return None


def _hint(
    error: BaseException,
    statement: ast.stmt | None,
    variables: Mapping[str, Any],
    computing: tuple[str, int] | None,
) -> str:
    """Where it stood, and what a message about None most often comes from."""
    text = f", while computing {computing[0]}[{computing[1]}]" if computing else ""
    if not computing and isinstance(variables.get("i"), int):
        text = f", with i = {variables['i']}"
    if isinstance(error, ValueError):
        text += shapes_in(statement, variables)
    if any(sign in str(error) for sign in ("NoneType", "has 0, gufunc")):
        text += ". Entry 0 of W, b, f, df and z is unused (None), as b[i] is of a layer without bias"
    if isinstance(error, IndexError) and "list" in str(error):
        text += ". Lists count as the derivation does, 0 … L: W[1] is W_1"
    return text


def copied(arguments: Sequence[Any], writeable: bool = True) -> list[Any]:
    """Lists with copies of their arrays; functions and numbers as they are."""

    def copy(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = writeable
        return [copy(entry) for entry in value] if isinstance(value, list) else value

    return [copy(value) for value in arguments]


def _changed(word: str, before: Any, after: Any) -> str:
    """What has become of one argument, in words; "" where it is as it was."""
    if isinstance(before, list):
        if len(before) != len(after):
            return f"the length of {word}"
        pairs = zip(before, after, strict=True)
        return ", ".join(t for i, (a, b) in enumerate(pairs) if (t := _changed(f"{word}[{i}]", a, b)))
    if isinstance(before, np.ndarray):
        alike = isinstance(after, np.ndarray) and after.dtype == before.dtype
        return "" if alike and np.array_equal(before, after, equal_nan=True) else word
    return "" if before is after else word


def _line_of_change(functions: Functions, name: str, arguments: Sequence[Any]) -> int | None:
    """Where a function writes into an array that it was given; None where it changes but a list."""
    try:
        with as_a_script(functions.path, silent=True):
            functions.by_name[name](*copied(arguments, writeable=False))
    except ValueError as error:
        return deepest(error, functions.path)[0] if "read-only" in str(error) else None
    except THEIRS:
        return None
    return None


def _line(functions: Functions, line: int | None) -> str | None:
    """A line of their file."""
    return functions.lines[line - 1].strip() if line is not None and line <= len(functions.lines) else None

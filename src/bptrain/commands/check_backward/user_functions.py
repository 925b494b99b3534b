"""A user's own functions: loaded from a Python file, and called.

They may print, raise, or change what they are given. None of that is an error of this program, so each becomes a record
that says what happened, and in which line of their file.
"""

import ast
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from bptrain.commands.check_backward.contract import RETURNS, TAKES, shape
from bptrain.config.suggestions import suggest
from bptrain.errors import Problem, UsageError
from bptrain.plugins.script import read_script, run_script

THEIRS = (Exception, SystemExit)  # whatever their code may raise; Ctrl-C stays what it is
MOST_SAID = 500  # characters of the text of an exception


class UserFunctions(NamedTuple):
    """The functions of a file, and its text."""

    path: Path
    lines: tuple[str, ...]
    by_name: Mapping[str, Callable[..., Any]]


def load_functions(path: Path) -> UserFunctions:
    """The functions that a Python file defines. Raises UsageError, with the line, where it cannot be used."""
    script = read_script(str(path), "submission")
    with as_a_script(path):
        module = run_script(script, could_not_be_loaded)
    return UserFunctions(script.path, tuple(script.text.splitlines()), functions_of(module, path))


def could_not_be_loaded(error: BaseException) -> tuple[str, str]:
    """Code and message for what their code raises while it is loaded."""
    said = f"could not be loaded: {described_error(error)}"
    return "submission_raised", said


def functions_of(module: ModuleType, path: Path) -> dict[str, Callable[..., Any]]:
    """forward, backward, and step where it is there. Raises UsageError for one that does not fit."""
    own = [name for name, value in vars(module).items() if inspect.isfunction(value)]
    found, problems = {}, []
    for name, takes in TAKES.items():
        function = getattr(module, name, None)
        expected = f"{name}({', '.join(takes)})"
        if function is None and name == "step":
            continue
        if function is None:
            there = f"; it defines {', '.join(own)}" if own else ""
            problem = _problem(path, "function_missing", f"has no function {expected}{there}")
            problems.append(problem._replace(suggestion=suggest.value(name, own)))
        elif not callable(function):
            problems.append(_problem(path, "function_missing", f"{name} is not a function: {expected}"))
        elif not _takes(function, len(takes)):
            line = function.__code__.co_firstlineno if inspect.isfunction(function) else None
            message = (
                f"{expected} takes these arguments, in this order; here {name}{inspect.signature(function)}"
            )
            problems.append(_problem(path, "function_arguments", message, line))
        else:
            found[name] = function
    if problems:
        raise UsageError(problems)
    return found


@contextmanager
def as_a_script(path: Path, silent: bool = False) -> Iterator[None]:
    """While their code runs: the file's own folder is where it imports from, and what it prints goes to stderr."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(StringIO() if silent else sys.stderr):
            yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def deepest(
    error: BaseException, path: Path, function: str | None = None
) -> tuple[int | None, FrameType | None]:
    """The line and frame of their file (or of one function in it) that lie nearest to where it was raised."""
    found: tuple[int | None, FrameType | None] = (None, None)
    for frame, line in traceback.walk_tb(error.__traceback__):
        here = frame.f_code
        if here.co_filename == str(path) and function in (None, here.co_name):
            found = line, frame
    return found


def said_by(error: BaseException) -> str:
    """The text of an exception in one line of at most 500 characters; "" where its own code fails to make one."""
    try:
        text = " ".join(str(error).split())
    except THEIRS:  # an exception of theirs may have a __str__ of theirs, which may raise whatever it likes
        return ""
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…"


def described_error(error: BaseException) -> str:
    """An exception in one line: its type and its text."""
    text = said_by(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with this number of arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # one without a signature: calling it will show
        return True
    return True


def _problem(path: Path, code: str, message: str, line: int | None = None) -> Problem:
    """A problem with the file."""
    return Problem(code, message, file=str(path), line=line)


LISTS = {word for words in RETURNS.values() for word in words}
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


class Fault(NamedTuple):
    """What went wrong in a function, other than its numbers."""

    code: str  # raised | unfinished | changed_input | wrong_return; *_limit | ended: of the process
    message: str
    line: int | None = None  # of their file
    source: str | None = None  # that line
    computing: tuple[str, int] | None = None  # the quantity that was being computed, such as ("delta", 2)


class Called(NamedTuple):
    """What a call came to."""

    value: Any  # what was returned; None where it raised
    fault: Fault | None
    reached: Mapping[str, Any]  # where it raised: the function's own variables


def call(functions: UserFunctions, name: str, arguments: Sequence[Any]) -> Called:
    """Calls a function with copies of the arguments. What it prints goes to stderr."""
    given = copied(arguments)
    called = _called(functions, name, given)
    if name == "step":  # which may well update in place
        return called
    changed = [_changed(word, a, b) for word, a, b in zip(TAKES[name], arguments, given, strict=True)]
    changes = [text for text in changed if text]
    if called.fault is None and changes:
        line = _line_of_change(functions, name, arguments)
        message = f"{name} changed its arguments: {', '.join(changes)}. It should leave them as they are"
        fault = Fault("changed_input", message, line, _line(functions, line))
        return called._replace(fault=fault)
    return called


def _called(functions: UserFunctions, name: str, arguments: Sequence[Any], silent: bool = False) -> Called:
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
            text = said_by(error) or "it raises NotImplementedError"
            fault = Fault("unfinished", f"{name} is not finished: {text}", line, _line(functions, line))
        elif isinstance(error, MemoryError):
            message = f"{name} needs more memory than it may have (--memory-limit): {described_error(error)}"
            fault = Fault("memory_limit", message, line, _line(functions, line))
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


def statement_in(functions: UserFunctions, line: int | None) -> ast.stmt | None:
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
    if any(sign in said_by(error) for sign in ("NoneType", "has 0, gufunc")):
        text += ". Entry 0 of W, b, f, df and z is unused (None), as b[i] is of a layer without bias"
    if isinstance(error, IndexError) and "list" in said_by(error):
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


def _line_of_change(functions: UserFunctions, name: str, arguments: Sequence[Any]) -> int | None:
    """Where a function writes into an array that it was given; None where it changes but a list."""
    try:
        with as_a_script(functions.path, silent=True):
            functions.by_name[name](*copied(arguments, writeable=False))
    except ValueError as error:
        return deepest(error, functions.path)[0] if "read-only" in said_by(error) else None
    except THEIRS:
        return None
    return None


def _line(functions: UserFunctions, line: int | None) -> str | None:
    """A line of their file."""
    return functions.lines[line - 1].strip() if line is not None and line <= len(functions.lines) else None

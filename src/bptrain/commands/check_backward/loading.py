"""Somebody's own functions loaded from a Python file, and what their code may do while it runs."""

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from bptrain.commands.check_backward.contract import TAKES
from bptrain.config.suggestions import suggest
from bptrain.errors import Problem, UsageError
from bptrain.plugins.script import read_script, run_script

THEIRS = (Exception, SystemExit)  # whatever their code may raise; Ctrl-C stays what it is


class Functions(NamedTuple):
    """The functions of a file, and its text."""

    path: Path
    lines: tuple[str, ...]
    by_name: Mapping[str, Callable[..., Any]]


def load_functions(path: Path) -> Functions:
    """The functions that a Python file defines. Raises UsageError, with the line, where it cannot be used."""
    script = read_script(str(path), "submission")
    with as_a_script(path):
        module = run_script(script, could_not_be_loaded)
    return Functions(script.path, tuple(script.text.splitlines()), functions_of(module, path))


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
        wanted = f"{name}({', '.join(takes)})"
        if function is None and name == "step":
            continue
        if function is None:
            there = f"; it defines {', '.join(own)}" if own else ""
            problem = _problem(path, "function_missing", f"has no function {wanted}{there}")
            problems.append(problem._replace(suggestion=suggest.value(name, own)))
        elif not callable(function):
            problems.append(_problem(path, "function_missing", f"{name} is no function: {wanted}"))
        elif not _takes(function, len(takes)):
            line = function.__code__.co_firstlineno if inspect.isfunction(function) else None
            message = (
                f"{wanted} takes these arguments, in this order; here {name}{inspect.signature(function)}"
            )
            problems.append(_problem(path, "function_arguments", message, line))
        else:
            found[name] = function
    if problems:
        raise UsageError(problems)
    return found


@contextmanager
def as_a_script(path: Path, silent: bool = False) -> Iterator[None]:
    """While their code runs: the file's own folder is where it imports from, and stdout is not its to print on."""
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


def described_error(error: BaseException) -> str:
    """An exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # one without a signature: the call will tell
        return True
    return True


def _problem(path: Path, code: str, message: str, line: int | None = None) -> Problem:
    """A problem with the file."""
    return Problem(code, message, file=str(path), line=line)

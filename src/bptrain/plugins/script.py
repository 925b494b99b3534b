"""A Python file that the user named: read, given a digest, and run as a module with a unique name."""

import hashlib
import importlib.util
import linecache
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from bptrain.errors import Problem, UsageError


class Script(NamedTuple):
    """A Python file as it was read."""

    what: str  # it is to the user: plug-in | submission
    file: str  # as the user named it
    path: Path  # absolute
    sha256: str
    text: str

    @property
    def key(self) -> tuple[Path, str]:
        """What makes it this script: where it lies, and what it says."""
        return self.path, self.sha256

    def problem(self, code: str, message: str, line: int | None = None) -> Problem:
        """Something that is wrong in it."""
        return Problem(code, message, file=self.file, line=line)


def read_script(file: str, what: str) -> Script:
    """Reads a file. Raises UsageError where it is missing or no Python."""
    path = Path(file)
    if path.suffix != ".py":
        if not os.path.exists(path):  # no error where the name is too long
            raise UsageError(Problem("file_not_found", "there is no such file or directory", file=file))
        raise UsageError(Problem("no_script", f"a {what} is a Python file, named something.py", file=file))
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(Problem("file_not_found", f"there is no such {what}", file=file)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(Problem("unreadable", f"the {what} cannot be read: {reason}", file=file)) from None
    try:
        text = importlib.util.decode_source(content)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(Problem("syntax", f"the {what} is not text: {error}", file=file)) from None
    return Script(what, file, path.resolve(), hashlib.sha256(content).hexdigest(), text)


class _Loader(InspectLoader):
    """Runs the text that was read, and no other that may lie in the file by then."""

    def __init__(self, text: str, code: CodeType) -> None:
        self._text, self._code = text, code

    def get_source(self, fullname: str) -> str:
        return self._text

    def get_code(self, fullname: str) -> CodeType:
        return self._code


def run_script(script: Script, failed: Callable[[BaseException], tuple[str, str]]) -> ModuleType:
    """The module that a script makes. Raises UsageError with the line where it fails.

    `failed` gives code and message for an exception of the script's own.
    """
    path = str(script.path)
    try:
        code = _Loader.source_to_code(script.text, path)
    except SyntaxError as error:
        said, at = f"not valid Python: {error.msg}", (error.lineno, error.offset)
        source = None if error.text is None else error.text.rstrip("\n")
        raise UsageError(Problem("syntax", said, "", script.file, *at, source=source)) from None
    except ValueError as error:  # such as a null byte
        raise UsageError(script.problem("syntax", f"not valid Python: {error}")) from None
    # What inspect.getsource shows is what runs, also when the file changes; so the compiled engine can read formulas.
    lines = script.text.splitlines(keepends=True)
    linecache.cache[path] = (len(script.text), None, lines, path)
    name = "bptrain_script_" + hashlib.sha256(f"{path}\n{script.sha256}".encode()).hexdigest()[:16]
    loader = _Loader(script.text, code)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with redirect_stdout(sys.stderr):  # stdout is for results
            loader.exec_module(module)
    except (Exception, SystemExit) as error:  # the user's own code, which may raise whatever it likes
        del sys.modules[name]
        raise UsageError(script.problem(*failed(error), _line_in(error, path))) from error
    return module


def _line_in(error: BaseException, path: str) -> int | None:
    """The line of a file that was running last when an exception was raised."""
    traceback, line = error.__traceback__, None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line

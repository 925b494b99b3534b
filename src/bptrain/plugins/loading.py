"""Plug-ins: Python files that register parts of a user's own, for as long as a command or a call lasts.

    with plugged_in(["my_parts.py"]):
        …  # the parts of the file can be named like any other

A file is run once per process; it is read again when its content has changed. Its parts are registered inside the block
alone, so what a command or a call may name depends on nothing that went before it.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import bptrain
from bptrain.errors import BptrainError, Problem, UsageError
from bptrain.plugins.kinds import KINDS, Kind, fault
from bptrain.plugins.options import wrong_option
from bptrain.plugins.script import Script, read_script, run_script
from bptrain.registry import Factory, NameTaken


class Registered(NamedTuple):
    """A part of a plug-in."""

    kind: Kind
    name: str
    factory: Factory[Any]  # which looks at what it returns
    line: int  # where it stands in the file


class Plugin(NamedTuple):
    """A plug-in that was read."""

    script: Script
    parts: tuple[Registered, ...]

    @property
    def file(self) -> str:
        """The file as the user named it."""
        return self.script.file

    @property
    def sha256(self) -> str:
        """The digest of its content."""
        return self.script.sha256


# The plug-ins of this process. Registries are of the process too, and so threads take turns with them.
_lock = threading.RLock()
_read: dict[tuple[Path, str], Plugin] = {}  # by place and content
_in_use: list[Plugin] = []  # one that is in use twice, by calls within calls or in threads, is here twice


@contextmanager
def plugged_in(files: Iterable[str | Path]) -> Iterator[None]:
    """Registers the parts of plug-ins inside the block. Raises UsageError, for what fails in a plug-in's code too."""
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(registered(plugin_of(str(file))))
        with reported():
            yield


@contextmanager
def reported() -> Iterator[None]:
    """What the code of a plug-in raises inside the block becomes a UsageError with its line."""
    try:
        yield
    except (BptrainError, MemoryError):
        raise
    except Exception as error:  # a formula may raise anything; what a plug-in did not raise goes on as it is
        problem = raised_in_plugin(error)
        if problem is None:
            raise
        raise UsageError(problem) from error


def plugins_in_use() -> list[Plugin]:
    """The plug-ins whose parts are registered now, each once."""
    with _lock:
        return list({plugin.script.key: plugin for plugin in _in_use}.values())


def origin(kind: str, name: str) -> Plugin | None:
    """The plug-in that a registered part comes from; None for a part of bptrain's own."""
    for plugin in plugins_in_use():
        if any((part.kind.name, part.name) == (kind, name) for part in plugin.parts):
            return plugin
    return None


def has_parts_of_a_script() -> bool:
    """Whether a part is registered that neither bptrain nor a plug-in has brought: another process lacks it."""
    of_plugins = {(part.kind.name, part.name) for plugin in plugins_in_use() for part in plugin.parts}
    return any(
        not factory.__module__.startswith("bptrain.") and (kind.name, name) not in of_plugins
        for kind, has in zip(KINDS, contents(), strict=True)
        for name, factory in has.items()
    )


def plugin_of(file: str) -> Plugin:
    """A plug-in file, run now or at an earlier time. Raises UsageError."""
    script = read_script(file, "plug-in")
    with _lock:
        if script.key not in _read:
            _read[script.key] = Plugin(script, tuple(parts_of(script)))
        return _read[script.key]._replace(script=script)


def parts_of(script: Script) -> Iterator[Registered]:
    """Runs a file and takes what it registers out of the registries again. Raises UsageError."""
    before = contents()
    known = {(kind.name, name) for kind, had in zip(KINDS, before, strict=True) for name in had}

    def failed(error: BaseException) -> tuple[str, str]:
        if not isinstance(error, NameTaken):
            said = f"{type(error).__name__}: {error}"
            return "plugin_failed", said
        twice = (error.kind, error.name) not in known
        said = f"the {error.kind} {error.name} is registered twice" if twice else say_taken(error)
        return "name_taken", said

    try:
        run_script(script, failed)
        after = contents()
    finally:
        restore(before)
    for kind, had, has in zip(KINDS, before, after, strict=True):
        for name, factory in had.items():
            if has.get(name) is not factory:
                message = f"the {kind.name} {name} cannot be removed or replaced: give yours another name"
                raise UsageError(script.problem("name_taken", message))
    found = [
        registered_part(script, kind, name, factory)
        for kind, had, has in zip(KINDS, before, after, strict=True)
        for name, factory in has.items()
        if name not in had
    ]
    if not found:
        message = "the plug-in registers no part: put @activations.add(NAME), or similar, over a factory"
        raise UsageError(script.problem("plugin_empty", message))
    yield from found


def registered_part(script: Script, kind: Kind, name: str, factory: Any) -> Registered:
    """A part whose factory can make one, as far as its signature says. Raises UsageError."""
    if not hasattr(factory, "__code__"):
        message = f"the {kind.name} {name} is not a function (def) that returns {kind.makes}"
        raise UsageError(script.problem("wrong_part", message))
    line = factory.__code__.co_firstlineno
    wrong = wrong_option(factory, kind.taken)
    if wrong is not None:
        raise UsageError(script.problem("wrong_option", f"the {kind.name} {name} {wrong}", line))
    return Registered(kind, name, watched(script, kind, name, factory, line), line)


def watched(script: Script, kind: Kind, name: str, factory: Factory[Any], line: int) -> Factory[Any]:
    """The factory; what it returns is looked at, and a UsageError raised where it is not what its kind asks for."""

    @wraps(factory)
    def make(**options: Any) -> Any:
        part = factory(**options)  # whose ValueError is a rule between options, reported at the config's line
        with reported():
            wrong = fault(kind, part)
        if wrong is not None:
            raise UsageError(script.problem("wrong_part", f"the {kind.name} {name} {wrong}", line))
        return part

    return make


@contextmanager
def registered(plugin: Plugin) -> Iterator[None]:
    """Has the parts of a plug-in registered inside the block. Raises UsageError for a name that is taken."""
    with _lock:
        if plugin.script.key not in {other.script.key for other in _in_use}:
            before = contents()
            for part in plugin.parts:
                try:
                    part.kind.registry.add(part.name)(part.factory)
                except NameTaken as error:
                    restore(before)
                    problem = plugin.script.problem("name_taken", say_taken(error), part.line)
                    raise UsageError(problem) from None
        _in_use.append(plugin)
    try:
        yield
    finally:
        with _lock:
            _in_use.remove(plugin)
            if plugin.script.key not in {other.script.key for other in _in_use}:
                for part in plugin.parts:
                    part.kind.registry.remove(part.name)


def say_taken(error: NameTaken) -> str:
    """Who has a name already."""
    owner = origin(error.kind, error.name)
    if owner is not None:
        return f"the {error.kind} {error.name} already belongs to the plug-in {owner.file}: give yours another name"
    registries = {kind.name: kind.registry for kind in KINDS}
    module = registries[error.kind].get(error.name).__module__
    if not module.startswith("bptrain."):
        there = f"the {error.kind} {error.name} is already registered, since {module} was imported"
        return f"{there}: give it only as a plug-in"
    return f"the {error.kind} {error.name} is one of bptrain's own: give yours another name"


def raised_in_plugin(error: Exception) -> Problem | None:
    """The problem where an exception was raised by the code of a plug-in, or by what that called; None where not."""
    named = {str(plugin.script.path): plugin.file for plugin in [*_read.values(), *plugins_in_use()]}
    own = Path(bptrain.__file__).parent
    formulas = own / "parts"  # which a plug-in may call too
    traceback, found = error.__traceback__, None
    while traceback is not None:  # from the outermost call to the innermost
        code, line = traceback.tb_frame.f_code, traceback.tb_lineno
        path = Path(code.co_filename)
        if code.co_filename in named:
            said = f"{code.co_name} raised {type(error).__name__}: {error}"
            found = Problem("plugin_failed", said, file=named[code.co_filename], line=line)
        elif path.is_relative_to(own) and not path.is_relative_to(formulas):
            found = None
        traceback = traceback.tb_next
    return found


def contents() -> list[dict[str, Factory[Any]]]:
    """What is registered, kind by kind."""
    return [{name: kind.registry.get(name) for name in kind.registry} for kind in KINDS]


def restore(before: list[dict[str, Factory[Any]]]) -> None:
    """Brings the registries back to what they held."""
    found = list(zip(KINDS, before, contents(), strict=True))
    differing = [entry for entry in found if list(entry[1].items()) != list(entry[2].items())]
    for kind, _, has in differing:
        for name in has:
            kind.registry.remove(name)
    for kind, had, _ in differing:
        for name, factory in had.items():
            kind.registry.add(name)(factory)

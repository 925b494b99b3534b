""".ci/run: what it leaves out where no extra is installed cannot tell the difference, and its commands exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bptrain
import generate
from conftest import ROOT

SOURCE = Path(bptrain.__file__).parent
SCRIPT = ROOT / ".ci" / "run"
OF_EXTRAS = {"numba", "llvmlite", "openpyxl", "pyarrow", "scipy"}
BY_NAME = {"import_module", "needed"}  # functions that import what a text names
IGNORED = re.findall(r"--ignore tests/(\w+)", SCRIPT.read_text(encoding="utf-8"))


def names_imported(file: Path) -> Iterator[str]:
    """Everything that a file imports, within functions and by a text too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def file_of(name: str) -> Path | None:
    """The file of a module of bptrain, or of the module that has the name."""
    parts = name.split(".")[1:]
    for length in range(len(parts), 0, -1):
        place = SOURCE.joinpath(*parts[:length])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def importers_of_extras(room: str) -> set[Path]:
    """The files that import something of an extra, among a room's and all that these import.

    Engines are imported by name, `<name>_engine.py`: who imports the registry reaches them all; and so with formats.
    """
    waiting = list((SOURCE / room).rglob("*.py"))
    seen, found = set(waiting), set()
    while waiting:
        file = waiting.pop()
        if file == SOURCE / "engines" / "registry.py":
            engines = set(file.parent.glob("*_engine.py")) - seen
            seen |= engines
            waiting.extend(engines)
        if file == SOURCE / "formats" / "__init__.py":
            made = set(file.parent.glob("*.py")) - seen
            seen |= made
            waiting.extend(made)
        for name in names_imported(file):
            there = file_of(name) if name.startswith("bptrain.") else None
            if name.split(".")[0] in OF_EXTRAS:
                found.add(file)
            elif there is not None and there not in seen:
                seen.add(there)
                waiting.append(there)
    return found


@pytest.mark.parametrize("room", sorted(set(IGNORED) - {"dev"}))
def test_a_room_that_is_left_out_without_extras_reaches_none(room: str) -> None:
    assert (SOURCE / room).is_dir()
    assert importers_of_extras(room) == set()


def test_an_import_of_an_extra_is_found() -> None:
    assert SOURCE / "engines" / "numba_engine.py" in importers_of_extras("console")
    assert SOURCE / "formats" / "excel.py" in importers_of_extras("config")


def test_what_ci_and_the_generators_run_is_there() -> None:
    scripts = re.findall(r" (dev/\w+\.py)", SCRIPT.read_text(encoding="utf-8"))
    generators = [word for generator in generate.GENERATORS for word in generator if "/" in word]
    assert len(scripts) >= 2
    assert [name for name in [*scripts, *generators] if not (ROOT / name).is_file()] == []

"""The order of the house: who imports whom, and what a quick start may load."""

import ast
import sys
from pathlib import Path

import pytest

import bptrain
from house import loaded_by

SOURCE = Path(bptrain.__file__).parent
# Left never imports right; the rooms of one line do not import each other.
ORDER = [
    {"cautions", "errors", "registry"},
    {"scripts", "steps"},
    {"parts"},
    {"plugins"},
    {"core", "config", "data"},
    {"engines"},
    {"build", "build_controls"},
    {"evaluation"},
    {"training"},
    {"store"},
    {
        "additions",
        "api",
        "assessing",
        "build_metrics",
        "check_record",
        "checking",
        "checkup",
        "conclusion",
        "consistency",
        "doubts",
        "drafting",
        "estimates",
        "explain",
        "fitting",
        "following",
        "inspecting",
        "overview",
        "showing",
        "grading",
        "interrupts",
        "json_schema",
        "listing",
        "model",
        "prologue",
        "resuming",
        "seeding",
        "selftest",
        "testing",
        "validation",
    },
    {"console"},
    {"cli"},
]
LAYER = {room: number for number, rooms in enumerate(ORDER) for room in rooms}
API = 10  # the modules of the API are one room
ONLY = {"pydantic": {"config"}, "yaml": {"config"}, "typer": {"cli"}, "rich": {"console", "cli"}}
HEAVY_AT_TOP = {
    "rich",
    "safetensors",
    "filelock",
    "threadpoolctl",
    "numba",
    "llvmlite",
    "scipy",
    "platformdirs",
}  # always inside the function that needs them
FILES = sorted(SOURCE.rglob("*.py"))


def room(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(file: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_go_left(file: Path) -> None:
    here = room(file)
    if here in ("__init__", "__main__"):  # the package's own face; loads nothing but on demand
        return
    for name in imports(file):
        package, *rest = name.split(".")
        if package in ONLY:
            assert here in ONLY[package], f"{here} imports {package}"
        if package != "bptrain" or not rest or rest[0].startswith("__"):
            continue
        there = rest[0]
        assert there in LAYER, f"{name}: no such room"
        left = LAYER[there] < LAYER[here]
        assert there == here or left or LAYER[there] == LAYER[here] == API, f"{here} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_heavy_imports_are_inside_functions(file: Path) -> None:
    if "runtime" in file.parts:  # imported by compiled loops alone
        return
    top = {name.split(".")[0] for name in imports(file, top_level_only=True)}
    assert not top & HEAVY_AT_TOP


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_files_fit_in_a_head(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 255


def test_core_is_numpy_and_nothing_else() -> None:
    allowed = {"bptrain", "numpy"} | set(sys.stdlib_module_names)
    for file in (SOURCE / "core").glob("*.py"):
        assert {name.split(".")[0] for name in imports(file)} <= allowed


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "--help",
        "fit --help",
        "eval -h",
        "gradcheck --help",
        "list --help",
        "init --help",
        "validate --help",
        "schema --help",
        "check-backward --help",
        "completion --help",
        "config --help",
        "config show --help",
        "inspect --help",
        "runs --help",
        "doctor --help",
    ],
)
def test_quick_commands_load_little(line: str) -> None:
    assert not loaded_by(*line.split()) & {"numpy", "rich", "pydantic", "yaml", "safetensors"}


def test_the_trainer_prints_nothing() -> None:
    for here in ("core", "engines", "training", "data", "config", "parts", "store"):
        for file in (SOURCE / here).rglob("*.py"):
            calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
            assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], file


def test_public_names() -> None:
    for name in bptrain.__all__:
        assert getattr(bptrain, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bptrain.nothing


def test_everything_public_has_a_docstring() -> None:
    missing: list[str] = []
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            missing.append(str(file.relative_to(SOURCE)))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                rule = file.name == "rules.py"  # whose names are sentences
                if ast.get_docstring(node) is None and not rule:
                    missing.append(f"{file.relative_to(SOURCE)}: {node.name}")
    assert not missing

"""The order of the house: who imports whom, where a command lives, names, sizes, and what a quick start may load.

docs/architecture.md shows the same rooms as a picture and says what each is for.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bptrain
import rooms_picture
from bptrain.cli.application import application
from conftest import ROOT
from house import loaded_by

SOURCE = Path(bptrain.__file__).parent
# Left never imports right; the rooms of one set do not import each other.
ORDER = [
    {"caches", "drain", "engine_names", "errors", "extras", "registry", "temporary"},
    {"mapped_rows"},
    {"parts"},
    {"formats", "translate"},
    {"plugins"},
    {"config", "core", "data"},
    {"engines", "gradient_check"},
    {"build"},
    {"training"},
    {"store"},
    {"model"},
    {"commands"},
    {"experiments"},
    {"console"},
    {"api"},
    {"cli", "testing"},
]
# Rooms that have an order of their own, read the same way.
INNER = {
    "commands": [
        {
            "config_show",
            "data_cache_list",
            "data_compare",
            "eval",
            "explain",
            "fit",
            "gradcheck",
            "inspect",
            "list",
            "runs",
        },
        {"check_backward", "data_cache_clear", "doctor", "ensemble", "predict", "runs_prune", "validate"},
        {"init"},
        {"data_inspect"},
    ],
}
# What a command does lies in commands/<name>, but for these.
DONE_ELSEWHERE = {"schema": "config/json_schema", "completion": None}
# What a command prints lies in console/<name>, but for those that print no more than a sentence or a text as it is.
PRINT_NO_MORE_THAN_A_SENTENCE = {"completion", "init", "schema"}
COMPANY_OF_CLI = {
    "__init__",
    "application",
    "command",
    "completing",
    "completion_words",
    "entry",
    "main",
    "usage_hints",
}  # files of cli/ that are no command
ONLY = {"pydantic": {"config"}, "yaml": {"config"}, "typer": {"cli"}, "rich": {"console", "cli"}}
# Folders that know nothing of the rest of bptrain but what is named here.
KNOWS_ONLY = {
    "config/yaml": {"errors"},
    "formats": {"errors", "extras", "parts", "registry"},
    "translate": {"parts", "registry"},
}
HEAVY_AT_TOP = {
    "rich",
    "safetensors",
    "filelock",
    "threadpoolctl",
    "numba",
    "llvmlite",
    "openpyxl",
    "pyarrow",
    "scipy",
    "platformdirs",
}  # always inside the function that needs them
LINES = 350  # of a file that is one idea
FILES = sorted(SOURCE.rglob("*.py"))
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))


def entry(file: Path, room: Path = SOURCE) -> str:
    """The entry of a room that a file is, or lies in."""
    return file.relative_to(room).parts[0].removesuffix(".py")


def entries(room: Path) -> set[str]:
    """The files and folders of a room, without their suffix."""
    found = {path.stem for path in room.iterdir() if path.suffix == ".py" or any(path.glob("*.py"))}
    return found - {"__init__", "__main__"}


def imports(file: Path, top_level_only: bool = False) -> set[str]:
    """Every name that a file imports, with the module it comes from."""
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


def imported_of(file: Path, prefix: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The entries of a room (its dotted path in parts) that a file imports, each with the whole name."""
    for name in sorted(imports(file)):
        steps = tuple(name.split("."))
        if (
            steps[: len(prefix)] == prefix
            and len(steps) > len(prefix)
            and not steps[len(prefix)].startswith("__")
        ):
            yield steps[len(prefix)], name


ROOMS: list[tuple[tuple[str, ...], list[set[str]]]] = [
    ((), ORDER),
    *(((room,), order) for room, order in INNER.items()),
]
each_room = pytest.mark.parametrize(
    ("room", "order"), ROOMS, ids=["/".join(("bptrain", *room)) for room, _ in ROOMS]
)


@each_room
def test_every_entry_has_its_place_in_the_order(room: tuple[str, ...], order: list[set[str]]) -> None:
    there, named = entries(SOURCE.joinpath(*room)), set().union(*order)
    where = "/".join(("src/bptrain", *room))
    for unknown in sorted(there - named):
        pytest.fail(
            f"{where}/{unknown} has no place in the order: put {unknown!r} into {'INNER' if room else 'ORDER'} of "
            "tests/test_house.py, right of all that it imports, and describe it in docs/architecture.md"
        )
    for gone in sorted(named - there):
        pytest.fail(
            f"{where}/{gone} is named in tests/test_house.py and is not there: take it out of the order"
        )


@each_room
def test_imports_go_left(room: tuple[str, ...], order: list[set[str]]) -> None:
    place = {name: number for number, names in enumerate(order) for name in names}
    folder = SOURCE.joinpath(*room)
    for file in sorted(folder.rglob("*.py")):
        here = entry(file, folder)
        if here in ("__init__", "__main__"):  # the room's own face; loads nothing but on demand
            continue
        for there, name in imported_of(file, ("bptrain", *room)):
            assert there in place, f"{file}: {name}: there is no such room"
            if there != here and place[there] >= place[here]:
                pytest.fail(
                    f"{file.relative_to(SOURCE)} imports {name}, which is not left of it: move what both need to "
                    "the left, or hand it over as an argument"
                )


@each_file
def test_libraries_stay_in_their_rooms(file: Path) -> None:
    here = entry(file)
    for package in {name.split(".")[0] for name in imports(file)} & ONLY.keys():
        assert here in ONLY[package], (
            f"{file.relative_to(SOURCE)} imports {package}, which is for {ONLY[package]}"
        )


@pytest.mark.parametrize("folder", KNOWS_ONLY)
def test_folders_that_know_little(folder: str) -> None:
    own = tuple(folder.split("/"))
    for file in (SOURCE / folder).rglob("*.py"):
        for there, name in imported_of(file, ("bptrain",)):
            inside = tuple(name.split(".")[1 : 1 + len(own)]) == own
            assert inside or there in KNOWS_ONLY[folder], f"{file.relative_to(SOURCE)} imports {name}"


@each_file
def test_heavy_imports_are_inside_functions(file: Path) -> None:
    if "runtime" in file.parts:  # imported by compiled loops alone
        return
    top = {name.split(".")[0] for name in imports(file, top_level_only=True)}
    assert not top & HEAVY_AT_TOP


@each_file
def test_files_fit_in_a_head(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("file", sorted((SOURCE / "core").rglob("*.py")), ids=lambda file: file.name)
def test_core_is_numpy_and_nothing_else(file: Path) -> None:
    allowed = {"bptrain", "numpy"} | set(sys.stdlib_module_names)
    assert {name.split(".")[0] for name in imports(file)} <= allowed
    assert {there for there, _ in imported_of(file, ("bptrain",))} <= {
        "core",
        "drain",
        "mapped_rows",
        "parts",
    }


def commands_of(group: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command of a typer application."""
    for command in group.registered_commands:
        yield (*prefix, *command.name.split("-"))
    for below in group.registered_groups:
        yield from commands_of(below.typer_instance, (*prefix, below.name))


COMMANDS = ["_".join(words) for words in commands_of(application())]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_one_name_on_every_floor(name: str) -> None:
    assert (SOURCE / "cli" / f"{name}.py").is_file(), f"the command {name} is defined in cli/{name}.py"
    does = DONE_ELSEWHERE.get(name, f"commands/{name}")
    assert does is None or (SOURCE / does).is_dir() or (SOURCE / f"{does}.py").is_file(), (
        f"what {name} does lies in {does}.py or in the folder {does}, or DONE_ELSEWHERE says where"
    )
    printed = (SOURCE / "console" / f"{name}.py").is_file()
    assert printed != (name in PRINT_NO_MORE_THAN_A_SENTENCE), (
        f"what {name} prints lies in console/{name}.py, or, if that is a sentence, in PRINT_NO_MORE_THAN_A_SENTENCE"
    )


def test_no_floor_has_a_command_that_is_none() -> None:
    assert entries(SOURCE / "cli") - COMPANY_OF_CLI == set(COMMANDS)
    assert entries(SOURCE / "commands") <= set(COMMANDS)


# File names that occur more than once: the same subject on several floors, each with its places.
SAME_SUBJECT: dict[str, str] = {
    **dict.fromkeys(COMMANDS, "a command on its floors: cli/, commands/, console/"),
    **dict.fromkeys(
        ("controls", "data", "network", "training"),
        "what a run is made of: its rules in config/rules/, where it is built, and what it is",
    ),
    "registry": "what is registered: parts; engines",
    "controls": "what ends a run or lowers its rate: rules in a config, objects, records, in the loop",
    "data": "the section `data`: its rules, its objects",
    "network": "the network: its rules in a config, how it is built, what it is",
    "input_steps": "steps before W_1: the parts, the key, over rows, in a compiled loop, in the check",
    "gradient_transform": "clipping, noise and max_norm: by NumPy, in a compiled loop",
}
FREE = {"__init__", "base"}  # which say no subject of their own


def test_a_file_name_is_one_subject() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in FILES:
        places[file.stem].append(str(file.relative_to(SOURCE)))
    twice = {name: where for name, where in places.items() if len(where) > 1 and name not in FREE}
    unknown = {name: where for name, where in twice.items() if name not in SAME_SUBJECT}
    assert not unknown, "give these files names of their own, or list their one subject in SAME_SUBJECT"
    assert SAME_SUBJECT.keys() - COMMANDS <= twice.keys(), "listed in SAME_SUBJECT, but there is only one"


def test_a_class_name_is_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(file.relative_to(SOURCE)))
    assert not {name: where for name, where in places.items() if len(where) > 1}


@pytest.mark.parametrize(
    "line",
    [
        "--version",
        "--help",
        "fit --help",
        "eval -h",
        "predict --help",
        "gradcheck --help",
        "list --help",
        "init --help",
        "validate --help",
        "schema --help",
        "check-backward --help",
        "completion --help",
        "config --help",
        "config show --help",
        "data inspect --help",
        "data compare --help",
        "data cache --help",
        "data cache list --help",
        "data cache clear --help",
        "inspect --help",
        "runs --help",
        "doctor --help",
    ],
)
def test_quick_commands_load_little(line: str) -> None:
    assert not loaded_by(*line.split()) & {"numpy", "rich", "pydantic", "yaml", "safetensors"}


def test_only_the_command_line_prints() -> None:
    for file in FILES:
        if entry(file) in ("cli", "console"):
            continue
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], file


# Where text is handed to a stream: each line made printable, or text of our own, or a word for a shell to take.
PRINT = {
    "console/terminal/screen.py",
    "console/terminal/tables.py",
    "cli/application.py",
    "cli/completing.py",
    "cli/main.py",
}


def test_only_the_screen_prints() -> None:
    """So that no command can send a name from somebody's data to the terminal as it is, nor have it read as markup."""
    for file in FILES:
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        named = [(call.func.id, call) for call in calls if isinstance(call.func, ast.Name)]
        if str(file.relative_to(SOURCE)) not in PRINT:
            assert "print" not in dict(named), file
        for name, call in named:
            if name == "TextColumn" and "task.fields" in ast.unparse(call.args[0]):
                assert "markup=False" in ast.unparse(call), file


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
        rules = file.parent == SOURCE / "config" / "rules"  # whose names are sentences
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_") or rules:
                continue
            if ast.get_docstring(node) is None:
                missing.append(f"{file.relative_to(SOURCE)}: {node.name}")
    assert not missing


def test_the_picture_of_the_rooms_is_fresh() -> None:
    drawn = rooms_picture.picture(rooms_picture.rooms_and_imports())
    assert drawn == rooms_picture.PICTURE.read_text(encoding="utf-8"), "run `python dev/generate.py`"


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_architecture_page_has_this_order() -> None:
    def written(order: list[set[str]]) -> str:
        names = [sorted(room) for room in order]
        return " < ".join(one[0] if len(one) == 1 else "{" + ", ".join(one) + "}" for one in names)

    page = " ".join(ARCHITECTURE.replace("`", "").split())
    assert written(ORDER) in page
    for room, order in INNER.items():
        assert f"Inside {room}/: {written(order)}." in page
    for room in entries(SOURCE):
        assert f"`{room}/`" in ARCHITECTURE or f"`{room}.py`" in ARCHITECTURE, f"no row says what {room} is"


def test_the_architecture_page_names_files_that_exist() -> None:
    there = [str(file) for folder in ("src", "tests", "docs", "dev") for file in (ROOT / folder).rglob("*.*")]
    for name in set(re.findall(r"`([\w./]+\.(?:py|toml|md|svg))", ARCHITECTURE)):
        assert any(path.endswith(f"/{name}") or path == name for path in [*there, "pyproject.toml"]), name

"""A new command is its files on the three floors and a line in each of two orders; help and completion then know it.

The files are added to a copy of the sources. Without either line the house test says what is missing.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bptrain
from bptrain.caches import VARIABLE as CACHE
from bptrain.cli.entry import VARIABLE as COMPLETE
from conftest import ROOT

CLI = '''\
"""`bptrain widths`: how wide a network is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptrain.cli.command import Set, command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("widths", "Print the width of each layer.", plugins=True)
def widths_command(
    screen: "Screen",
    config: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="The YAML file.", show_default=False)],
    set_: Set = None,
) -> None:
    """Print the width of each layer of a network.

    \\b
    Examples:
      bptrain widths configs/iris.yaml
    """
    from bptrain.commands.widths import widths
    from bptrain.console.widths import show_widths

    found = widths(config, set_ or [])
    show_widths(screen, found)
    screen.record(found.record())
'''
COMMAND = '''\
"""What `bptrain widths` does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.config import load_config


class Widths(NamedTuple):
    """The sizes of a config, as it gives them."""

    sizes: tuple[int | str, ...]

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return self._asdict()


def widths(config: Path, overrides: Sequence[str]) -> Widths:
    """The sizes of a config. Raises UsageError."""
    return Widths(tuple(load_config(config, overrides).config.network.sizes))
'''
CONSOLE = '''\
"""The widths of a network, one line per layer."""

from bptrain.commands.widths import Widths
from bptrain.console.terminal.screen import Screen


def show_widths(screen: Screen, found: Widths) -> None:
    """Each width after the number of its layer."""
    for layer, width in enumerate(found.sizes):
        screen.result(f"layer {layer}: {width}")
'''
FLOORS = {"cli": CLI, "commands": COMMAND, "console": CONSOLE}
RULES = "one_name_on_every_floor or floor_has_a_command or place_in_the_order or imports_go_left"


def insert(file: Path, before: str, line: str) -> None:
    """Puts a line before another one."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, line + before), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the sources that has the command, and of the house test that knows it."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "bptrain"
    shutil.copytree(Path(bptrain.__file__).parent, package)  # with what Python has compiled of it
    for floor, text in FLOORS.items():
        (package / floor / "widths.py").write_text(text, encoding="utf-8")
    insert(package / "cli" / "application.py", '    "doctor",\n', '    "widths",\n')
    shutil.copy(ROOT / "tests" / "test_house.py", folder)
    insert(folder / "test_house.py", '        {"init"},\n', '        {"widths"},\n')
    return folder


def run(copy: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A process of its own that imports the copy."""
    path = os.pathsep.join(map(str, (copy, ROOT / "tests", ROOT / "dev")))
    env = {**os.environ, "PYTHONPATH": path, CACHE: str(copy / "cache"), **variables}
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, env=env, cwd=copy, check=False
    )


def test_it_runs(copy: Path) -> None:
    iris = str(ROOT / "configs" / "iris.yaml")
    shown = run(copy, "bptrain", "widths", iris, "--set", "network.sizes=[4,5,3]", "--quiet")
    assert shown.stdout == "layer 0: 4\nlayer 1: 5\nlayer 2: 3\n"
    record = json.loads(
        run(copy, "bptrain", "widths", iris, "--set", "network.sizes=[4,5,3]", "--json").stdout
    )
    assert (record["command"], record["ok"], record["sizes"]) == ("widths", True, [4, 5, 3])


def test_help_and_completion_know_it(copy: Path) -> None:
    lines = [line.split() for line in run(copy, "bptrain", "--help").stdout.splitlines()]
    assert ["widths", "Print", "the", "width", "of", "each", "layer."] in lines
    assert "--plugin FILE" in run(copy, "bptrain", "widths", "--help").stdout
    offered = run(copy, "bptrain", "bptrain", "wi", **{COMPLETE: "zsh"}).stdout
    assert offered == "widths\tPrint the width of each layer of a network.\n"
    assert run(copy, "bptrain", "bptrain", "widths", "--js", **{COMPLETE: "zsh"}).stdout.startswith(
        "--json\t"
    )
    keys = run(copy, "bptrain", "bptrain", "widths", "--set", "network.dty", **{COMPLETE: "zsh"}).stdout
    assert keys == "network.dtype=\n"


def test_the_house_knows_it(copy: Path) -> None:
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "-k", RULES, "test_house.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("test_house.py", "src/bptrain/commands/widths has no place in the order"),
        ("bptrain/cli/application.py", "Extra items in the left set"),
    ],
)
def test_the_house_says_what_is_missing(missing: str, said: str, copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(copy, folder)
    file = folder / missing
    file.write_text(
        file.read_text(encoding="utf-8").replace('        {"widths"},\n', "").replace('    "widths",\n', "")
    )
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "-k", RULES, "test_house.py")
    assert done.returncode == 1
    assert said in done.stdout
    assert "widths" in done.stdout

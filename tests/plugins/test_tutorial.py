"""docs/plugins.md does what it says: its files are written and its commands run, in their order."""

import re
import runpy
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from command import Outcome, bptrain, check_only
from conftest import ROOT

BLOCK = re.compile(r"<!-- (file|exit): (\S+) -->\n```(\w+)\n(.*?)```", re.DOTALL)


class Block(NamedTuple):
    """A fenced block of the page, and what the comment above it says of it."""

    what: str  # file | exit
    of: str  # the name, or the exit code of its last command
    language: str
    text: str


def blocks() -> list[Block]:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    found = [Block(*match) for match in BLOCK.findall(page)]
    assert len(found) == page.count("\n```") / 2, "a block without a comment is not tried out"
    return found


@pytest.fixture
def outcomes(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """What the commands of the page came to, the last of each line; its Python has been run too."""
    check_only(monkeypatch, lambda combination: combination.loss in ("half_squared_error", "lorentz"))
    for name in ("iris.csv", "linnerud.csv"):
        shutil.copy(ROOT / "data" / name, workplace)
    came_to = {}
    for block in blocks():
        if block.what == "file":
            Path(block.of).write_text(block.text, encoding="utf-8")
            if block.of == "use.py":
                runpy.run_path(block.of)
            continue
        assert block.language == "sh"
        for line in block.text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "bptrain"
            came_to[line] = bptrain(*arguments)
            assert came_to[line].code == int(block.of), f"{line}\n{came_to[line].err}"
    return came_to


def test_the_tutorial(outcomes: dict[str, Outcome]) -> None:
    said = [block for block in blocks() if block.what == "exit"]
    assert [block.of for block in said] == ["1", "0", "0", "5", "0"]
    files = [block.of for block in blocks() if block.what == "file"]
    assert files.count("my_parts.py") == 2
    assert "use.py" in files
    missing = outcomes["bptrain eval runs/squareplus"]
    assert "squareplus" in missing.err
    assert "--plugin my_parts.py" in missing.err
    assert "from the plug-in my_parts.py" in outcomes["bptrain list activations --plugin my_parts.py"].out
    assert Path("runs/lion/best.safetensors").is_file()


def test_the_slip_is_found_where_the_page_says(workplace: Path) -> None:
    shutil.copy(ROOT / "data" / "iris.csv", workplace)
    slip, config = [block for block in blocks() if block.what == "file"][:2]
    for block in (slip, config):
        Path(block.of).write_text(block.text, encoding="utf-8")
    check = bptrain("gradcheck", config.of, "--plugin", slip.of, "--json")
    verdicts = {(layer["layer"], layer["verdict"]) for layer in check.json["layers"]}
    assert verdicts == {(1, "mismatch"), (2, "pass")}

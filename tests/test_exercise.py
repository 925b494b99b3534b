"""The exercise's page does as it says: its commands, the skeleton, the solutions."""

import re
import shutil
from pathlib import Path

import pytest

from command import Outcome, bptrain
from conftest import ROOT

PAGE = ROOT / "docs" / "exercise.md"
SOLUTIONS = PAGE.parent / "exercise" / "solution"


@pytest.fixture
def clone(workplace: Path) -> Path:
    """What the page's commands find in the current directory."""
    for folder in ("configs", "data", "docs/exercise"):
        shutil.copytree(ROOT / folder, workplace / folder)
    return workplace


def commands() -> list[str]:
    """The lines of the page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def run(line: str, clone: Path) -> Outcome:
    program, *arguments = line.split()
    if program == "cp":
        shutil.copy(clone / arguments[0], clone / arguments[1])
        return Outcome(0, "", "")
    assert program == "bptrain"
    return bptrain(*arguments)


def test_the_commands_of_the_page(clone: Path) -> None:
    done = {line: run(line, clone) for line in commands()}
    codes = {line.split()[-1]: outcome.code for line, outcome in done.items()}
    assert len(done) == 4
    assert codes == {"configs/derivation.yaml": 1, "my_backprop.py": 0, "configs/penguins.yaml": 1}
    first = next(outcome for line, outcome in done.items() if "check-backward" in line)
    assert "NOT FINISHED: forward, backward" in first.out
    assert "NOT FINISHED: forward, backward" in PAGE.read_text(encoding="utf-8")
    assert "forward is not finished: z[1] = ?" in first.out


def test_the_solution_of_the_first(clone: Path) -> None:
    graded = bptrain("check-backward", SOLUTIONS / "my_backprop.py", "configs/derivation.yaml")
    assert graded.code == 0
    assert graded.out.splitlines()[-1] == "pass: forward, backward and step are right"


def test_the_second_asks_for_another(clone: Path) -> None:
    first = bptrain("check-backward", SOLUTIONS / "my_backprop.py", "configs/penguins.yaml")
    assert first.code == 1
    assert "softmax is not element-wise" in first.out
    assert bptrain("check-backward", SOLUTIONS / "my_softmax.py", "configs/penguins.yaml").code == 0


def test_the_page_links_to_what_is_there() -> None:
    links = re.findall(r"\]\((exercise/[^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(links) == 3
    assert all((PAGE.parent / link).is_file() for link in links)

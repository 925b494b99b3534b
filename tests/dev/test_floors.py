"""dev/floors.txt is what pyproject.toml declares, and the short run of the tests is made of files that exist."""

import sys
import tomllib
from collections.abc import Sequence

import pytest

import floors
import short_run
from conftest import ROOT


def test_the_floors_are_fresh() -> None:
    declared = floors.floors(floors.project())
    assert floors.PLACE.read_text(encoding="utf-8") == declared, "run `python dev/generate.py`"


def test_every_dependency_has_its_line() -> None:
    project = {
        "name": "mine",
        "dependencies": ["numpy>=2.0", "a-b.c>=1.5.1"],
        "optional-dependencies": {
            "fast": ["one>=3; sys_platform == 'linux'"],
            "dev": ["mine[fast]", "Two>=4"],
        },
    }
    lines = floors.floors(project).splitlines()[1:]
    assert lines == ["a-b.c==1.5.1", "numpy==2.0", "one==3; sys_platform == 'linux'", "Two==4"]


@pytest.mark.parametrize("requirement", ["numpy", "numpy>2", "numpy>=2,<3"])
def test_a_dependency_without_a_floor_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="NAME>=VERSION"):
        floors.floors({"name": "mine", "dependencies": [requirement], "optional-dependencies": {}})


def test_the_short_run_is_there() -> None:
    assert [test for test in short_run.TESTS if not (ROOT / test).exists()] == []


def test_this_python_is_among_those_found() -> None:
    found = short_run.pythons()
    assert min(found) >= short_run.oldest_supported() == (3, 11)
    assert sys.version_info[:2] in found


def test_an_environment_is_made_and_used() -> None:
    made, installed, tested = short_run.commands("python3.11", ".venv-x", ["-c", "floors.txt"])
    assert made == ["python3.11", "-m", "venv", "--clear", ".venv-x"]
    assert installed[0] == tested[0] == ".venv-x/bin/python"
    assert installed[-4:] == ["-c", "floors.txt", "-e", ".[dev]"]


def test_the_first_code_that_is_not_0_is_that_of_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    """Of commands side by side each is waited for."""
    ends = [
        [sys.executable, "-c", f"print({k}); raise SystemExit({code})"] for k, code in enumerate((0, 3, 4))
    ]
    assert short_run.run_side_by_side(ends) == 3
    assert {"0", "1", "2"} <= set(capfd.readouterr().out.splitlines())
    assert short_run.run_side_by_side(ends[:1]) == 0


def test_environments_are_made_together_and_tested_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def ends_at_the_tests_of_floors(together: Sequence[list[str]]) -> int:
        ran.append([" ".join(command[1:3]) for command in together])
        return 7 if together[0][0].startswith(".venv-floors") and "pytest" in together[0] else 0

    monkeypatch.setattr(short_run, "run_side_by_side", ends_at_the_tests_of_floors)
    assert short_run.main() == 7
    assert ran == [["-m venv", "-m venv"], ["-m pip", "-m pip"], ["-m pytest"]]


def test_a_release_is_built_by_what_a_build_asks_for() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert table["build-system"]["requires"][0] in table["project"]["optional-dependencies"]["dev"]

"""A class of students: for every submission the first wrong quantity is named, and the slip where it has a pattern."""

from pathlib import Path
from typing import NamedTuple

import pytest

from bptrain import check_backward
from conftest import ROOT

HERE = Path(__file__).parent
POST = ROOT / "configs" / "derivation.yaml"
IRIS = ROOT / "configs" / "iris.yaml"
SQUARE = f"""
data: {{train: {ROOT}/data/linnerud.csv, features: [Chins, Situps, Jumps], target: [Waist, Pulse, Weight]}}
network: {{sizes: [3, 3, 3, 3], activations: [tanh, sigmoid, identity]}}
loss: half_squared_error
"""


@pytest.fixture
def square(tmp_path: Path) -> Path:
    """A config whose layers have equal sizes, so that a wrong matrix often fits; with biases."""
    config = tmp_path / "square.yaml"
    config.write_text(SQUARE)
    return config


class Case(NamedTuple):
    """A submission, the network that it is graded on, and what is to be found."""

    name: str
    config: Path | None  # None: the square one
    function: str
    first: tuple[str, int] | None
    words: str | None = None  # part of the slip's words; None: it has no pattern
    says: str = ""  # part of what is said beside it


CASES = []


def test_every_submission_is_a_case() -> None:
    assert {case.name for case in CASES} == {file.stem for file in (HERE / "submissions").glob("*.py")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_first_wrong_quantity_and_the_slip(case: Case, square: Path) -> None:
    grade = check_backward(HERE / "submissions" / f"{case.name}.py", case.config or square)
    assert [finding.function for finding in grade.findings] == [case.function]
    (finding,) = grade.findings
    found = None if finding.quantity is None else (finding.quantity, finding.layer)
    assert found == case.first
    if case.words is None:
        assert finding.slip is None
    else:
        assert finding.slip is not None
        assert case.words in finding.slip.words
    said = [*finding.notes]
    said += [finding.fault.message] if finding.fault is not None else []
    said += [finding.judgment.complaint or ""] if finding.judgment is not None else []
    assert case.says in " ".join(said)


@pytest.mark.parametrize("name", [file.stem for file in sorted((HERE / "right").glob("*.py"))])
@pytest.mark.parametrize("config", ["derivation", "iris", "square"])
def test_right_code_in_any_style_passes(name: str, config: str, square: Path) -> None:
    file = square if config == "square" else ROOT / "configs" / f"{config}.yaml"
    grade = check_backward(HERE / "right" / f"{name}.py", file)
    assert grade.passed

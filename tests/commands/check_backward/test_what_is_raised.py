"""What a submission raises is told in one short line, whatever its text is and does."""

from io import BytesIO
from pathlib import Path

import pytest

from bptrain.commands.check_backward.class_grades import verdict_of
from bptrain.commands.check_backward.grade_file import grade_file
from bptrain.commands.check_backward.grading_task import GradingTask, grading_task
from bptrain.commands.check_backward.user_functions import described_error
from bptrain.commands.check_backward.wire import read_message
from bptrain.errors import UsageError
from conftest import ROOT
from submission_files import RIGHT, ending, written

pytestmark = pytest.mark.slow  # a process per submission

ODD = "class Odd({kind}):\n    def __str__(self):\n        {does}\n\n"
DOES = ["return None", "raise ValueError('no text')", "raise SystemExit(1)", "return self.__str__()"]


@pytest.fixture(scope="module")
def task() -> GradingTask:
    return grading_task(ROOT / "configs" / "derivation.yaml")


@pytest.mark.parametrize(
    ("kind", "verdict", "said"),
    [
        ("ValueError", "wrong", "backward raised ValueError: xxx"),
        ("NotImplementedError", "unfinished", "backward is not finished: xxx"),
        (
            "MemoryError",
            "limit",
            "backward needs more memory than it may have (--memory-limit): MemoryError: xxx",
        ),
    ],
)
def test_a_long_text_is_cut(tmp_path: Path, task: GradingTask, kind: str, verdict: str, said: str) -> None:
    grade = grade_file(written(tmp_path, ending(f"raise {kind}('x' * 10_000_000)")), task)
    assert verdict_of(grade) == verdict
    fault = grade.findings[0].fault
    assert fault is not None
    assert fault.message.startswith(said)
    assert len(fault.message) < 700


@pytest.mark.parametrize("does", DOES)
@pytest.mark.parametrize(
    ("kind", "verdict", "said"),
    [
        ("ValueError", "wrong", "backward raised Odd"),
        ("NotImplementedError", "unfinished", "backward is not finished: it raises NotImplementedError"),
        ("IndexError", "wrong", "backward raised Odd"),
    ],
)
def test_a_text_that_fails(
    tmp_path: Path, task: GradingTask, does: str, kind: str, verdict: str, said: str
) -> None:
    text = ODD.format(kind=kind, does=does) + ending("raise Odd")
    grade = grade_file(written(tmp_path, text), task)
    assert verdict_of(grade) == verdict
    fault = grade.findings[0].fault
    assert fault is not None
    assert fault.message.startswith(said)


def test_while_it_is_loaded(tmp_path: Path, task: GradingTask) -> None:
    with pytest.raises(UsageError, match="could not be loaded: ValueError: xxx") as caught:
        grade_file(written(tmp_path, "raise ValueError('x' * 10_000_000)\n" + RIGHT), task)
    assert len(str(caught.value)) < 1000
    with pytest.raises(UsageError, match=r"could not be loaded: Odd$"):
        grade_file(written(tmp_path, ODD.format(kind="Exception", does=DOES[0]) + "raise Odd\n"), task)


def test_a_text_of_usual_length_is_whole() -> None:
    assert described_error(ValueError("one\n  two")) == "ValueError: one two"
    assert described_error(ValueError("x" * 500)) == "ValueError: " + "x" * 500
    assert described_error(ValueError("x" * 501)) == "ValueError: " + "x" * 500 + "…"


def test_a_message_that_is_too_long_is_not_the_end() -> None:
    message = (5).to_bytes(8) + b"hello"
    assert read_message(BytesIO(message), 5) == b"hello"
    assert read_message(BytesIO(b""), 5) is None
    for cut in (message[:7], message[:-1]):
        assert read_message(BytesIO(cut), 5) is None
    with pytest.raises(ValueError, match="longer than 4 bytes"):
        read_message(BytesIO(message), 4)
    with pytest.raises(ValueError, match="no length"):
        read_message(BytesIO(bytes(8)), 4)


def test_a_message_that_is_too_long_is_not_said_to_end_the_process(tmp_path: Path, task: GradingTask) -> None:
    loud = "import os\nfor number in range(3, 20):\n    try: os.write(number, b'pass' * 20)\n    except OSError: pass\n"
    stopped = grade_file(written(tmp_path, loud + RIGHT), task).stopped
    assert stopped is not None
    assert stopped.code == "ended"
    assert stopped.message.startswith("loading the file: its results cannot be read")

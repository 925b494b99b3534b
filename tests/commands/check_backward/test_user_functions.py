"""What cannot be used as a submission is a clear message with exit code 2."""

from pathlib import Path

import pytest

from bptrain.commands.check_backward.user_functions import load_functions
from bptrain.errors import UsageError
from submission_files import BACKWARD, FORWARD, RIGHT, written


def problem(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_functions(file)
    (one,) = caught.value.problems
    return str(one).removeprefix(str(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.py") == ": error: there is no such submission"


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "mine.py").mkdir()
    assert "cannot be read" in problem(tmp_path / "mine.py")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text("{}")
    assert "named something.py" in problem(tmp_path / "mine.ipynb")


def test_a_syntax_error_has_its_place(tmp_path: Path) -> None:
    file = written(tmp_path, RIGHT + "\n\ndef step(W:\n    return 1\n")
    line = len(file.read_text().splitlines()) - 1
    assert problem(file).startswith(f":{line}:")
    assert "not valid Python" in problem(file)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(b"\xff\xfe\x00")
    assert "is not text" in problem(file)


@pytest.mark.parametrize(
    "line", ["raise OSError('no data')", "raise SystemExit(3)", "1 / 0", "import nowhere"]
)
def test_what_raises_while_it_is_loaded(tmp_path: Path, line: str) -> None:
    """Not even an OSError of theirs is taken for one of the file itself."""
    text = problem(written(tmp_path, f"import numpy\n{line}\n"))
    assert text.startswith(":2: error: could not be loaded: ")


def test_a_missing_function(tmp_path: Path) -> None:
    text = problem(written(tmp_path, FORWARD + "\ndef backwards(W):\n    pass\n"))
    assert "has no function backward(W, b, df, dE, x, z, t); it defines forward, backwards" in text
    assert "did you mean backwards?" in text


def test_both_functions_missing_are_two_problems(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_functions(written(tmp_path, "x = 1\n"))
    assert len(caught.value.problems) == 2


def test_other_arguments(tmp_path: Path) -> None:
    text = problem(written(tmp_path, "def forward(W, b, x_0):\n    pass\n" + BACKWARD))
    assert text.startswith(":1: error: forward(W, b, f, x_0) takes these arguments")
    assert "here forward(W, b, x_0)" in text


def test_a_name_that_is_no_function(tmp_path: Path) -> None:
    assert "step is not a function" in problem(written(tmp_path, RIGHT + "step = 3\n"))


def test_arguments_by_other_names_and_any_number(tmp_path: Path) -> None:
    text = RIGHT.replace("forward(W, b, f, x_0)", "forward(W, b, f, x_0, verbose=False)")
    text += "def step(*given):\n    pass\n"
    assert set(load_functions(written(tmp_path, text)).by_name) == {"forward", "backward", "step"}


def test_a_file_is_read_anew_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    file = written(tmp_path, RIGHT + "MARK = 1\n")
    load_functions(file)
    with pytest.raises(UsageError):
        load_functions(written(tmp_path, "MARK = 2\n"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_file_imports_from_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    (tmp_path / "beside_it_lies.py").write_text("TWO = 2\n")
    load_functions(written(tmp_path, "from beside_it_lies import TWO\n" + RIGHT))

"""What goes to which stream, on real terminals and in real pipes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from command import SCRIPT, bptrain
from terminal import environment, in_pipe, in_terminal


def test_ten_thousand_epochs_make_a_short_log(line: Path) -> None:
    code, out, err = in_pipe("fit", line, "--set", "training.epochs=10000")
    assert code == 0
    assert len(out) + len(err) < 100_000
    assert "epoch 10000/10000" in err
    assert "\x1b" not in out + err
    assert "\r" not in out + err


def test_a_bar_on_a_terminal_and_none_where_it_is_not_wanted(line: Path) -> None:
    arguments = ("fit", line, "--set", "training.epochs=3000")
    with_bar = in_terminal(*arguments, env={"NO_COLOR": "1"})
    assert b"\x1b[?25l" in with_bar.raw
    assert "3000/3000" not in with_bar.text  # gone at the end
    assert "epoch 150/3000" not in with_bar.text
    dumb = in_terminal(*arguments, env={"TERM": "dumb"})
    assert "epoch 150/3000" in dumb.text
    assert b"\x1b" not in dumb.raw
    quiet = in_terminal(*arguments, "--quiet")
    assert "epoch" not in quiet.text.replace("best model (epoch", "")


def test_colors(workplace: Path) -> None:
    arguments = ("fit", "nowhere.yaml")
    assert b"\x1b[1;31merror:\x1b[0m" in in_terminal(*arguments).raw
    assert b"\x1b" not in in_terminal(*arguments, env={"NO_COLOR": "1"}).raw
    assert "\x1b[1;31merror:\x1b[0m" in in_pipe(*arguments, env={"FORCE_COLOR": "1"})[2]
    assert "\x1b" not in in_pipe(*arguments)[2]


@pytest.mark.parametrize("columns", [80, 40])
def test_ctrl_c_leaves_the_terminal_clean(line: Path, columns: int) -> None:
    """Typed at the keyboard while the bar is drawn: the run is saved, and the cursor is back."""
    seen = in_terminal(
        "fit", line, "--set", "training.epochs=1000000", columns=columns, type_after=("\x1b[?25l", b"\x03")
    )
    assert seen.code == 130
    assert seen.cursor_shown
    assert seen.column == 0
    assert not seen.styled
    text = " ".join(seen.text.split())
    assert re.search(r"stopped and saved after epoch [\d]+; to continue, add --resume runs/line/001", text)
    assert "Traceback" not in text


def test_ctrl_c_in_gradcheck(workplace: Path) -> None:
    seen = in_terminal("gradcheck", type_after=("checking", b"\x03"))
    assert seen.code == 130
    assert seen.cursor_shown
    assert seen.column == 0
    assert "Traceback" not in seen.text


@pytest.mark.parametrize("arguments", [["fit", "iris.yaml"], ["list"], ["--help"], ["inspect", "runs/there"]])
def test_a_reader_that_has_seen_enough(arguments: list[str], iris: Path) -> None:
    """`bptrain … | head -0`: not a word on stderr about it."""
    assert bptrain("fit", iris, "--out", "runs/there").code == 0
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate()
    assert process.returncode in (1, 141)
    assert not re.search(rb"Traceback|Exception|[Bb]roken|error", err), err


def test_an_encoding_that_lacks_letters(workplace: Path) -> None:
    code, out, err = in_pipe("list", "losses", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert code == 0, err
    assert "1/2 ||x - t||^2" in out
    assert "\\u" not in out


def test_results_are_on_stdout_alone(iris: Path) -> None:
    code, out, err = in_pipe("fit", iris)
    assert code == 0
    assert out.splitlines()[-1] == "runs/iris/001"
    assert "epoch 6/6" not in out
    assert "best model" not in err

"""`check-backward DIR CONFIG --out grades.csv`: the grades of a class."""

import csv
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.check_backward import class_grades
from bptrain.commands.check_backward.class_grades import ClassRow
from bptrain.commands.check_backward.grade import Grade
from bptrain.commands.check_backward.grade_file import grade_file
from bptrain.errors import Interrupted, StorageError
from command import bptrain
from conftest import ROOT
from submission_files import FORWARD, RIGHT, ending

pytestmark = pytest.mark.slow  # a process per submission

POST = ROOT / "configs" / "derivation.yaml"
COLUMNS = ["file", "verdict", "function", "quantity", "slip", "slip_in_words", "message", "seconds"]
FILES = {
    "anna.py": RIGHT,
    "ben.py": RIGHT.replace("df[i].product(z[i], W[i + 1].T @ delta[i + 1])", "W[i + 1].T @ delta[i + 1]"),
    "cleo.py": ending("while True: pass"),
    "dan.py": "print('pass')\nimport os; os._exit(0)\n",
    "eve.py": FORWARD,
    "fay.py": FORWARD + "def backward(*given):\n    raise NotImplementedError('later')\n",
    "gil.py": ending("raise ValueError('one\\ntwo\\x1b[31m, \"three\"')"),
    "héloïse.py": ending("dW[2] = dW[2].T"),
}


@pytest.fixture
def hand_ins(workplace: Path) -> Path:
    """A folder of submissions, and what else lies in such a folder."""
    folder = workplace / "hand_ins"
    (folder / "sub.py").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / ".hidden.py").write_text("1 / 0")
    (folder / "notes.txt").write_text("mine")
    return folder


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_one_line_for_each_file(hand_ins: Path) -> None:
    done = bptrain("check-backward", hand_ins, POST, "--out", "grades.csv", "--time-limit", "1")
    assert done.code == 1
    assert Path("grades.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)
    assert len(Path("grades.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(FILES)
    rows = rows_of(Path("grades.csv"))
    assert [(row["file"], row["verdict"], row["function"], row["quantity"], row["slip"]) for row in rows] == [
        ("anna.py", "pass", "", "", ""),
        ("ben.py", "wrong", "backward", "delta[2]", "f_prime_missing"),
        ("cleo.py", "limit", "backward", "", ""),
        ("dan.py", "ended", "file", "", ""),
        ("eve.py", "unusable", "", "", ""),
        ("fay.py", "unfinished", "backward", "", ""),
        ("gil.py", "wrong", "backward", "", ""),
        ("héloïse.py", "wrong", "backward", "dW[2]", ""),
    ]
    said = {row["file"]: row["message"] for row in rows}
    assert said["cleo.py"] == "backward on 14 instances did not finish within 1 s (--time-limit)"
    assert "with exit code 0" in said["dan.py"]
    assert "has no function backward" in said["eve.py"]
    assert said["fay.py"] == "backward is not finished: later"
    assert said["gil.py"].startswith('backward raised ValueError: one two\\x1b[31m, "three"')
    assert "it is transposed" in said["héloïse.py"]
    assert "the factor f_i'(z_i)" in rows[1]["slip_in_words"]
    assert 0 <= float(rows[0]["seconds"]) < float(rows[2]["seconds"]) < 20
    assert done.out.splitlines()[-1] == "1 of 8 pass"
    assert "8/8  héloïse.py: wrong, dW[2]\n" in done.err
    assert "wrote grades.csv" in done.err
    assert "\x1b" not in done.out + done.err


def test_json_has_the_same(hand_ins: Path) -> None:
    for name in ("cleo.py", "dan.py"):
        (hand_ins / name).unlink()
    record = bptrain("check-backward", hand_ins, POST, "--json").json
    assert record["ok"] is False
    assert record["passed"] == 1
    assert record["out"] is None
    assert (record["time_limit"], record["memory_limit"]) == (30.0, 1024)
    assert [list(row) for row in record["grades"]] == [COLUMNS] * 6
    assert list(ClassRow._fields) == COLUMNS
    assert record["grades"][0]["seconds"] >= 0
    assert record["grades"][2]["seconds"] is None


def test_all_right_is_exit_0(hand_ins: Path) -> None:
    for name in FILES:
        if name != "anna.py":
            (hand_ins / name).unlink()
    done = bptrain("check-backward", hand_ins, POST)
    assert done.code == 0
    assert done.out.splitlines()[-1] == "1 of 1 pass"


def test_the_file_is_never_overwritten_unasked(hand_ins: Path) -> None:
    for name in FILES:
        if name not in ("anna.py", "ben.py"):
            (hand_ins / name).unlink()
    out = Path("grades.csv")
    out.write_text("mine")
    refused = bptrain("check-backward", hand_ins, POST, "--out", out)
    assert refused.code == 2
    assert "already exists" in refused.err
    assert "1/2" not in refused.err  # before any of it is run
    assert out.read_text() == "mine"
    assert bptrain("check-backward", hand_ins, POST, "--out", out, "--overwrite").code == 1
    assert len(rows_of(out)) == 2
    for wrong in (hand_ins / "anna.py", hand_ins, "nowhere/grades.csv"):
        assert bptrain("check-backward", hand_ins, POST, "--out", wrong, "--overwrite").code == 2
    assert (hand_ins / "anna.py").read_text() == RIGHT


def test_a_single_file_may_have_its_line(hand_ins: Path) -> None:
    assert bptrain("check-backward", hand_ins / "ben.py", POST, "--out", "ben.csv").code == 1
    (row,) = rows_of(Path("ben.csv"))
    assert (row["file"], row["quantity"]) == ("ben.py", "delta[2]")


def test_nothing_to_grade(workplace: Path) -> None:
    Path("empty").mkdir()
    done = bptrain("check-backward", "empty", POST, "--out", "grades.csv")
    assert done.code == 2
    assert "has no .py file" in done.err
    assert not Path("grades.csv").exists()


def test_a_wrong_config_is_told_once(hand_ins: Path) -> None:
    done = bptrain("check-backward", hand_ins, "nowhere.yaml", "--out", "grades.csv")
    assert done.code == 2
    assert not Path("grades.csv").exists()


def test_plugins_are_known_in_the_child(hand_ins: Path, workplace: Path) -> None:
    (workplace / "my_parts.py").write_text(
        "from bptrain.plugins import Activation, activations\n\n"
        '@activations.add("cube")\n'
        "def cube():\n"
        '    """z³."""\n'
        "    def f(z):\n        return z * z * z\n"
        "    def df(z, x):\n        return 2.0 * z * z\n"
        "    return Activation(f, df)\n"
    )
    options = ["--plugin", "my_parts.py", "--set", "network.activations=[cube, tanh, sigmoid]"]
    assert bptrain("check-backward", hand_ins / "anna.py", POST, *options).code == 0


def test_the_page_does_as_it_says(hand_ins: Path) -> None:
    page = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == COLUMNS
    (command,) = re.findall(r"```sh\nbptrain (.*?)\n```", page)
    for folder in ("configs", "data"):
        shutil.copytree(ROOT / folder, folder)
    hand_ins.rename("submissions")
    for name in ("cleo.py", "fay.py"):
        Path("submissions", name).unlink()
    assert bptrain(*command.split()).code == 1
    verdicts = {row["verdict"] for row in rows_of(Path("grades.csv"))}
    assert all(f"`{verdict}`" in page for verdict in verdicts | {"limit", "unfinished"})


def only_right_ones(hand_ins: Path) -> None:
    """Three files that are graded quickly."""
    for name in FILES:
        (hand_ins / name).unlink()
    for name in ("a.py", "b.py", "c.py"):
        (hand_ins / name).write_text(RIGHT, encoding="utf-8")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (Interrupted("terminated; nothing was changed", signal.SIGTERM), 143, "terminated"),
        (StorageError("the process for b.py could not start"), 6, "the process for b.py could not start"),
        (RuntimeError("a bug"), 70, "this is a bug in bptrain"),
    ],
)
def test_what_is_graded_is_kept(
    hand_ins: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, said: str
) -> None:
    """Whatever ends it before the last file."""
    only_right_ones(hand_ins)

    def until_b(file: Path, *given: Any) -> Grade:
        if file.name == "b.py":
            raise raised
        return grade_file(file, *given)

    monkeypatch.setattr(class_grades, "grade_file", until_b)
    done = bptrain("check-backward", hand_ins, POST, "--out", "grades.csv", "--quiet")
    assert done.code == code
    assert said in done.err
    assert [(row["file"], row["verdict"]) for row in rows_of(Path("grades.csv"))] == [("a.py", "pass")]
    if code != 70:
        assert "1 of 3 files is graded: grades.csv" in " ".join(done.err.split())
        assert "nothing was changed" not in done.err
    if code == 130:
        without = bptrain("check-backward", hand_ins, POST)
        assert "1 of 3 files was graded, and nothing is written without --out" in " ".join(
            without.err.split()
        )


def test_nothing_graded_leaves_the_old_grades(hand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(*given: Any) -> Grade:
        raise KeyboardInterrupt

    monkeypatch.setattr(class_grades, "grade_file", at_once)
    Path("grades.csv").write_text("mine")
    done = bptrain("check-backward", hand_ins, POST, "--out", "grades.csv", "--overwrite")
    assert done.code == 130
    assert "nothing was changed" in done.err
    assert Path("grades.csv").read_text() == "mine"

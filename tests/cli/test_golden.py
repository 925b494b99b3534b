"""What the commands show, as a whole: on terminals of 80 and of 40 columns, and in a pipe.

    REWRITE_GOLDEN=1 python -m pytest tests/cli/test_golden.py

writes the files of tests/golden anew, to be looked at before they are committed. What differs from machine to machine
is masked: digits of figures, times, and the provenance that `inspect` prints last.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from command import bptrain
from conftest import ROOT
from terminal import SCRIPT, in_pipe, in_terminal

GOLDEN = ROOT / "tests" / "golden"
CONFIG = """\
data: {train: iris.csv, target: species}
network: {sizes: [4, 6, 3]}
loss: cross_entropy
training: {epochs: 6}
"""
COMMANDS = {
    "fit": ["fit", "flowers.yaml", "--out", "runs/second"],
    "eval": ["eval", "runs/first", "--split", "train"],
    "eval_by": ["eval", "runs/first", "--split", "train", "--by", "petal_width_cm"],
    "predict": ["predict", "runs/first", "new.csv", "--keep", "bed"],
    "gradcheck": ["gradcheck", "flowers.yaml", "--engine", "numpy"],
    "validate": ["validate", "flowers.yaml"],
    "init": ["init", "--data", "iris.csv", "--target", "species", "--output", "new.yaml"],
    "explain": ["explain", "flowers.yaml"],
    "list": ["list", "schedules"],
    "inspect": ["inspect", "runs/first"],
    "runs": ["runs"],
    "doctor": ["doctor"],
    "mistakes": ["fit", "wrong.yaml"],
    "help": ["--help"],
    "help_fit": ["fit", "--help"],
}
MASKS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM"),
    (r"[\d,]+ rows/s", "# rows/s"),
    (r"\d+\.\d+(e[-+]\d\d)?", lambda found: re.sub(r"\d", "#", found[0])),
)
NEW = """\
bed,sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,color
A,5.1,3.5,1.4,0.2,white
"B, in front",7.7,3.0,6.1,2.3,blue
C,63,27,49,18,blue
"""
# The doctor's findings are those of a machine: here is one of each kind.
DOCTOR = """
from bptrain.commands import doctor
from bptrain.commands.doctor import InstallationCheck as Check
doctor.diagnose_installation = lambda: iter([
    Check("versions", "ok", "bptrain 0, Python 3, Linux; numpy 2, pydantic 2, pyyaml 6, typer 0, rich 13"),
    Check("extras", "note", "fast (a loop compiled for your network): not installed",
          "pip install 'bptrain[fast]'"),
    Check("disk", "warning", "/data: nfs4, 90 GB free; runs cannot be saved here", "change to another directory"),
    Check("self-test", "failure", "the gradients of 31 networks, compared with the complex step: wrong for relu",
          "bptrain gradcheck shows all of them; please report it"),
])
"""


@pytest.fixture
def place(workplace: Path) -> Path:
    """A directory with a config and a run that was trained from it."""
    shutil.copy(ROOT / "data" / "iris.csv", workplace)
    (workplace / "flowers.yaml").write_text(CONFIG)
    (workplace / "wrong.yaml").write_text(
        CONFIG.replace("epochs", "epoch").replace("cross_entropy", "croos_entropy")
    )
    (workplace / "new.csv").write_text(NEW)
    assert bptrain("fit", "flowers.yaml", "--out", "runs/first").code == 0
    return workplace


@pytest.mark.parametrize("where", ["80", "40", "pipe"])
@pytest.mark.parametrize("name", COMMANDS)
def test_golden(name: str, where: str, place: Path) -> None:
    shown = masked(show(name, where))
    file = GOLDEN / f"{name}.{where}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8"), "if it is meant to be so: REWRITE_GOLDEN=1"
    if where != "pipe":
        assert max(map(len, shown.splitlines())) <= int(where)


def show(name: str, where: str) -> str:
    """What a command shows: the screen of a terminal, or both streams."""
    script = SCRIPT.replace("; main()", f"\n{DOCTOR if name == 'doctor' else ''}\nmain()")
    if where != "pipe":
        seen = in_terminal(*COMMANDS[name], columns=int(where), script=script)
        assert seen.cursor_shown
        assert seen.column == 0
        assert not seen.styled
        return seen.text
    code, out, err = in_pipe(*COMMANDS[name], script=script)
    assert "\x1b" not in out + err
    return f"--- exit code {code}, stdout ---\n{out}--- stderr ---\n{err}"


def masked(text: str) -> str:
    """The text without what differs from machine to machine."""
    text = re.sub(
        r"(^provenance\n).*?(?=--- stderr|\Z)", r"\1  (masked)\n", text, flags=re.DOTALL | re.MULTILINE
    )
    for pattern, by in MASKS:
        text = re.sub(pattern, by, text)
    return text

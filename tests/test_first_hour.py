"""The first hour of the README: its commands run, in their order, and end with the predictions that it shows."""

import re
import shlex
import shutil
from pathlib import Path

from command import bptrain
from conftest import ROOT

BLOCK = r"<!-- {} -->\n```\w*\n(.*?)```"
FILE = re.compile(r"cat > (\S+) <<END\n(.*?)END\n", re.DOTALL)


def test_it_ends_with_predictions(workplace: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    hour, predictions = (
        re.search(BLOCK.format(name), page, re.DOTALL) for name in ("first hour", "predictions")
    )
    assert hour is not None
    assert predictions is not None
    (workplace / "data").mkdir()
    shutil.copy(ROOT / "data" / "penguins.csv", workplace / "data")
    for name, text in FILE.findall(hour[1]):
        Path(name).write_text(text)
    lines = FILE.sub("", hour[1]).splitlines()
    assert [line.split()[1] for line in lines] == ["init", "fit", "eval", "predict"]
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "bptrain"
        shown = bptrain(*arguments)
        assert shown.code == 0, shown.err
    assert shown.out == predictions[1]

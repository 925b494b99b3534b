"""Files of every format, damaged: each is a table or a DataError, within limits of memory and time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from formats.damaged_files import case, contents
from formats.reading_damaged import Limits, limited, outcome

SAMPLE = 400


def test_a_fixed_sample_of_damaged_files(tmp_path: Path) -> None:
    """`dev/fuzz_readers.py` goes on as long as one likes."""
    with limited(Limits()):
        results = [outcome(number, tmp_path).result for number in range(SAMPLE)]
    assert SAMPLE // 10 < results.count("table") < SAMPLE // 2
    assert len(set(results)) > 8
    assert "unreadable_file" not in results  # which is the system's word for other files
    assert list(tmp_path.iterdir()) == []


def test_a_number_is_a_file() -> None:
    assert case(7) == case(7)
    assert {case(number).what.split(":")[0] for number in range(SAMPLE)} == set(contents())


@pytest.mark.slow
def test_the_long_search_in_short() -> None:
    done = subprocess.run(
        [sys.executable, "dev/fuzz_readers.py", "20", "1000"],
        cwd=ROOT, env={**os.environ, "PYTHONWARNINGS": "default"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 files from 1,000 on" in done.stdout

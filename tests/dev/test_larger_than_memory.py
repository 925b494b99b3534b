"""A fit under data.memory, as a process: its memory is within the bound, which that of a fit in memory is not."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "dev" / "larger_than_memory.py"
BOUND = 40  # MB


def test_the_bound_holds_and_the_bits_are_the_same(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "40000x60", f"{BOUND}MB", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the bits are the same" in done.stdout
    in_memory = re.search(r"in memory .* \+([0-9.]+) MB", done.stdout)
    assert in_memory is not None
    assert float(in_memory[1]) > BOUND

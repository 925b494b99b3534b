"""Makes every generated file again: `python dev/generate.py`.

Pages of measurements are not among them: the scripts that measure write those (CONTRIBUTING.md).
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each of these makes, its first lines say.
GENERATORS = (
    ["dev/floors.py"],
    ["dev/rooms_picture.py"],
    ["dev/parts_docs.py"],
    ["-m", "pytest", "tests/cli/test_golden.py"],  # the files of tests/golden, since REWRITE_GOLDEN is set
)


def main() -> int:
    """Runs every generator, stops at the first that fails, and returns its exit code."""
    for generator in GENERATORS:
        print("+ python", *generator, flush=True)
        command = [sys.executable, *generator]
        code = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "REWRITE_GOLDEN": "1"}, check=False
        ).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())

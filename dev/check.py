"""The one check for people and CI alike: format, lint, types, tests. `python dev/check.py [pytest options]`.

Formats and mends the sources in place; on CI (CI=true) it only checks them.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(options: list[str]) -> int:
    """Runs every check, stops at the first that fails, and returns its exit code."""
    tool = [sys.executable, "-m"]
    on_ci = os.environ.get("CI") == "true"
    checks = [
        [*tool, "ruff", "format", *(["--check"] if on_ci else []), "."],
        [*tool, "ruff", "check", *([] if on_ci else ["--fix"]), "."],
        [*tool, "mypy"],
        [*tool, "pytest", "-n", "auto", "--dist", "worksteal", *options],
    ]
    for check in checks:
        print("+", " ".join(check[2:]), flush=True)
        code = subprocess.run(check, cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

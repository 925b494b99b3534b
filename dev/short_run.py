"""A short run of the tests in environments other than the newest on `python3`: `python dev/short_run.py`.

On the oldest Python of this machine that bptrain supports, with every dependency at its declared floor
(dev/floors.txt), and on the newest one with the newest dependencies. Prints what it runs; stops at the first failure.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from floors import PLACE, ROOT, project

# What meets every dependency: the command line, the config, files, both engines, and runs from end to end.
TESTS = (
    "tests/cli/test_commands.py",
    "tests/cli/test_doctor.py",
    "tests/cli/test_help.py",
    "tests/cli/test_init.py",
    "tests/console",
    "tests/data",
    "tests/formats",
    "tests/store",
    "tests/config/test_config_errors.py",
    "tests/config/yaml",
    "tests/engines/test_engines.py",
    "tests/engines/test_choice.py",
    "tests/engines/compiled/test_products.py",
    "tests/test_api.py",
    "tests/test_configs.py",
    "tests/config/test_json_schema.py",
)

Version = tuple[int, int]


def oldest_supported() -> Version:
    """The floor of `requires-python`."""
    match = re.fullmatch(r">=(\d+)\.(\d+)", project()["requires-python"])
    assert match is not None
    return int(match[1]), int(match[2])


def pythons() -> dict[Version, str]:
    """The interpreters of this machine that are supported, by version: this one, those on the PATH, and pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    directories = [Path(directory) for directory in os.get_exec_path()]
    directories += sorted(directory / "bin" for directory in pyenv.glob("*"))
    found = {sys.version_info[:2]: sys.executable}
    for directory in directories:
        for file in sorted(directory.glob("python3.*")):
            match = re.fullmatch(r"python3\.(\d+)", file.name)
            version = (3, int(match[1])) if match else (0, 0)
            if version >= oldest_supported() and version not in found and makes_environments(file):
                found[version] = str(file)
    return found


def makes_environments(python: Path) -> bool:
    """Whether an interpreter runs (a shim of pyenv may not) and can make a virtual environment."""
    done = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return done.returncode == 0


def commands(python: str, directory: str, constraints: list[str]) -> list[list[str]]:
    """What makes an environment with all extras and runs the tests in it."""
    inside = f"{directory}/bin/python"
    return [
        [python, "-m", "venv", "--clear", directory],
        [inside, "-m", "pip", "install", "-q", *constraints, "-e", ".[dev]"],
        [inside, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-m", "not slow", *TESTS],
    ]


def main() -> int:
    """Runs both, and returns the exit code of the first command that fails.

    What makes an environment has one process, so both are made side by side; tests take all processors.
    """
    found = pythons()
    at_floors = commands(found[min(found)], ".venv-floors", ["-c", str(PLACE.relative_to(ROOT))])
    newest = commands(found[max(found)], ".venv-newest", [])
    made, installed, tested = zip(at_floors, newest, strict=True)
    for together in (made, installed, *zip(tested)):
        code = run_side_by_side(together)
        if code != 0:
            return code
    return 0


def run_side_by_side(together: Sequence[list[str]]) -> int:
    """The exit code of the first command that fails, once all have ended."""
    for command in together:
        print("+", " ".join(command), flush=True)
    started = [subprocess.Popen(command, cwd=ROOT) for command in together]
    return next(filter(None, [process.wait() for process in started]), 0)


if __name__ == "__main__":
    sys.exit(main())

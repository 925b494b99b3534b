"""The one check for people and CI alike: format, lint, types, tests. `python dev/check.py [--quick | --exhaustive]
[pytest options]`.

Formats and mends the sources in place; on CI (CI=true) it only checks them. With --quick it runs the tests of the rooms
that differ from the branch main, and those of the order of imports, but for the ones that are marked `slow` (compiling,
many processes, many cases); the rest is left to the full check. With --exhaustive every compiled case is tried in both
dtypes, which takes some minutes more.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
ALWAYS = "tests/test_house.py"


def main(options: list[str]) -> int:
    """Runs every check, stops at the first that fails, and returns its exit code."""
    tool = [sys.executable, "-m"]
    on_ci = os.environ.get("CI") == "true"
    tests: list[str] = []
    if "--quick" in options:
        options = [option for option in options if option != "--quick"]
        tests = tests_of(changed(), ROOT)
        options += ["-m", "not slow"]
    if "--exhaustive" in options:
        options = [option for option in options if option != "--exhaustive"]
        os.environ["TEST_EXHAUSTIVELY"] = "1"
    checks = [
        [*tool, "ruff", "format", *(["--check"] if on_ci else []), "."],
        [*tool, "ruff", "check", *([] if on_ci else ["--fix"]), "."],
        [*tool, "mypy"],
        [*tool, "pytest", "-n", "auto", "--dist", "worksteal", *options, *tests],
    ]
    for check in checks:
        print("+", " ".join(check[2:]), flush=True)
        code = subprocess.run(check, cwd=ROOT, check=False).returncode
        if code != 0:
            return code
    return 0


def changed() -> list[str]:
    """The files that differ from main where this branch left it, and new ones; on main: from the last commit."""
    base = git("merge-base", "HEAD", "main")[0]
    return [*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")]


def git(*arguments: str) -> list[str]:
    """The lines that git prints."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def tests_of(files: Iterable[str], root: Path) -> list[str]:
    """The tests of changed files.

    Of a source: the tests of its room (src/bptrain/ROOM/… → tests/ROOM), and every test that has its name
    (NAME.py → test_NAME.py); where there is neither, the tests that import the room. Of a test: itself, and of what
    tests share (tests/ROOM/helpers.py) the room. Configs and data are tried by tests/test_configs.py.
    """
    found = {ALWAYS}
    for file in map(PurePosixPath, files):
        match file.parts:
            case ("src", "bptrain", *rest):
                found |= room_of(rest, root)
            case ("dev" | "benchmarks", *rest):
                found |= room_of([file.parts[0], *rest], root)
            case ("tests", *rest) if file.name.startswith("test_"):
                found |= {str(file)} if (root / file).exists() else set()
            case ("tests", *rest):
                found |= room_of(rest, root)
            case ("configs" | "data", *_):
                found.add("tests/test_configs.py")
    inside = {
        test for test in found for other in found if PurePosixPath(other) in PurePosixPath(test).parents
    }
    return sorted(found - inside)


def room_of(parts: list[str], root: Path) -> set[str]:
    """The tests of a source by its place below the package."""
    room, name = root / "tests" / parts[0], PurePosixPath(parts[-1]).stem
    of_name = {file.relative_to(root).as_posix() for file in (root / "tests").rglob(f"test_{name}.py")}
    found = of_name | ({f"tests/{parts[0]}"} if room.is_dir() else set())
    return found or tests_that_import(PurePosixPath(parts[0]).stem, root)


def tests_that_import(room: str, root: Path) -> set[str]:
    """The tests that import something of a room which has no folder of its own in tests/."""
    imports = re.compile(rf"^\s*(from|import) bptrain(\.| import .*\b){room}\b", re.MULTILINE)
    files = [
        file
        for file in (root / "tests").rglob("test_*.py")
        if imports.search(file.read_text(encoding="utf-8"))
    ]
    return {file.relative_to(root).as_posix() for file in files}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

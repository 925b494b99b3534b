"""Makes a release: `python dev/release.py VERSION`; what it does, and the policy behind it, is in docs/releasing.md.

--dry-run does the same in a temporary copy, and writes nothing else: no version, no tag, no dist/. It needs no network,
so the package runs beside the dependencies that are installed here. `.ci/run` calls it so.
"""

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")
TEST_COMMAND = re.compile(r"<!-- test command -->\n```sh\n(.+)\n```")
# What an unpacked source distribution is tried with where not all of its tests are run: what needs files beside the
# sources and the tests.
SOME_TESTS = ("tests/dev", "tests/test_parts_docs.py", "tests/engines/test_memory.py::test_peak_memory")
INIT = Path("src", "bptrain", "__init__.py")


class Refused(Exception):
    """Why there is no release, in words."""


# --- texts --------------------------------------------------------------------------------------------


def with_version(text: str, version: str) -> str:
    """The package's `__init__.py` with another version."""
    if len(VERSION.findall(text)) != 1:
        raise Refused(f"{INIT} does not define __version__ exactly once")
    return VERSION.sub(f'__version__ = "{version}"', text)


def check_changelog(text: str, version: str, dry_run: bool) -> None:
    """Raises Refused where the changelog has no section of the version; for a dry run, [Unreleased] will do."""
    sections = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    dates = dict(sections)
    if dry_run and "Unreleased" in dates:
        return
    if not dates.get(version):
        raise Refused(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")
    if sections[0][0] not in (version, "Unreleased"):
        raise Refused(f"the newest section of CHANGELOG.md is {sections[0][0]}, not {version}")


def with_absolute_links(text: str, project: dict[str, Any], version: str) -> str:
    """A page as PyPI shows it, where links to files of the repository have nothing to be relative to.

    They go to the file at the version's tag below `project.urls.Source`. While the project declares no such address,
    they go to the project's page, where the files can be had in the source distribution.
    """
    urls = project["urls"]
    if "Source" in urls:
        return LINK.sub(rf"]({urls['Source'].rstrip('/')}/blob/v{version}/\1)", text)
    return LINK.sub(f"]({urls['Homepage']}#files)", text)


def test_command(readme: str) -> str:
    """The README's second command."""
    match = TEST_COMMAND.search(readme)
    if match is None:
        raise Refused("README.md has lost its test command")
    return match[1]


def missing(tracked: list[str], packed: list[str]) -> list[str]:
    """The files of the repository that a source distribution lacks."""
    return sorted(set(tracked) - set(packed))


# --- steps --------------------------------------------------------------------------------------------


def run(command: list[str], cwd: Path, **environment: str) -> str:
    """Prints a command, runs it and returns its output. Raises Refused where it fails."""
    print("+", " ".join(command), flush=True)
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Refused(f"exit code {done.returncode}:\n{done.stdout}")
    return done.stdout


def tracked_files() -> list[str]:
    """The files that git keeps, but for those that are gone from the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def copy(files: list[str], to: Path, version: str) -> None:
    """What is built: the files of the repository with the version set, and the README as PyPI shows it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in files:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes((ROOT / name).read_bytes())
        (to / name).chmod((ROOT / name).stat().st_mode)
    (to / INIT).write_text(with_version((ROOT / INIT).read_text(encoding="utf-8"), version), encoding="utf-8")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (to / "README.md").write_text(with_absolute_links(page, project, version), encoding="utf-8")


def build(source: Path, dist: Path) -> tuple[Path, Path]:
    """Builds the wheel and the source distribution of a copy."""
    run([sys.executable, "-m", "hatchling", "build", "-d", str(dist)], source)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    return wheel, sdist


def unpacked(sdist: Path, to: Path, files: list[str]) -> Path:
    """The directory of an unpacked source distribution. Raises Refused where a file of the repository is not in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(to, filter="data")
    (directory,) = to.iterdir()
    packed = [path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()]
    lacking = missing(files, packed)
    if lacking:
        raise Refused(
            f"the source distribution lacks {', '.join(lacking)}: see pyproject.toml, targets.sdist"
        )
    return directory


def try_wheel(python: str, version: str, source: Path, place: Path, **environment: str) -> None:
    """Asks an installed wheel for its version, and trains on the penguins with it."""
    command = [python, "-m", "bptrain"]
    shown = run([*command, "--version"], place, **environment).strip()
    if shown != f"bptrain {version}":
        raise Refused(f"the wheel says {shown!r}, not 'bptrain {version}'")
    config = str(source / "configs" / "penguins.yaml")
    run([*command, "fit", config, "--set", "training.epochs=5", "--out", "run"], place, **environment)


def try_beside_what_is_installed(wheel: Path, source: Path, version: str, place: Path) -> None:
    """For a dry run: the wheel without its dependencies, and some of the tests of the source distribution."""
    target = str(place / "wheel")
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            "--target",
            target,
            str(wheel),
        ],
        place,
    )
    try_wheel(sys.executable, version, source, place, PYTHONPATH=target)
    run([sys.executable, "-m", "pytest", *SOME_TESTS], source, PYTHONPATH=str(source / "src"))


def try_in_clean_environments(wheel: Path, source: Path, version: str, place: Path) -> None:
    """For a release: the wheel with its dependencies from the index, and the README's second command."""
    run([sys.executable, "-m", "venv", "clean"], place)
    python = str(place / "clean" / "bin" / "python")
    run([python, "-m", "pip", "install", "-q", str(wheel)], place)
    try_wheel(python, version, source, place)
    run(["bash", "-euc", test_command((source / "README.md").read_text(encoding="utf-8"))], source, CI="true")


def release(version: str, dry_run: bool) -> None:
    """All of it. Raises Refused."""
    check_changelog((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version, dry_run)
    if not dry_run and run(["git", "status", "--porcelain"], ROOT):
        raise Refused("the working tree has changes that are not committed")
    files = tracked_files()
    with tempfile.TemporaryDirectory(prefix="bptrain-release-") as temporary:
        place = Path(temporary)
        for name in ("copy", "unpacked", "tried"):
            (place / name).mkdir()
        copy(files, place / "copy", version)
        dist = place / "dist" if dry_run else ROOT / "dist" / version
        wheel, sdist = build(place / "copy", dist)
        source = unpacked(sdist, place / "unpacked", files)
        attempt = try_beside_what_is_installed if dry_run else try_in_clean_environments
        attempt(wheel, source, version, place / "tried")
    if dry_run:
        return
    (ROOT / INIT).write_text(
        with_version((ROOT / INIT).read_text(encoding="utf-8"), version), encoding="utf-8"
    )
    if run(["git", "status", "--porcelain"], ROOT):  # it may have been set before
        run(["git", "commit", "-m", f"Version {version}", str(INIT)], ROOT)
    run(["git", "tag", "-a", f"v{version}", "-m", f"Version {version}"], ROOT)
    print(f"Tagged v{version}. To publish: git push origin v{version} && twine upload {dist}/*")


def main(arguments: list[str]) -> int:
    """Makes a release, or says why not, by exit code 1."""
    (now,) = VERSION.findall((ROOT / INIT).read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version", nargs="?", help=f"such as {now}, the version now; a dry run needs none")
    parser.add_argument("--dry-run", action="store_true", help="in a temporary copy, without the network")
    options = parser.parse_args(arguments)
    if options.version is None and not options.dry_run:
        parser.error("a release needs its version")
    try:
        release(options.version or now, options.dry_run)
    except Refused as why:
        print(why, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

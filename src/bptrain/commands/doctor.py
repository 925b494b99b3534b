"""What `bptrain doctor` finds out: versions, BLAS, extras, disk, cache, and whether gradients are correct."""

import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import bptrain
from bptrain.caches import VARIABLE as CACHE_VARIABLE
from bptrain.caches import cache_directory
from bptrain.commands.gradcheck.selftest import check_combination, combinations
from bptrain.data.converted.entries import listed
from bptrain.engine_names import engine_names
from bptrain.engines.compiled import onednn
from bptrain.engines.compiled.cache import is_private
from bptrain.engines.registry import engine_entry
from bptrain.engines.threads import processors
from bptrain.errors import BusyError, StorageError
from bptrain.extras import Extra
from bptrain.formats import formats
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.store.atomic import write_atomically
from bptrain.store.provenance import blas
from bptrain.store.run_directory import RunDirectory, locked

CORE = (
    "numpy",
    "pydantic",
    "pyyaml",
    "typer",
    "rich",
    "safetensors",
    "filelock",
    "threadpoolctl",
    "annotated-types",
    "platformdirs",
)
VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_CORETYPE",
    "NUMBA_DISABLE_JIT",
)  # fmt: skip
WRITES = 5  # whose median time is printed
SLOW = 0.25  # seconds that a checkpoint's fsync should not take
EVERY = 25  # of the combinations of parts, which one is checked
FULL = 50_000_000  # bytes: less is little

Status = Literal["ok", "note", "warning", "failure"]


class InstallationCheck(NamedTuple):
    """The result of one check."""

    topic: str
    status: Status  # note: could be better; warning: will cause trouble; failure: bptrain does not work
    text: str
    advice: str | None = None
    facts: Mapping[str, Any] = MappingProxyType({})


class InstallationReport(NamedTuple):
    """The results of all checks."""

    checks: tuple[InstallationCheck, ...]

    @property
    def usable(self) -> bool:
        """Whether bptrain works here."""
        return all(check.status != "failure" for check in self.checks)

    def record(self) -> dict[str, Any]:
        """The fields of doctor's JSON."""
        return {
            "executable": sys.executable,
            "findings": [check._asdict() for check in self.checks],
        }


def diagnose_installation() -> Iterator[InstallationCheck]:
    """Every check, in the order in which the results are printed."""
    yield versions()
    yield blas_libraries()
    yield threads()
    yield from extras()
    yield disk(Path.cwd())
    yield cache()
    yield gradients()


def versions() -> InstallationCheck:
    """bptrain, Python and the required packages."""
    found = {name: installed(name) for name in CORE}
    absent = [name for name, of in found.items() if of is None]
    text = (
        f"bptrain {bptrain.__version__}, Python {platform.python_version()}, {platform.platform()}; "
        + ", ".join(f"{name} {of}" for name, of in found.items() if of)
    )
    if absent:
        return InstallationCheck(
            "versions", "failure", f"{text}; not installed: {', '.join(absent)}", "pip install bptrain"
        )
    facts = {
        "bptrain": bptrain.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return InstallationCheck("versions", "ok", text, facts={**facts, **found})


def installed(package: str) -> str | None:
    """The version of a package; None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def blas_libraries() -> InstallationCheck:
    """The libraries for matrix products, and the kernel that each chose for this processor."""
    usable = [
        entry for entry in map(engine_entry, engine_names()) if entry.missing() is None
    ]  # loads their BLAS
    libraries = blas(scipy=any(entry.uses_scipy_blas for entry in usable))
    words = [f"{one['internal_api']} {one['version']}, kernel {one['architecture']}" for one in libraries]
    if onednn.version() is not None:
        words.append(f"oneDNN {onednn.version()} for large float32 products")
    text = "; ".join(dict.fromkeys(words)) or "no known library"
    status: Status = "ok" if libraries else "note"
    return InstallationCheck("blas", status, text, facts={"libraries": libraries, "onednn": onednn.version()})


def threads() -> InstallationCheck:
    """Processors, threads, and what the environment says of them."""
    usable = processors()
    of_blas = max((one["num_threads"] for one in blas(scipy=False)), default=1)
    said = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    text = f"{usable} processors available, BLAS uses {of_blas} threads"
    text += "".join(f"; {name}={value}" for name, value in said.items())
    facts = {"processors": usable, "blas_threads": of_blas, "environment": said}
    if of_blas > usable:
        return InstallationCheck(
            "threads",
            "warning",
            text,
            f"fit takes no more than {usable}; for all else set OMP_NUM_THREADS",
            facts,
        )
    return InstallationCheck("threads", "ok", text, facts=facts)


def all_extras() -> dict[Extra, str | None]:
    """Every extra, with the reason why what it brings cannot be used, if so. A test compares it with pyproject.toml."""
    entries = [engine_entry(name) for name in engine_names()]
    of_engines = {entry.extra: entry.missing() for entry in entries if entry.extra is not None}
    made = [formats.get(name)() for name in formats]
    return of_engines | {form.extra: None for form in made if form.extra is not None}


def extras() -> Iterator[InstallationCheck]:
    """The optional packages, and what they are for."""
    for extra, reason in all_extras().items():
        found = {package: installed(package) for package in extra.packages}
        there = ", ".join(f"{package} {of}" for package, of in found.items() if of)
        absent = [package for package, of in found.items() if of is None]
        text = f"{extra.name} ({extra.use}): {there or 'not installed'}"
        if absent and there:
            text += f"; without {', '.join(absent)}"
        if reason is not None and there:
            text += f"; cannot be used: {reason}"
        useless = reason is not None or not there
        yield InstallationCheck(
            "extras",
            "note" if useless else "ok",
            text,
            extra.install if useless else None,
            {extra.name: found},
        )


def disk(directory: Path) -> InstallationCheck:
    """Whether runs can be saved here: file system, free space, a lock, and how long a checkpoint's fsync takes."""
    kind, free = file_system(directory), shutil.disk_usage(directory).free
    text = f"{directory}: {kind or 'file system unknown'}, {free / 1e9:.1f} GB free"
    facts: dict[str, Any] = {"directory": str(directory), "file_system": kind, "free_bytes": free}
    advice = "change to another directory, or give fit --out DIR"
    try:
        with tempfile.TemporaryDirectory(prefix=".bptrain-doctor-", dir=directory) as place:
            seconds = write_seconds(Path(place))
            with locked(RunDirectory(Path(place))):
                pass
    except (OSError, StorageError, BusyError) as error:
        return InstallationCheck(
            "disk", "warning", f"{text}; runs cannot be saved here: {error}", advice, facts
        )
    facts["fsync_seconds"] = seconds
    text += f"; writing a small file safely takes {seconds * 1e3:.1f} ms"
    if free < FULL:
        return InstallationCheck("disk", "warning", f"{text}; disk space is low", advice, facts)
    if seconds > SLOW:
        slow = "set checkpoint.every to more seconds, or keep runs on another disk"
        return InstallationCheck("disk", "note", text, slow, facts)
    return InstallationCheck("disk", "ok", text, facts=facts)


def write_seconds(place: Path) -> float:
    """How long it takes to write a small file safely, with fsync."""
    found = []
    for count in range(WRITES):
        begun = time.perf_counter()
        write_atomically(place / f"{count}.bin", [bytes(4096)])
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def file_system(directory: Path) -> str | None:
    """The kind of file system that a directory lies on, where the system says it (Linux)."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    mounts = [line.split(" ")[1:3] for line in lines if line.count(" ") >= 3]
    place = directory.resolve()
    inside = [(len(at), kind) for at, kind in mounts if place.is_relative_to(at.replace("\\040", " "))]
    return max(inside)[1] if inside else None


def cache() -> InstallationCheck:
    """Where the caches are, what is stored there, and whether compiled loops can be."""
    place = cache_directory()
    kernels, data = place / "kernels", place / "data"
    facts: dict[str, Any] = {"root": str(place), "directory": str(kernels)}
    words, usable = [], True
    try:
        if kernels.exists():
            count = sum(entry.is_dir() for entry in kernels.iterdir())
            size = sum(file.stat().st_size for file in kernels.rglob("*") if file.is_file())
            usable = is_private(kernels) and os.access(kernels, os.W_OK)
            facts |= {"kernels": count, "bytes": size}
            words.append(f"{count} compiled loops, {size / 1e6:.1f} MB")
        converted = [entry.size for entry in listed(data)]
    except OSError as error:
        text = f"{place} cannot be read: {error.strerror or error}"
        return InstallationCheck(
            "cache", "warning", text, f"set {CACHE_VARIABLE} to a directory of your own", facts
        )
    if not usable:
        words.append("other users can write to it, or you cannot")
    if converted:
        facts["data"] = {"directory": str(data), "entries": len(converted), "bytes": sum(converted)}
        words.append(f"converted data, {sum(converted) / 1e6:,.1f} MB (bptrain data cache list)")
    text = f"{place}: {'; '.join(words) or 'nothing is stored there yet'}"
    if usable:
        return InstallationCheck("cache", "ok", text, facts=facts)
    advice = f"make {kernels} private (chmod 700), or set {CACHE_VARIABLE}: until then every process compiles again"
    return InstallationCheck("cache", "warning", text, advice, facts)


def gradients() -> InstallationCheck:
    """A small self-test: the gradient of some of the combinations that `bptrain gradcheck` checks all of."""
    chosen = list(islice(combinations(), 0, None, EVERY))
    reports = [check_combination(combination, Settings()) for combination in chosen]
    worst = max(reports, key=lambda report: report.max_relative_error)
    failed = [one.parts for one, report in zip(chosen, reports, strict=True) if not report.passed]
    text = f"the gradients of {len(chosen)} networks, compared with the complex step: "
    facts: dict[str, Any] = {
        "networks": len(chosen),
        "max_relative_error": worst.max_relative_error,
        "failed": failed,
    }
    if failed:
        advice = "bptrain gradcheck shows all of them; please report it"
        return InstallationCheck(
            "self-test", "failure", f"{text}wrong for {', '.join(failed)}", advice, facts
        )
    return InstallationCheck(
        "self-test",
        "ok",
        f"{text}correct, largest relative error {worst.max_relative_error:.1e}",
        facts=facts,
    )

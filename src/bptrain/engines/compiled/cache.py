"""Where compiled loops are kept between processes: a directory of the user's own.

    <cache>/bptrain/kernels/<key>/kernel.py       the text, and beside it what Numba has compiled
                                  SHA256SUMS      the digests of all of it
    key = SHA-256 of the text, this package's runtime, the versions of all that compiles it, and the processor

A kernel is compiled in a directory of its own and takes its place under its key when it is complete. The machine
code is read back with pickle, by Numba. So the directory must belong to the user, and to nobody else to write in, and
the digests are checked first. Where it cannot be so, a temporary directory serves this process alone.
"""

import hashlib
import importlib.util
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

KEPT = 100  # kernels; the one that was used longest ago goes first
SUMS = "SHA256SUMS"


def compiled(source: str, name: str, signature: Any) -> Callable[..., Any]:
    """The function of that name in a kernel's text, compiled for a signature now or at an earlier time.

    Raises the errors of Numba for a text that cannot be compiled.
    """
    key = key_of(source)
    with kernels_directory() as kernels:
        place = kernels / key
        if place.is_dir() and not is_sound(place):
            discard(place)
        if place.is_dir():
            os.utime(place)
            return from_module(place, key, name, signature)
        made = Path(tempfile.mkdtemp(prefix="new-", dir=kernels))
        try:
            (made / "kernel.py").write_text(source, encoding="utf-8")
            function = from_module(made, key, name, signature)
            (made / SUMS).write_text(digests(made), encoding="utf-8")
            if not place.exists():  # another process may have been faster
                made.rename(place)
                prune(kernels)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return function


def is_compiled(source: str) -> bool:
    """Whether a kernel has been compiled at an earlier time."""
    with kernels_directory() as kernels:
        return is_sound(kernels / key_of(source))


def from_module(directory: Path, key: str, name: str, signature: Any) -> Callable[..., Any]:
    """The function of a kernel, compiled for a signature, or read from what is kept beside the text."""
    import numba

    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = ""  # beside the text, wherever the user keeps the rest
    try:
        module = module_at(directory / "kernel.py", f"bptrain_kernel_{key}")
    finally:
        numba.config.CACHE_DIR = chosen
    dispatcher: Any = getattr(module, name)
    dispatcher.compile(signature)
    function: Callable[..., Any] = dispatcher
    return function


def key_of(source: str) -> str:
    """What the machine code depends on, as one short word."""
    import llvmlite
    import llvmlite.binding
    import numba
    import numpy as np
    import scipy

    runtime = [
        file.read_text(encoding="utf-8") for file in sorted((Path(__file__).parent / "runtime").glob("*.py"))
    ]
    versions = (sys.version, np.__version__, numba.__version__, llvmlite.__version__, scipy.__version__)
    processor = (llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten())
    digest = hashlib.sha256("\0".join([source, *runtime, *versions, *processor]).encode())
    return digest.hexdigest()[:32]


@contextmanager
def kernels_directory() -> Iterator[Path]:
    """The directory of all kernels: the user's own, or a temporary one that goes when this process has read it."""
    import platformdirs

    kernels = platformdirs.user_cache_path("bptrain") / "kernels"
    try:
        kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
        usable = is_private(kernels) and os.access(kernels, os.W_OK)
    except OSError:  # a home that cannot be written to
        usable = False
    if usable:
        yield kernels
    else:
        with tempfile.TemporaryDirectory(prefix="bptrain-") as temporary:
            yield Path(temporary)


def is_private(directory: Path) -> bool:
    """Whether the directory belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # Windows: the cache lies in the user's profile
        return True
    status = directory.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def digests(directory: Path) -> str:
    """A line for each file of a kernel: its digest and its name."""
    files = sorted(file for file in directory.rglob("*") if file.is_file() and file.name != SUMS)
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def is_sound(place: Path) -> bool:
    """Whether a kernel is there, and every file of it is what was written."""
    sums = place / SUMS
    return sums.is_file() and sums.read_text(encoding="utf-8") == digests(place)


def discard(place: Path) -> None:
    """Removes a kernel, out of sight of other processes first."""
    with tempfile.TemporaryDirectory(prefix="old-", dir=place.parent) as away:
        place.rename(Path(away, place.name))


def prune(kernels: Path) -> None:
    """Removes the kernels that were used longest ago, beyond the newest ones."""
    by_age = sorted(
        (entry for entry in kernels.iterdir() if entry.is_dir()), key=lambda entry: entry.stat().st_mtime
    )
    for directory in by_age[:-KEPT]:
        shutil.rmtree(directory, ignore_errors=True)


def module_at(file: Path, name: str) -> ModuleType:
    """The module of a file, under a name by which Numba finds it again."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

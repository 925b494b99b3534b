"""Where compiled loops are kept between processes: a directory of the user's own.

    <cache>/kernels/<key>/kernel.py       the text, and next to it what Numba has compiled
                          SHA256SUMS      the digests of all of it
    key = SHA-256 of the text, this package's runtime, the versions of all that compiles it, and the processor

A kernel is compiled in a directory of its own and takes its place under its key when it is complete. The machine
code is read back with pickle, by Numba. So the directory must belong to the user, and to nobody else to write in, and
the digests are checked first. Where it cannot be so, a temporary directory serves this process alone.
"""

import gc
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bptrain.caches import cache_directory
from bptrain.engines.compiled.onednn import version

KEPT = 100  # kernels; the one that was used longest ago goes first
SUMS = "SHA256SUMS"
DAY = 86_400.0  # seconds
KEY = re.compile(r"[0-9a-f]{32}")  # the name of a kernel's directory
UNFINISHED = re.compile(r"new-[a-z0-9_]+")  # and while it is compiled, as tempfile makes names


def compiled(source: str, name: str, signature: Any) -> Callable[..., Any]:
    """The function of that name in a kernel's text, compiled for a signature now or at an earlier time.

    Raises the errors of Numba for a text that cannot be compiled.
    """
    try:
        with kernels_directory() as kernels:
            return compiled_in(kernels, source, name, signature)
    except OSError:  # a full disk, or files that are taken away: it can be done without what is kept
        with temporary_directory() as kernels:
            return compiled_in(kernels, source, name, signature)


def compiled_in(kernels: Path, source: str, name: str, signature: Any) -> Callable[..., Any]:
    """The function, from a directory of kernels or compiled into it. Raises OSError."""
    key = key_of(source)
    place = kernels / key
    with only_one(kernels):
        if is_sound(place):
            os.utime(place)
            return from_module(place, key, name, signature)
        shutil.rmtree(place, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix="new-", dir=kernels))
    try:
        (made / "kernel.py").write_text(source, encoding="utf-8")
        with without_garbage_collection():
            function = from_module(made, key, name, signature)
        (made / SUMS).write_text(digests(made), encoding="utf-8")
        with only_one(kernels):
            if not place.exists():  # another process may have been faster
                made.rename(place)
            prune(kernels)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return function


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Numba makes many objects that it keeps: searching them for garbage takes about a sixth of the time to compile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def only_one(kernels: Path) -> AbstractContextManager[Any]:
    """Holds the kernels for this process while it looks, reads, places or removes; compiling continues meanwhile."""
    from filelock import FileLock

    return FileLock(kernels / ".lock")


def is_compiled(source: str) -> bool:
    """Whether a kernel has been compiled at an earlier time."""
    with kernels_directory() as kernels, only_one(kernels):
        return is_sound(kernels / key_of(source))


def from_module(directory: Path, key: str, name: str, signature: Any) -> Callable[..., Any]:
    """The function of a kernel, compiled for a signature, or read from what is stored next to the text."""
    import numba

    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = ""  # next to the text, wherever the user keeps the rest
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
    versions = (
        sys.version,
        np.__version__,
        numba.__version__,
        llvmlite.__version__,
        scipy.__version__,
        str(version()),
    )
    settings = (numba.config.CPU_NAME, numba.config.CPU_FEATURES, numba.config.OPT)
    processor = (llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten())
    digest = hashlib.sha256(
        "\0".join([source, *runtime, *versions, *map(str, settings), *processor]).encode()
    )
    return digest.hexdigest()[:32]


@contextmanager
def kernels_directory() -> Iterator[Path]:
    """The directory of all kernels: the user's own, or a temporary one that goes when this process has read it."""
    kernels = cache_directory("kernels")
    try:
        kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
        usable = is_private(kernels) and os.access(kernels, os.W_OK)
    except OSError:  # a home that cannot be written to
        usable = False
    if usable:
        yield kernels
    else:
        with temporary_directory() as temporary:
            yield temporary


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A directory of kernels for this process alone."""
    with tempfile.TemporaryDirectory(prefix="bptrain-") as temporary:
        yield Path(temporary)


def is_private(directory: Path) -> bool:
    """Whether the directory belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # Windows: the cache lies in the user's profile
        return True
    status = directory.stat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def digests(directory: Path) -> str:
    """A line for each file that a kernel is read from: its digest and its name."""
    files = [directory / "kernel.py", *sorted(directory.rglob("*.nb[ic]"))]
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


def is_sound(place: Path) -> bool:
    """Whether a kernel is there, and every file of it is what was written."""
    try:
        return (place / SUMS).read_text(encoding="utf-8") == digests(place)
    except OSError:
        return False


def prune(kernels: Path) -> None:
    """Removes the kernels that were used longest ago, beyond the newest ones, and what killed processes left.

    A directory with any other name is somebody else's.
    """
    entries = sorted((entry.stat().st_mtime, entry) for entry in kernels.iterdir() if entry.is_dir())
    unfinished = [
        entry for age, entry in entries if UNFINISHED.fullmatch(entry.name) and age < time.time() - DAY
    ]
    finished = [entry for _, entry in entries if KEY.fullmatch(entry.name)]
    for directory in unfinished + finished[:-KEPT]:
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

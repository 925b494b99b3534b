"""Where a run came from: versions, machine, BLAS, command line."""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bptrain import __version__
from bptrain.engine_names import engine_names
from bptrain.engines.registry import engine_entry


def now() -> str:
    """The time in UTC, to the microsecond, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def provenance(engine: str) -> dict[str, Any]:
    """Versions, platform, BLAS with its threads, and the command line; plain JSON types."""
    return {
        "bptrain": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "blas": blas(engine in engine_names() and engine_entry(engine).uses_scipy_blas),
        "command": sys.argv,
    }


def blas(scipy: bool) -> list[dict[str, Any]]:
    """Each BLAS that is loaded, that of SciPy if asked for, in a fixed order: name, version, kernel and threads."""
    from threadpoolctl import threadpool_info

    wanted = ("internal_api", "version", "architecture", "num_threads")
    libraries = [
        {key: info.get(key) for key in wanted}
        for info in threadpool_info()
        if info["user_api"] == "blas" and (scipy or not _is_of_scipy(Path(info["filepath"])))
    ]
    return sorted(libraries, key=str)


def _is_of_scipy(library: Path) -> bool:
    """Whether a library is the one that SciPy's wheels contain."""
    return library.parent.name == "scipy.libs" or library.parent.parent.name == "scipy"


def numerics(engine: str, threads: int) -> dict[str, Any]:
    """The numerics, which with config and data determine the last bits of a run: versions, engine, BLAS, threads."""
    entry = engine_entry(engine)
    libraries = blas(scipy=entry.uses_scipy_blas)
    return {
        "bptrain": __version__,
        "numpy": np.__version__,
        "engine": engine,
        **entry.numerics(),
        "blas": [[info["internal_api"], info["version"], info["architecture"]] for info in libraries],
        "threads": threads,
    }

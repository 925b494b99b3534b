"""Where a run came from: versions, machine, BLAS, command line."""

import platform
import sys
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from bptrain import __version__


def now() -> str:
    """The time in UTC, to the microsecond, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def provenance() -> dict[str, Any]:
    """Versions, platform, BLAS with its threads, and the command line; plain JSON types."""
    return {
        "bptrain": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "blas": blas(),
        "command": sys.argv,
    }


@lru_cache(maxsize=1)
def blas() -> list[dict[str, Any]]:
    """Each BLAS that NumPy has loaded: its name, version, kernel and threads."""
    from threadpoolctl import threadpool_info

    wanted = ("internal_api", "version", "architecture", "num_threads")
    return [
        {key: info.get(key) for key in wanted} for info in threadpool_info() if info["user_api"] == "blas"
    ]


def bits(engine: str, threads: int | None) -> dict[str, Any]:
    """What decides the bits of a run beside its config and data."""
    return {
        "bptrain": __version__,
        "numpy": np.__version__,
        "engine": engine,
        "blas": [[info["internal_api"], info["version"], info["architecture"]] for info in blas()],
        "threads": threads or max((info["num_threads"] for info in blas()), default=1),
    }

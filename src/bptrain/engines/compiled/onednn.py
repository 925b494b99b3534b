"""oneDNN, where the extra `fast` has brought it: its products of large float32 matrices are faster than OpenBLAS's.

The wheel `onednn-cpu-gomp` is the plain library, for Linux on x86-64; it needs the system's libgomp. Without it every
product is OpenBLAS's.
"""

import ctypes
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

WHEEL = "onednn-cpu-gomp"


@cache
def onednn() -> Any | None:
    """The library; None where it is not installed, or cannot be loaded."""
    try:
        files = distribution(WHEEL).files or []
        (library,) = (file.locate() for file in files if file.name == "libdnnl.so")
        return ctypes.CDLL(str(library))
    except (PackageNotFoundError, OSError, ValueError):  # not installed; no libgomp; files that are not there
        return None


def version() -> str | None:
    """The version of the library that products are taken from; None without one."""
    return None if onednn() is None else distribution(WHEEL).version

"""Processor, cores and versions, for the head of a report; nothing that names this machine."""

import os
import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

PACKAGES = [
    "bptrain",
    "numpy",
    "numba",
    "scipy",
    "onednn-cpu-gomp",
    "torch",
    "jax",
    "keras",
    "scikit-learn",
    "onnxruntime",
]


def machine() -> dict[str, Any]:
    """What figures depend on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := installed(name)) is not None},
        "blas": blas(),
    }


def in_words(facts: dict[str, Any]) -> str:
    """The same as a line of Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['system']}; Python {facts['python']}, {versions}; "
        f"NumPy's BLAS: {facts['blas']}."
    )


def blas() -> str:
    """NumPy's BLAS, and the kernels that it picks here."""
    import_module("numpy")  # which loads it
    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(
        f"{pool['internal_api']} {pool['version']} ({pool.get('architecture')})" for pool in found
    )


def processor() -> str:
    """The model of the processor, as Linux tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    facts = {key.strip(): value.strip() for key, value in pairs}
    if "model name" not in facts:
        return platform.processor() or "unknown processor"
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


def installed(name: str) -> str | None:
    """The version of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None

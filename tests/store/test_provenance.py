"""What decides the last bits of a run is recorded in full, and in the same way by every process."""

from pathlib import Path
from typing import Any

import pytest
import threadpoolctl

import bptrain
from bptrain.store import provenance
from bptrain.store.checkpoint import glance

NUMPY = {"filepath": "/venv/scipy-env/numpy.libs/libscipy_openblas64_.so", "version": "0.3.31"}
SCIPY = {"filepath": "/venv/scipy-env/scipy.libs/libscipy_openblas.so", "version": "0.3.30"}
COMMON = {"user_api": "blas", "internal_api": "openblas", "architecture": "SkylakeX", "num_threads": 2}


@pytest.mark.parametrize("order", [(NUMPY, SCIPY), (SCIPY, NUMPY)])
def test_each_engine_has_its_own_blas(order: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        threadpoolctl, "threadpool_info", lambda: [{**COMMON, **library} for library in order]
    )
    assert [library["version"] for library in provenance.blas(scipy=False)] == ["0.3.31"]
    assert [library["version"] for library in provenance.blas(scipy=True)] == ["0.3.30", "0.3.31"]


def test_the_blas_of_numpy_is_told_here() -> None:
    found = provenance.numerics("numpy", 3)
    assert len(found["blas"]) == 1
    assert found["threads"] == 3


def test_a_checkpoint_calls_them_bits(iris: Path) -> None:
    """As checkpoints always have."""
    record = glance(bptrain.fit(iris, {"training.epochs": 1}).path / "best.safetensors")
    assert record["bits"]["engine"] in ("numpy", "numba")
    assert "numerics" not in record

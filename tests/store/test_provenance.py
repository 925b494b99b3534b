"""What decides the bits of a run is told in full, and in the same way by every process."""

from typing import Any

import pytest
import threadpoolctl

from bptrain.store import provenance

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
    bits = provenance.bits("numpy", None)
    assert len(bits["blas"]) == 1
    assert bits["threads"] >= 1

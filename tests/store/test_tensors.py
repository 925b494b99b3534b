"""A checkpoint's file is what the library writes, though it is never in memory as a whole."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from bptrain import mapped_rows
from bptrain.engines import snapshots
from bptrain.parts.types import Array
from bptrain.store.tensors import content

METADATA = {"bptrain": '{"label":"Ü → \\"x\\"\\u007f\\t\\u0001/"}'}


def tensors() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {
        "layers.1.weight": rng.normal(size=(30, 70)).astype(np.float32),
        "layers.1.bias": rng.normal(size=30).astype(np.float32),
        "optimizer.product": np.array(0.25, np.float32),
        "optimizer.step": rng.normal(size=(3, 5, 7)),
        "empty": np.zeros((0, 4), np.float32),
        "count": np.arange(6, dtype=np.int64),
    }


@pytest.mark.parametrize("names", [(), ("count",), ("optimizer.step",), ("count", "optimizer.step")])
def test_byte_for_byte_as_the_library(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    """But for the order of whole numbers and floats of one width, which is free."""
    monkeypatch.setattr(snapshots, "PIECE", 100)
    given = {name: tensor for name, tensor in tensors().items() if name not in names}
    written = b"".join(content(given, METADATA))
    if "count" in names or "optimizer.step" in names:
        assert written == save(given, metadata=METADATA)
    read = load(written)
    assert read.keys() == given.keys()
    assert all(np.array_equal(read[name], given[name]) for name in given)
    assert all(read[name].dtype == given[name].dtype for name in given)


def test_arrays_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold what was written, may be read in pieces and written out, and the file has no name."""
    monkeypatch.setattr(snapshots, "PIECE", 100)
    given = {name: tensor for name, tensor in tensors().items() if name != "empty"}
    lying = dict(zip(given, snapshots.in_a_file(list(given.values()), tmp_path), strict=True))
    assert not [*tmp_path.iterdir()]
    for name, tensor in given.items():
        assert mapped_rows.mapping(lying[name]) is not None
        assert mapped_rows.mapping(lying[name].reshape(-1)[:1]) is not None
        assert np.array_equal(lying[name], tensor)
        assert lying[name].shape == tensor.shape
        assert np.array_equal(np.concatenate([*snapshots.pieces(lying[name])]), tensor.reshape(-1))
    assert b"".join(content(lying, METADATA)) == b"".join(content(given, METADATA))

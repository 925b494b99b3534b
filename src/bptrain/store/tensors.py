"""The content of a safetensors file, part by part, so that it is never in memory in addition to the tensors themselves.

    8 bytes: the length of the header; the header, JSON; then the tensors' bytes, little-endian, without gaps

It is byte for byte what the library writes, and the library reads it.
"""

import json
from collections.abc import Iterator, Mapping

from bptrain.engines.snapshots import pieces
from bptrain.parts.types import Array

ALIGNMENT = 8  # bytes; the header is filled up with spaces, and wide numbers come first


def content(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> Iterator[bytes | memoryview]:
    """The parts of a file with these tensors, in their order."""
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header: dict[str, object] = {"__metadata__": metadata}
    start = 0
    for name in names:
        tensor = tensors[name]
        stop = start + tensor.nbytes
        kind = f"{tensor.dtype.kind.upper()}{8 * tensor.itemsize}"
        header[name] = {"dtype": kind, "shape": tensor.shape, "data_offsets": (start, stop)}
        start = stop
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    yield len(text).to_bytes(8, "little") + text
    for name in names:
        for piece in pieces(tensors[name]):
            yield piece.astype(piece.dtype.newbyteorder("<"), copy=False).data

"""Arrays, typed tables and memory: what lies in mapped files is what it is in memory, and takes little of that."""

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.joined_files import JoinedFiles
from bptrain.data.prepared import Prepared
from bptrain.data.sources import FileSource
from bptrain.formats.conventions import Conventions
from bptrain.parts.scalers import standard
from data.helpers import CROSS
from data.test_mapped_tables import both, small_pieces

N = 90
RNG = np.random.default_rng(5)
X = np.where(RNG.random((N, 4)) < 0.1, -9.0, RNG.integers(0, 40, (N, 4)) + RNG.random((N, 4)))
Y = X.sum(axis=1)
LABELS = np.array([("no", "yes", "perhaps")[k % 3] for k in range(N)])
OPTIONS: dict[str, Any] = {"missing": "mean", "scale": standard()}


@pytest.mark.parametrize("dtype", ["<f8", ">f4", "<i2", "|u1"])
@pytest.mark.parametrize("packed", [False, True])
def test_one_array_in_each_file(tmp_path: Path, dtype: str, packed: bool) -> None:
    paths = []
    for name, array in (("X", np.abs(X).astype(dtype)), ("y", Y)):
        path = tmp_path / f"{name}.npy"
        np.save(path, array)
        if packed:
            path.with_name(f"{name}.npy.gz").write_bytes(gzip.compress(path.read_bytes()))
            path = path.with_name(f"{name}.npy.gz")
        paths.append(path)
    source = FileSource(paths[0], paths[1], Conventions(missing_markers=("9", "default")))
    found = both(tmp_path, source, target=None, **OPTIONS)
    assert isinstance(found, Prepared)
    both(tmp_path, source, target=None, features=("x3", "x1"), columns={"x1": "categorical"}, missing="drop")


@pytest.mark.parametrize("packed", [False, True])
def test_several_arrays_in_a_file(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "d.npz"
    (np.savez_compressed if packed else np.savez)(path, X=X, y=LABELS, w=np.arange(N) % 3 + 1.0)
    both(tmp_path, FileSource(path), CROSS, weight="w", **OPTIONS)
    both(tmp_path, FileSource(path), CROSS, features=("x2", "x4"), missing="drop")


def test_typed_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    gaps = [None if k % 7 == 6 else k for k in range(N)]
    columns = {
        "whole": pa.array(gaps, pa.int64()),
        "long": pa.array([None if k == 80 else 10**15 + k % 5 for k in range(N)], pa.int64()),
        "number": pa.array([None if k > 70 else k / 4 for k in range(N)], pa.float64()),
        "text": pa.array([None if k % 9 == 0 else f"t{k % 5}" for k in range(N)]),
        "flag": pa.array([bool(k % 2) for k in range(N)]),
        "y": pa.array([float(k * k % 17) for k in range(N)]),
    }
    path, more = tmp_path / "t.parquet", tmp_path / "m.csv"
    pq.write_table(pa.table(columns), path, row_group_size=13)
    more.write_text("whole,long,number,text,flag,y\n1,2,3.5,t1,True,4\n,7,2,t2,False,5\n", encoding="utf-8")
    options: dict[str, Any] = {
        "missing": "most_frequent",
        "columns": {"flag": "boolean", "long": "categorical"},
    }
    with small_pieces(4):
        assert isinstance(both(tmp_path, FileSource(path), **options), Prepared)
        assert isinstance(both(tmp_path, JoinedFiles((path, more)), **options), Prepared)


MEASURED = """
import sys, threading
from pathlib import Path
import numpy as np
from bptrain.data.prepare import prepare
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.sources import FileSource
from bptrain.data.storage import MappedFiles

def anonymous():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) << 10

most, ended = 0, threading.Event()
def watch():
    global most
    while not ended.wait(0.002):
        most = max(most, anonymous())
thread = threading.Thread(target=watch)
thread.start()
source = FileSource(Path(sys.argv[1]))
asked = DataSettings(source, target="y", missing="mean", columns={"b": "categorical"})
prepare(asked, NetworkFacts("half_squared_error", "values"), 0, np.float32, storage=MappedFiles(Path(sys.argv[2])))
ended.set()
thread.join()
print(most)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="anonymous memory is read from /proc")
def test_memory_does_not_grow_with_columns(tmp_path: Path) -> None:
    """200,000 rows of 12 columns, of which a matrix takes 19 MB and X 5 times as much, and those of a thousand."""
    names = [*"abcdefghijk", "y"]
    lines = [
        ",".join(
            f"n{k % 60}" if name == "b" else f"{(k * (j + 7)) % 9973 / 8}" for j, name in enumerate(names)
        )
        for k in range(20_000)
    ]
    peaks = []
    for times in (1, 10):
        path = tmp_path / f"{times}.csv"
        some = lines[: 1000 if times == 1 else None]
        path.write_text("\n".join([",".join(names), *some * times, ""]), encoding="utf-8")
        arguments = [sys.executable, "-c", MEASURED, str(path), str(tmp_path)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 60 << 20, peaks


def test_damage_is_found(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, X=X, y=Y)
    content = bytearray(path.read_bytes())
    content[400] ^= 1
    path.write_bytes(content)
    found = both(tmp_path, FileSource(path), **OPTIONS)
    assert isinstance(found, list)
    assert "damaged" in found[0]

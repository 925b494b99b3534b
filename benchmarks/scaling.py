"""How cost grows: time per row against width, depth, batch size and rows, and peak memory against what must be held.

    pip install -e '.[fast]' matplotlib, then: python benchmarks/scaling.py [--plot FILE] [--json FILE]

One thread, float32, relu, half_squared_error, gradient descent. Beside each time stands its physical limit: the
products of an update at the rate of a large product measured in the same run, or its memory traffic at the rate of a
copy of as many bytes as the weights, whichever is longer. Peak memory is that of a process of its own that trains for
two epochs, and writes a checkpoint before the first update and after each epoch.
"""

import argparse
import ctypes
import itertools
import json
import multiprocessing
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from bptrain.core.network import Network, initial_parameters
from bptrain.engines.base import Engine, TrainingPlan, aligned_copy, initial_optimizer_state
from bptrain.engines.compiled.running import NumbaEngine
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.optimizers import optimizers
from bptrain.parts.schedules import schedules
from machine import in_words, machine
from rounds import short, timed
from worker import surroundings

if TYPE_CHECKING:
    from bptrain.data.prepared import Rows

Sizes = tuple[int, ...]
ENGINES = ("numba", "numpy")
SWEEPS: dict[str, list[tuple[int, Sizes, int, int]]] = {  # name -> (value, sizes, batch, rows)
    "width": [(w, (256, w, w, 10), 128, 2560) for w in (8, 32, 128, 512, 2048)],
    "depth": [(d, (64, *[64] * d, 10), 64, 6400) for d in (1, 2, 4, 8, 16)],
    "batch": [(b, (784, 128, 10), b, 4096) for b in (1, 4, 16, 64, 256, 1024, 4096)],
    "rows": [(n, (784, 30, 10), 10, n) for n in (1000, 4000, 16_000, 64_000)],
}
MEMORY: list[tuple[Sizes, str, int]] = [  # sizes, optimizer, rows
    ((784, 30, 10), "gradient_descent", 60_000),
    ((784, 100, 10), "adam", 120_000),
    ((256, 1024, 1024, 10), "adam", 60_000),
    ((256, 2048, 2048, 10), "adam", 2_000),
    ((256, 4096, 4096, 10), "adam", 2_000),
]


class Point(NamedTuple):
    """One network, one batch size: microseconds per row for each engine, and at the limit."""

    value: int
    limit: float
    engines: dict[str, float]


def network(sizes: Sizes) -> Network:
    """A relu network with biases and an identity output."""
    hidden = [activations.get("relu")() for _ in sizes[1:-1]]
    identity = activations.get("identity")()
    bias = (False, *[True] * (len(sizes) - 1))
    return Network(
        sizes, (identity, *hidden, identity), bias, losses.get("half_squared_error")(), canonical=True
    )


def plan_of(sizes: Sizes, batch: int, rows: int, optimizer: str = "gradient_descent") -> TrainingPlan:
    """Two epochs of plain training at a small rate."""
    rule = optimizers.get(optimizer)(learning_rate=1e-4)
    return TrainingPlan(network(sizes), rule, schedules.get("constant")(), 1e-4, rows, batch, 2)


def engine_of(name: str, plan: TrainingPlan) -> Engine:
    """The engine of that name, with one thread."""
    return NumpyEngine(plan) if name == "numpy" else NumbaEngine(plan, "float32", threads=1)


def micros_a_row(engine_name: str, sizes: Sizes, batch: int, rows: int) -> float:
    """The median of five passes."""
    import numpy as np

    plan = plan_of(sizes, batch, rows)
    engine = engine_of(engine_name, plan)
    rng, L = np.random.default_rng(0), plan.network.L
    X, T = (aligned_copy(rng.random((rows, n), np.float32)) for n in (sizes[0], sizes[-1]))
    draws = [initializers.get("he_normal")()] * (L + 1)
    w = initial_parameters(plan.network, draws, [0.0] * (L + 1), 0, np.float32)
    state = initial_optimizer_state(w, plan.optimizer).copy()
    engine.run_slice(state, X, T)
    return statistics.median(timed(lambda: engine.run_slice(state, X, T)) for _ in range(5)) / rows * 1e6


def limit_of(sizes: Sizes, batch: int, product_rate: float) -> float:
    """Microseconds per row: products at the measured rate, or the traffic of weights and rows at that of a copy."""
    import numpy as np

    pairs = [a * b for a, b in itertools.pairwise(sizes)]
    products = (3 * sum(pairs) - pairs[0]) / product_rate
    held = np.ones(max(sum(pairs), 1024), np.float32)
    other = np.empty_like(held)
    bandwidth = 2 * held.nbytes / min(timed(lambda: np.copyto(other, held)) for _ in range(9))
    traffic = 4 * (3 * sum(pairs) / batch + sizes[0]) / bandwidth  # W read twice and written once an update
    return max(products, traffic) * 1e6


def product_rate() -> float:
    """Multiply-adds a second of a large product, by the faster of the libraries that the engines use."""
    import numpy as np

    from bptrain.engines.compiled.onednn import onednn

    n, library = 1024, onednn()
    A, B, C = (np.ones((n, n), np.float32) for _ in range(3))
    seconds = [timed(lambda: np.dot(A, B, out=C)) for _ in range(9)]
    if library is not None:
        size, one, zero = ctypes.c_int64(n), ctypes.c_float(1.0), ctypes.c_float(0.0)
        a, b, c = (ctypes.c_void_p(array.ctypes.data) for array in (A, B, C))
        as_it_is = ctypes.c_char(b"N")
        given = (as_it_is, as_it_is, size, size, size, one, a, size, b, size, zero, c, size)
        C[:] = 0
        seconds += [timed(lambda: library.dnnl_sgemm(*given)) for _ in range(9)]
        assert C.min() == C.max() == n
    return n**3 / min(seconds)


def sweeps() -> dict[str, list[Point]]:
    """Every sweep."""
    rate = product_rate()
    return {
        name: [
            Point(
                value, limit_of(sizes, batch, rate), {e: micros_a_row(e, sizes, batch, rows) for e in ENGINES}
            )
            for value, sizes, batch, rows in points
        ]
        for name, points in SWEEPS.items()
    }


def peak(engine_name: str, sizes: Sizes, optimizer: str, rows: int) -> tuple[float, float]:
    """Megabytes: the peak beyond what the libraries take, and data + weights + slots."""
    import numpy as np

    from bptrain.data.prepared import Rows

    small = plan_of((2, 3, 1), 32, 64, optimizer)
    plan = plan_of(sizes, 32, rows, optimizer)
    rng = np.random.default_rng(0)
    with TemporaryDirectory(dir=".") as directory:
        # what is loaded once is loaded before the count begins
        X, T = (rng.random((64, n), np.float32) for n in (2, 1))
        run(small, engine_of(engine_name, small), Rows(X, T, T, np.arange(64)), Path(directory))
        engine = engine_of(engine_name, plan)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
        before = resident("VmRSS")
        X, T = (rng.random((rows, n), np.float32) for n in (sizes[0], sizes[-1]))
        run(plan, engine, Rows(X, T, T, np.arange(rows)), Path(directory))
    held = X.nbytes + T.nbytes + 4 * plan.network.size * (1 + len(plan.optimizer.slots))
    return resident("VmHWM") - before, held / 2**20


def resident(which: str) -> float:
    """Megabytes of this process in memory: VmRSS now, VmHWM at the peak. Linux alone tells."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith(which)
    )
    return int(line.split()[1]) / 1024


def run(plan: TrainingPlan, engine: Engine, rows: "Rows", directory: Path) -> None:
    """Trains as `fit` does, with a checkpoint before the first update and after every epoch."""
    import numpy as np

    from bptrain.errors import Warned
    from bptrain.store import checkpoint
    from bptrain.training.events import EpochEnd
    from bptrain.training.rows import RowsOfArrays
    from bptrain.training.state import State
    from bptrain.training.trainer import Job, train

    source = RowsOfArrays(rows)
    job = Job(plan, engine, None, source, None, {}, 0, True, directory=directory)  # type: ignore[arg-type]
    optimizer_state = initial_optimizer_state(np.full(plan.network.size, 1e-3, np.float32), plan.optimizer)
    state = State(optimizer_state).kept(directory)
    del optimizer_state
    facts, file = checkpoint.Facts({}, {}, {}, {}, {}), directory / "checkpoint.safetensors"
    checkpoint.write(file, plan.network, plan.optimizer, facts, state)
    for event in train(job, state):
        state = event.state if not isinstance(event, Warned) else state
        if isinstance(event, EpochEnd):
            checkpoint.write(file, plan.network, plan.optimizer, facts, event.state)


def in_a_process(*arguments: object) -> tuple[float, float]:
    """`peak` in a new process."""
    with surroundings(1), multiprocessing.get_context("spawn").Pool(1) as pool:
        measured: tuple[float, float] = pool.apply(peak, arguments)
        return measured


def plot(found: dict[str, list[Point]], file: Path) -> None:
    """The sweeps as four log-log panels."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(4 * len(found), 3.6), layout="constrained")
    for panel, (name, points) in zip(panels, found.items(), strict=True):
        x = [point.value for point in points]
        for engine in ENGINES:
            panel.loglog(x, [point.engines[engine] for point in points], "o-", label=f"bptrain {engine}")
        panel.loglog(x, [point.limit for point in points], "k--", label="limit: products, memory")
        panel.set(xlabel=name, ylabel="µs per row" if panel is panels[0] else "")
        panel.grid(visible=True, which="major", alpha=0.3)
    panels[0].legend()
    figure.savefig(file, dpi=90)


def main() -> None:
    """Prints the tables in Markdown; draws and writes what it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with surroundings(1), multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(sweeps)
    for name, points in found.items():
        print(
            f"### Time per row against {name}\n\n| {name} | "
            + " | ".join(ENGINES)
            + " | limit | numba ÷ limit |"
        )
        print("| ---: " * (len(ENGINES) + 3) + "|")
        for value, limit, engines in points:
            figures = [short(engines[engine]) for engine in ENGINES]
            print(f"| {value} | {' | '.join(figures)} | {short(limit)} | {short(engines['numba'] / limit)} |")
        print()
    print(
        "### Peak memory\n\n| network | optimizer | rows | data + weights + slots, MB | numba, MB | numpy, MB |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    memory = []
    for sizes, optimizer, rows in MEMORY:
        peaks = {engine: in_a_process(engine, sizes, optimizer, rows) for engine in ENGINES}
        memory.append({"sizes": sizes, "optimizer": optimizer, "rows": rows, "peaks": peaks})
        title, held = "-".join(map(str, sizes)), peaks["numba"][1]
        used = " | ".join(f"{peaks[engine][0]:.0f}" for engine in ENGINES)
        print(f"| {title} | {optimizer} | {rows:,} | {held:.0f} | {used} |")
    print(f"\nMachine: {in_words(facts := machine())}")
    if options.plot is not None:
        plot(found, options.plot)
    if options.json is not None:
        report = {"machine": facts, "sweeps": found, "memory": memory}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

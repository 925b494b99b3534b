"""How many threads a run takes: from counts and from what the machine grants, never from timings.

OpenBLAS's threads wait for one another in busy loops, many times in each product: where other programs use the
processors too, every wait lasts until the scheduler turns to the thread that is waited for, and a product takes ten to
fifty times as long. So BLAS has one thread by default, and rows are shared out instead (`row_threads.py`), to threads
that wait asleep, once per update. oneDNN's threads (large float32 products of compiled loops) are OpenMP's, which wait
asleep where the command line has said so (`cli/entry.py`). Figures in docs/busy_machines.md.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bptrain.core.network import Network
from bptrain.engines.base import TrainingPlan
from bptrain.engines.blas import BLAS, blas_libraries

WORTH = 2**25  # multiply-adds of an update from which on sharing it out gains: about 0.4 ms on one thread
CGROUPS = Path("/sys/fs/cgroup")


def threads_for(plan: TrainingPlan, asked: int | None) -> int:
    """The threads of a run: as many as the config asks for; else all at hand, where its updates gain from them."""
    return asked or (threads_at_hand() if gains_from_threads(plan) else 1)


def gains_from_threads(plan: TrainingPlan) -> bool:
    """Whether an update is large enough to be shared out."""
    return update_work(plan.network, -(-plan.batch_size // plan.accumulate)) >= WORTH


def update_work(network: Network, rows: int) -> int:
    """Multiply-adds of an update's products: Z_i and dW_i of each layer, D_{i−1} of all but the first."""
    products = [a * b for a, b in zip(network.sizes, network.sizes[1:], strict=False)]
    return rows * (3 * sum(products) - products[0])


def threads_at_hand() -> int:
    """The processors that this process may use, but no more than the user has limited BLAS to.

    That is by OMP_NUM_THREADS and the like, or by threadpoolctl; of a BLAS that is not known, such as macOS's own, by
    the variables alone.
    """
    of_blas = BLAS.without_limits()
    if of_blas is None:
        said = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")]
        of_blas = min((int(count) for count in said if count.isdecimal() and int(count) > 0), default=None)
    return min(processors(), of_blas or processors())


def processors() -> int:
    """The processors that this process may use: those of its affinity, and no more than its cgroups' quotas pay for."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([granted, *cgroup_quotas(CGROUPS, Path("/proc/self/cgroup"))]))


def cgroup_quotas(root: Path, own: Path) -> Iterator[int]:
    """Processors that each control group above this process pays for, rounded up; nothing where there is no limit.

    Version 2 keeps "quota period" in cpu.max, version 1 each in a file of its own. A container sees its own group as
    the root.
    """
    try:
        lines = own.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        if line.count(":") < 2:
            continue
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, files = root, ["cpu.max"]
        elif "cpu" in controllers.split(","):
            base, files = root / "cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        group = base / path.lstrip("/")
        for place in [group, *group.parents]:
            if place != base and base not in place.parents:
                break
            try:
                quota, period = " ".join((place / file).read_text(encoding="ascii") for file in files).split()
                if quota != "max" and int(quota) > 0 and int(period) > 0:
                    yield -(-int(quota) // int(period))
            except (
                OSError,
                ValueError,
            ):  # a group without this file, or in another form: no limit that is known
                continue


@contextmanager
def limit_threads(blas: int, openmp: int) -> Iterator[None]:
    """Holds the products of BLAS, and those of OpenMP libraries in this thread, to that many threads."""
    from threadpoolctl import threadpool_limits

    with BLAS.limited(blas, blas_libraries()), threadpool_limits(openmp, user_api="openmp"):
        yield

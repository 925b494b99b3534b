"""Rows shared out among threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

Result = TypeVar("Result")


class Parts:
    """Rows in equal parts, one per thread, with BLAS limited to one thread in each.

    Element-wise loops run on one core. In threads of their own, parts of a large batch keep all cores busy with them,
    which BLAS, with threads in its products alone, does not.
    """

    def __init__(self, threads: int | None) -> None:
        from threadpoolctl import ThreadpoolController

        libraries = ThreadpoolController()
        self._blas, self._openmp = (libraries.select(user_api=api) for api in ("blas", "openmp"))
        at_hand = max((library["num_threads"] for library in self._blas.info()), default=1)
        self.threads = min(threads or at_hand, os.cpu_count() or 1)

    def run(self, work: Callable[[slice], Result], rows: int, least: int) -> list[Result]:
        """What `work` makes of each part, in order; a part has `least` rows or more."""
        parts = max(1, min(self.threads, rows // least))
        if parts == 1:
            return [work(slice(0, rows))]
        cuts = [rows * k // parts for k in range(parts + 1)]

        def alone(part: slice) -> Result:
            with self._openmp.limit(limits=1):  # which holds for one thread, as BLAS's limit does for all
                return work(part)

        with self._blas.limit(limits=1):
            return [*self._pool.map(alone, map(slice, cuts[:-1], cuts[1:]))]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads)

"""Rows shared out among threads."""

import os
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bptrain.engines.blas import BLAS, blas_libraries
from bptrain.parts.types import Array

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import ThreadpoolController

LEAST_PART = 32  # rows of a batch for a thread of their own; products of fewer are less efficient

Item = TypeVar("Item")
Result = TypeVar("Result")


def total(arrays: list[Array]) -> Array:
    """The sum of the arrays, in the first of them."""
    first, *others = arrays
    for other in others:
        first += other
    return first


class Parts:
    """Rows in equal parts, one per thread, with BLAS limited to one thread in each.

    Element-wise loops run on one core. In threads of their own, parts of a large batch keep all cores busy with them,
    which BLAS, with threads in its products alone, does not. A thread that has no work sleeps.
    """

    def __init__(self, threads: int) -> None:
        self.threads = min(threads, os.cpu_count() or 1)

    def of(self, rows: int, least: int) -> list[slice]:
        """The parts of so many rows, each of `least` rows or more."""
        parts = max(1, min(self.threads, rows // least))
        cuts = [rows * k // parts for k in range(parts + 1)]
        return list(map(slice, cuts[:-1], cuts[1:]))

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What `work` makes of each item, in order, at the same time."""
        items = list(items)
        if len(items) == 1:
            return [work(items[0])]
        settings = np.geterr()  # which are a thread's own

        def at_work(item: Item) -> Result:
            with np.errstate(**settings):
                return work(item)

        with BLAS.limited(1, self._blas):
            return [*self._pool.map(at_work, items)]

    def run(self, work: Callable[[slice], Result], rows: int, least: int) -> list[Result]:
        """What `work` makes of each part of so many rows, in order; a part has `least` rows or more."""
        return self.each(work, self.of(rows, least))

    @cached_property
    def _pool(self) -> "ThreadPoolExecutor":
        from concurrent.futures import ThreadPoolExecutor  # which most fits do without

        from threadpoolctl import ThreadpoolController

        openmp = ThreadpoolController().select(user_api="openmp")

        def alone() -> None:
            openmp.limit(limits=1)  # which holds for the thread that sets it

        return ThreadPoolExecutor(self.threads, initializer=alone)

    @cached_property
    def _blas(self) -> "ThreadpoolController":
        return blas_libraries()

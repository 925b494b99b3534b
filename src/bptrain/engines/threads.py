"""How many threads the products of an engine take."""

from contextlib import AbstractContextManager
from typing import Any


def limit_threads(threads: int | None) -> AbstractContextManager[Any]:
    """Holds the products to that many threads, those of OpenMP libraries too; None: to as many as BLAS has."""
    from threadpoolctl import threadpool_info, threadpool_limits

    of_blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    return threadpool_limits(threads or max(of_blas, default=None))

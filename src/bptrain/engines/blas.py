"""How many threads BLAS takes: one number for the whole process, whoever asks for a limit and from whichever thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


def blas_libraries() -> "ThreadpoolController":
    """Each BLAS that is loaded by now."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


class BlasThreads:
    """Limits that may overlap in any order, as those of two fits in two threads: the least of them holds.

    What was before the first comes back with the end of the last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: list[int] = []
        self._before: dict[str, tuple[Any, int]] = {}  # by file: a library, and its threads

    @contextmanager
    def limited(self, threads: int, libraries: "ThreadpoolController") -> Iterator[None]:
        """Holds these libraries to that many threads."""
        with self._lock:
            self._limits.append(threads)
            for library in libraries.lib_controllers:
                self._before.setdefault(library.filepath, (library, library.num_threads))
            self._hold()
        try:
            yield
        finally:
            with self._lock:
                self._limits.remove(threads)
                self._hold()
                if not self._limits:
                    self._before.clear()

    def _hold(self) -> None:
        for library, before in self._before.values():
            library.set_num_threads(min([before, *self._limits]) if self._limits else before)

    def without_limits(self) -> int | None:
        """The threads that BLAS takes where nobody limits it here; None where no BLAS is known."""
        with self._lock:
            before = [threads for _, threads in self._before.values()]
            return max(before or [one["num_threads"] for one in blas_libraries().info()], default=None)


BLAS = BlasThreads()

"""Where predictions go: to a file that appears when it is whole, or to stdout piece by piece."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bptrain.commands.predict.prediction_columns import OutColumn
from bptrain.commands.predict.prediction_files import Writer, prediction_formats
from bptrain.errors import DataError, Problem
from bptrain.formats.problems import some_of
from bptrain.store.atomic import storage, writing_atomically


class Output:
    """Rows of the same columns, from one source or from several."""

    def __init__(self, writer: Writer, shown: io.BytesIO | None) -> None:
        self._writer, self._shown = writer, shown
        self._names: list[str] | None = None
        self._first = ""

    def write(self, columns: Sequence[OutColumn], source: str) -> None:
        """The next rows. Raises DataError where they have other columns than those before."""
        names = [column.name for column in columns]
        if self._names is None:
            self._names, self._first = names, source
        elif names != self._names:
            others = some_of(set(names).symmetric_difference(self._names)) or "their order"
            message = f"its columns are not those of {self._first} ({others}): name those to keep"
            raise DataError(Problem("other_columns", message, file=source))
        self._writer.write(columns)

    def lines(self) -> str:
        """What was written to stdout since the last call."""
        if self._shown is None:
            return ""
        text = self._shown.getvalue().decode()
        self._shown.seek(0)
        self._shown.truncate()
        return text


@contextmanager
def open_output(path: Path | None, kind: str, gaps: bool, in_directory: bool = False) -> Iterator[Output]:
    """An output of a format, to a file or (None) to stdout; `gaps` is whether predictions may be empty.

    The directory of a file is made where the output is one of those `in_directory`. Raises StorageError.
    """
    make = prediction_formats.get(kind)().make
    if path is None:
        shown = io.BytesIO()
        yield Output(make(shown, gaps), shown)
        return
    if in_directory:
        with storage(path.parent, "make"):
            path.parent.mkdir(parents=True, exist_ok=True)
    with writing_atomically(path) as file:
        writer = make(file, gaps)
        try:
            yield Output(writer, None)
            writer.close()
        except BaseException:
            writer.abandon()
            raise

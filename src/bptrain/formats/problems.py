"""Problems in data: where a row stands, several problems raised together, and what was probably meant."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from bptrain.errors import DataError, Problem, short

if TYPE_CHECKING:
    from bptrain.parts.types import Array

LISTED = 10  # so many faulty cells are listed; of the others, only how many there are


class Origin(NamedTuple):
    """Where rows came from: enough to name one in a message."""

    file: str
    lines: "Array | None" = None  # line of each row, counted from 1; None where a file has no lines
    parts: tuple[
        tuple[int, str], ...
    ] = ()  # of several files: the first row of each, counted from 0, and the file
    notes: tuple[str, ...] = ()  # what was decided about how the file is written, in one line each
    begin: int = 0  # of a piece of a file: the number of its first row, counted from 0

    def file_of(self, row: int) -> str:
        """The file of a row, counted from 0."""
        last = bisect_right(self.parts, row, key=lambda part: part[0]) - 1
        return self.parts[last][1] if self.parts else self.file

    def place(self, row: int) -> str:
        """The place of a row, counted from 0, in words."""
        place = f"row {self.begin + row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{place} of {self.file_of(row)}" if self.parts else place

    def problem(self, code: str, row: int, message: str, suggestion: str | None = None) -> Problem:
        """A problem with one row, counted from 0."""
        if self.lines is not None:
            return Problem(
                code, message, file=self.file_of(row), line=int(self.lines[row]), suggestion=suggestion
            )
        return Problem(
            code, f"row {self.begin + row + 1}: {message}", file=self.file_of(row), suggestion=suggestion
        )


class UndeclaredConvention(DataError):
    """A table that may be read in two ways, where nobody has said which is meant."""

    def __init__(
        self, problems: Problem | Iterable[Problem], field: str = "", value: Any = None, why: str = ""
    ) -> None:
        super().__init__(problems)
        self.field, self.value, self.why = (
            field,
            value,
            why,
        )  # of Conventions; the likely value; a comment on it


class FaultyRows(DataError):
    """Cells of some rows are not what they must be; without these rows the data is sound in this respect."""

    def __init__(self, problems: Iterable[Problem], rows: Collection[int]) -> None:
        super().__init__(problems)
        self.rows = rows  # all of them, though only some problems are listed


class ErrorList:
    """Problems collected to be raised together; of a flood, the first few and a count."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.total = 0
        self._rows: set[int] = set()
        self._of_rows_alone = True

    def add(self, problem: Problem | Callable[[], Problem], row: int | None = None) -> None:
        """Note one problem, perhaps of one row, counted from 0.

        A function makes it only where it is listed, since a suggestion looks at all names.
        """
        self.total += 1
        if row is None:
            self._of_rows_alone = False
        else:
            self._rows.add(int(row))
        if len(self.problems) < LISTED:
            self.problems.append(problem if isinstance(problem, Problem) else problem())

    def add_rows(self, code: str, origin: Origin, rows: "Array", message: str) -> None:
        """Note the same problem for each of some rows."""
        room = LISTED - len(self.problems)
        self.problems += [origin.problem(code, int(row), message) for row in rows[:room]]
        self.total += len(rows)
        self._rows.update(rows.tolist())

    def raise_if_any(self, summary: str = "") -> None:
        """Raise DataError if there was any problem; `summary` helps where they are too many to list.

        It is FaultyRows where each problem is one of a row.
        """
        if self.total > len(self.problems):
            more = f"and {self.total - len(self.problems)} more like these" + (
                f" ({summary})" if summary else ""
            )
            self.problems.append(Problem(self.problems[-1].code, more, file=self.problems[-1].file))
        if self.problems and self._of_rows_alone:
            raise FaultyRows(self.problems, self._rows)
        if self.problems:
            raise DataError(self.problems)


def nearest(name: object, names: Iterable[object]) -> str | None:
    """The name that was probably meant."""
    from difflib import get_close_matches

    by_folded = {str(n).casefold(): str(n) for n in names}
    close = get_close_matches(str(name).casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def some_of(names: Iterable[object], most: int = 12) -> str:
    """The first names, for a message."""
    listed = [short(name) for name in names]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")

"""Several files as one table, their columns matched by name."""

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptrain.data.sheet_columns import texts_of
from bptrain.data.sources import Arrays, FileSource, read_table
from bptrain.data.spooled_table import all_texts
from bptrain.data.spooled_texts import SpooledTexts, end_to_end
from bptrain.data.storage import IN_MEMORY, Memory, Storage
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet, listed
from bptrain.formats.base import Cells
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.files import digest
from bptrain.formats.problems import ErrorList, Origin, some_of
from bptrain.formats.recognition import known_format
from bptrain.formats.typed_number import TypedNumber


class JoinedFiles(NamedTuple):
    """Files, or patterns of their names, whose rows follow one another; those of a pattern in the order of names."""

    patterns: tuple[Path, ...]
    conventions: Conventions = RECOGNIZED

    @property
    def name(self) -> str:
        """The names as they were given."""
        return some_of(self.patterns, 3)

    def files(self, key: str) -> list[Path]:
        """The files. Raises DataError for a pattern that no file matches, and for a file that is there twice."""
        found: dict[Path, None] = {}
        errors = ErrorList()
        for pattern in self.patterns:
            matching = [pattern]
            if is_pattern(pattern):
                matching = sorted(path for path in map(Path, glob.glob(str(pattern))) if path.is_file())
                if not matching:
                    errors.add(Problem("file_not_found", f"no file matches {pattern}", path=key))
            for path in matching:
                if path in found:
                    errors.add(Problem("duplicate_file", f"{path} is named twice", path=key))
                found[path] = None
        errors.raise_if_any()
        return list(found)

    def read(
        self,
        key: str,
        features: str | Sequence[str] = "all",
        target: str | Sequence[str] | None = None,
        weight: str | None = None,
        storage: Storage = IN_MEMORY,
    ) -> Sheet | Arrays:
        """All rows, the columns in the first file's order. Raises DataError where files differ in their columns."""
        files, sheets = self.files(key), []
        for path in files:
            form = known_format(path, key, self.conventions)
            if form.holds != "table":
                message = f"only {listed('table')} files can be several, and {path} is none"
                raise DataError(Problem("several_files", message, path=key))
            sheets.append(read_table(form, path, key, self.conventions, storage))
        return joined(self.name, sheets, storage)

    def for_columns(self, needed: tuple[str, ...]) -> "JoinedFiles":
        """The same for a trained model that reads these columns."""
        return self._replace(conventions=self.conventions._replace(needed=needed))

    def digests(self, role: str) -> dict[str, str]:
        """One digest over those of the files, in their order; of a single file, its own."""
        found = [digest(path, f"data.{role}") for path in self.files(f"data.{role}")]
        one = found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()
        return {role: one}


def is_pattern(path: Path) -> bool:
    """Whether a path is a pattern for others: it has a *, ? or [, and no file has this very name."""
    return glob.has_magic(str(path)) and not path.exists()


def source_of_paths(
    paths: Sequence[Path], target: Path | None = None, conventions: Conventions = RECOGNIZED
) -> FileSource | JoinedFiles:
    """A file, perhaps with one of targets; or several, given one by one or by a pattern."""
    if len(paths) == 1 and (target is not None or not is_pattern(paths[0])):
        return FileSource(paths[0], target, conventions)
    return JoinedFiles(tuple(paths), conventions)


def joined(name: str, sheets: Sequence[Sheet], storage: Storage = IN_MEMORY) -> Sheet:
    """Tables, one after the other. Raises DataError where they differ in their columns, which it lists."""
    first, errors = sheets[0], ErrorList()
    known = frozenset(first.names)
    for sheet in sheets[1:]:
        names = frozenset(sheet.names)
        lacking = [column for column in first.names if column not in names]
        more = [column for column in sheet.names if column not in known]
        if lacking or more:
            parts = [f"it lacks {some_of(lacking)}"] * bool(lacking) + [
                f"it has also {some_of(more)}"
            ] * bool(more)
            message = f"its columns are not those of {first.origin.file}: {' and '.join(parts)}"
            errors.add(Problem("other_columns", message, file=sheet.origin.file))
    errors.raise_if_any()
    if len(sheets) == 1:
        return first
    sizes = [len(sheet.cells[first.names[0]]) for sheet in sheets]
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    lines = [sheet.origin.lines for sheet in sheets]
    every = [one for one in lines if one is not None]
    origin = Origin(
        name,
        end_to_end(every, storage) if len(every) == len(lines) else None,
        tuple(zip(starts, (sheet.origin.file for sheet in sheets), strict=True)),
        tuple(dict.fromkeys(note for sheet in sheets for note in sheet.origin.notes)),
    )
    typed = frozenset.intersection(*(sheet.typed for sheet in sheets))
    cells = {
        n: _end_to_end([_cells(sheet, n, typed) for sheet in sheets], n in typed, storage)
        for n in first.names
    }
    return Sheet(origin, first.names, cells, first.conventions, typed=typed)


def _cells(sheet: Sheet, name: str, typed: frozenset[str]) -> Cells:
    """A column, whose numbers are typed one by one where only some files have it typed."""
    cells = sheet.cells[name]
    if name in typed or name not in sheet.typed or isinstance(cells, np.ndarray):
        return cells
    return cells if isinstance(cells, SpooledTexts) else [cell and TypedNumber(cell) for cell in cells]


def _end_to_end(parts: Sequence[Cells], typed: bool, storage: Storage) -> Cells:
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts):
        return end_to_end(arrays, storage)
    if not isinstance(storage, Memory):
        return SpooledTexts.below([all_texts(part, storage) for part in parts], storage, not typed)
    return [cell for part in parts for cell in texts_of(part)]

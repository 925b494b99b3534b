"""What `bptrain data inspect` does: the columns of a file as `init` and `fit` take them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.commands.init.config_text import (
    Lines,
    about_targets,
    aligned,
    exclude_lines,
    flow,
    missing_policies,
    scalar,
    stated_kind,
)
from bptrain.commands.init.draft import chosen_columns
from bptrain.commands.init.input_columns import InputCandidate, choose_inputs, what_they_make
from bptrain.commands.init.reading import StatedKey, declared_conventions, read_likely
from bptrain.data.joined_files import is_pattern, source_of_paths
from bptrain.data.profile import Column, Profile, profile
from bptrain.data.sources import FileSource
from bptrain.errors import DataError, Problem
from bptrain.formats import Format, NamedArrays
from bptrain.formats.conventions import Conventions
from bptrain.formats.recognition import known_format
from bptrain.store.plain import plain

KINDS = {"numbers": "numeric", "texts": "categorical", "booleans": "categorical"}  # as fit takes them


class InspectedData(NamedTuple):
    """A data file, column by column."""

    file: str
    profile: Profile
    targets: tuple[Column, ...]
    candidates: tuple[InputCandidate, ...]  # the columns of a table that are no targets
    keys: tuple[StatedKey, ...]  # that say how the file is written
    target_file: str | None = None  # of a file with one array

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        targets = {column.name for column in self.targets}
        why = {one.column.name: one.why_not for one in self.candidates}
        return {
            "file": self.file,
            "rows": self.profile.rows,
            "inputs": self.profile.width or sum(one.inputs for one in self.candidates),
            "keys": {key.name: key.value for key in self.keys},
            "columns": [
                {
                    **column_record(column),
                    "target": column.name in targets,
                    "excluded": why.get(column.name),
                }
                for column in self.profile.columns
            ],
            "yaml": "\n".join(yaml_lines(self)) + "\n",
        }


def column_record(column: Column) -> dict[str, Any]:
    """What a column is, in plain values."""
    numbers = column.kind == "numbers"
    return {
        "name": column.name,
        "kind": KINDS.get(column.kind, column.kind),
        "missing": column.missing,
        "distinct": column.distinct,
        "constant": column.distinct == 1,
        "low": plain(column.low) if numbers else None,
        "high": plain(column.high) if numbers else None,
        "levels": None if numbers else dict(column.counts),
    }


def inspect_data(file: Path, targets: Sequence[str], overrides: Sequence[str]) -> InspectedData:
    """The columns of a data file. Raises DataError, UsageError where the file needs another one of targets."""
    declared = declared_conventions(file, overrides)
    form = None if is_pattern(file) else known_format(file, "", declared)
    if form is not None and form.holds != "table":
        return of_arrays(file, form, targets, declared)
    found = read_likely(declared, lambda how: profile(source_of_paths([file], None, how)))
    wanted = chosen_columns(found, targets) if targets else ()
    learned = {column.name for column in wanted}
    others = [column for column in found.profile.columns if column.name not in learned]
    return InspectedData(str(file), found.profile, wanted, choose_inputs(others), found.keys)


def of_arrays(file: Path, form: Format, targets: Sequence[str], declared: Conventions) -> InspectedData:
    """A file of arrays, whose inputs have no names."""
    if form.holds == "array":
        if not targets:
            message = f"{file} holds only inputs: name the file of the targets with --target PATH"
            raise DataError(Problem("no_target", message))
        seen = profile(FileSource(file, Path(targets[0]), declared))
        return InspectedData(str(file), seen, seen.columns, (), (), targets[0])
    inside = form.read(file, "", declared)
    assert isinstance(inside, NamedArrays)
    seen = profile(FileSource(file, None, declared), *targets[:1])
    return InspectedData(str(file), seen, seen.columns, (), ())


def yaml_lines(found: InspectedData) -> list[str]:
    """The section `data` of a config, with the facts in comments."""
    return aligned(data_section(found))


def data_section(found: InspectedData) -> Lines:
    """The same, each line with its comment."""
    seen = found.profile
    yield "data:", ""
    if found.target_file is not None:
        files = flow({"inputs": found.file, "target": found.target_file})
        yield f"  train: {files}", f"{seen.rows:,} rows of {seen.width:,} inputs"
    else:
        of = "" if seen.is_table else f" of {seen.width:,} inputs"
        yield f"  train: {scalar(found.file)}", f"{seen.rows:,} rows{of}"
    if seen.is_table and not found.targets:
        yield "  # target: …", "name the column to predict"
    elif found.target_file is None:
        names = [column.name for column in found.targets]
        yield (
            f"  target: {scalar(names[0]) if len(names) == 1 else flow(names)}",
            about_targets(found.targets),
        )
    for key in found.keys:
        yield f"  {key.name}: {flow(key.value)}", key.why
    inputs = [one for one in found.candidates if one.why_not is None]
    if inputs:
        yield "  columns:", what_they_make(len(inputs), sum(one.inputs for one in inputs))
        for one in inputs:
            kind, why = stated_kind(one) or (KINDS[one.column.kind], one.about)
            yield f"    {scalar(one.column.name)}: {flow(kind)}", why
    yield from exclude_lines(found.candidates)
    policies, why = missing_policies(seen, found.targets, found.candidates)
    yield f"  missing: {policies}", why

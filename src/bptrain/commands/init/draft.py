"""A draft: what was found in a data file, and the choices for it."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bptrain.commands.init.choices import Choices, choose
from bptrain.commands.init.input_columns import FEW, InputCandidate, choose_inputs
from bptrain.commands.init.named_arrays import ArrayChoice, choose_arrays
from bptrain.commands.init.reading import FileReading, StatedKey, read_likely
from bptrain.commands.init.recipes import Effort
from bptrain.data.joined_files import is_pattern, source_of_paths
from bptrain.data.profile import Column, Profile, profile
from bptrain.data.sources import FileSource
from bptrain.errors import DataError, Problem, UsageError, short
from bptrain.formats import Format, Holds, NamedArrays, listed
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.problems import nearest, some_of
from bptrain.formats.recognition import known_format
from bptrain.formats.separators import not_separated

NOTHING: Mapping[str, Sequence[Path]] = MappingProxyType({})


class Draft(NamedTuple):
    """Everything that goes into the config of a data file."""

    profile: Profile
    data: str  # the path as the config has it
    target_file: str | None  # of idx and npy, likewise
    target_names: tuple[str, ...]  # columns, or the array of an npz; none where a file names it
    targets: tuple[Column, ...]
    candidates: tuple[InputCandidate, ...]
    choices: Choices
    keys: tuple[StatedKey, ...] = ()  # that say how the file is written
    arrays: ArrayChoice | None = None  # of an npz
    weight: str | None = None  # the column, or the array of an npz, that says what each row weighs
    other_files: Mapping[
        str, Any
    ] = {}  # role ("validation", "test") -> files of rows, as the config has them


def draft(
    data: Path,
    targets: Sequence[str],
    output: Path,
    task: str = "auto",
    declared: Conventions = RECOGNIZED,
    features: str | None = None,
    weight: str | None = None,
    more_rows: Mapping[str, Sequence[Path]] = NOTHING,
    effort: Effort = "standard",
) -> Draft:
    """The draft for a data file and its target: columns, an array (npz), or a path (idx, npy).

    `declared` is what is known of how it is written, `features` the array of the inputs, `weight` the column or the
    array that says what each row weighs, `more_rows` the files of validation and of test rows, `effort` how long may be
    trained. Raises DataError for a
    file that cannot be read, a target that cannot be learned or weights that are none, UsageError without a target.
    """
    form = None if is_pattern(data) else known_format(data, "", declared)
    keys: tuple[StatedKey, ...] = ()
    arrays: ArrayChoice | None = None
    if features is not None and (form is None or form.holds != "arrays"):
        message = f"--features names the array of the inputs in an {listed('arrays')} file; {data} is none"
        raise UsageError(Problem("features", message))
    if form is None or form.holds == "table":
        found = read_likely(
            declared, lambda how: profile(source_of_paths([data], None, how), targets=targets)
        )
        seen, keys = found.profile, found.keys
        wanted = chosen_columns(found, targets)
        learned = {column.name for column in wanted}
        if weight is not None:
            refuse_as_weight(weight, {column.name: column for column in seen.columns}, learned, data)
            learned.add(weight)
        others = [column for column in seen.columns if column.name not in learned]
        candidates, names, target_file = choose_inputs(others), tuple(column.name for column in wanted), None
    else:
        target_file = one_target(form, targets)
        files = FileSource(data, None if target_file is None else Path(target_file), declared)
        if target_file is None:
            inside = form.read(data, "", declared)
            assert isinstance(inside, NamedArrays)
            arrays = choose_arrays(inside.names, features, targets[0] if targets else None, str(data))
            seen = profile(files, arrays.target, arrays.features)
        else:
            seen = profile(files)
        keys = read_likely(declared, lambda _: seen).keys
        wanted, candidates = seen.columns, ()
        names = (arrays.target,) if arrays is not None and arrays.target != "y" else ()
    check(wanted, candidates, seen)
    holds = "table" if form is None else form.holds
    files_of = {role: files_of_role(role, paths, output, holds) for role, paths in more_rows.items()}
    if target_file is not None:
        target_file = as_written(Path(target_file), output)
    choices = choose(seen, wanted, candidates, task, effort, "validation" in files_of)
    return Draft(
        seen,
        as_written(data, output),
        target_file,
        names,
        wanted,
        candidates,
        choices,
        keys,
        arrays,
        weight,
        files_of,
    )


def files_of_role(role: str, paths: Sequence[Path], output: Path, holds: Holds) -> Any:
    """The files of validation or test rows as the config has them: a path, a list of tables, or inputs and targets.

    Raises UsageError where there are too few or too many for a format that holds this.
    """
    written = [as_written(path, output) for path in paths]
    if holds == "array":
        if len(written) != 2:
            message = (
                f"needs two files here, of the inputs and of the targets: --{role} INPUTS --{role} TARGETS"
            )
            raise UsageError(Problem("two_files", message, path=f"--{role}"))
        return {"inputs": written[0], "target": written[1]}
    if holds == "arrays" and len(written) != 1:
        message = f"names one {listed('arrays')} file, and only tables can be several"
        raise UsageError(Problem("several_files", message, path=f"--{role}"))
    return written if written[1:] else written[0]


def refuse_as_weight(name: str, columns: Mapping[str, Column], learned: Collection[str], data: Path) -> None:
    """Raises DataError where a column cannot say what rows weigh."""
    column = columns.get(name)
    why = None
    if column is None:
        why = f"there is no column {name!r}; the file has {some_of(columns, 100)}"
    elif name in learned:
        why = f"{name} is the target, so it cannot be the weight"
    elif column.kind != "numbers":
        why = f"the weight {name} must be numbers, but it holds {column.odd or column.kind}"
    elif column.low < 0:
        why = f"the weight {name} goes down to {short(column.low)}; weights are 0 or more"
    if why is not None:
        close = nearest(name, columns) if column is None else None
        raise DataError(Problem("weight", why, path="--weight", file=str(data), suggestion=close))


def as_written(path: Path, output: Path) -> str:
    """A path as a config at `output` has it: absolute where it was given so, else relative to the config."""
    if path.is_absolute():
        return str(path)
    return Path(os.path.relpath(path, output.parent)).as_posix()


def one_target(form: Format, targets: Sequence[str]) -> str | None:
    """The file of the targets of idx and npy; None where npz has them in an array of its own."""
    if len(targets) > 1:
        raise UsageError(Problem("several_targets", "array files have one target: give --target once"))
    if form.holds == "arrays":
        return None
    if not targets:
        message = "the file holds only inputs: name the file of the targets with --target PATH"
        raise UsageError(Problem("no_target", message))
    return targets[0]


def chosen_columns(found: FileReading, targets: Sequence[str]) -> tuple[Column, ...]:
    """The target columns, by name or, without a header, by place.

    Raises UsageError where none is given, DataError where one is not there.
    """
    seen = found.profile
    by_name = {column.name: column for column in seen.columns}
    header = next((key for key in found.keys if key.name == "header"), None)
    of_header = not_separated([*by_name])
    if header is not None and header.value is False:
        targets = [f"x{name}" if name.isdecimal() and name not in by_name else name for name in targets]
        why = header.why.partition(";")[0]
        of_header += f"; without a header ({why}; --set data.header=true reads that as names)"
    if not targets:
        message = f"no target: give --target COLUMN; the file has {some_of(by_name, 100)}{of_header}"
        raise UsageError(Problem("no_target", message, file=str(seen.path)))
    unknown = [
        Problem(
            "unknown_column",
            f"there is no column {name!r}; the file has {some_of(by_name, 100)}{of_header}",
            path="--target",
            file=str(seen.path),
            suggestion=nearest(name, by_name),
        )
        for name in targets
        if name not in by_name
    ]
    if unknown:
        raise DataError(unknown)
    return tuple(by_name[name] for name in dict.fromkeys(targets))


def check(targets: tuple[Column, ...], candidates: tuple[InputCandidate, ...], seen: Profile) -> None:
    """Raises DataError for targets that cannot be learned, and where no input is left."""
    for column in targets:
        reason = cannot_be_learned(column)
        if reason is not None:
            problem = Problem("target", f"{column.name} {reason}", path="--target", file=str(seen.path))
            raise DataError(problem)
    if seen.is_table and all(column.why_not for column in candidates):
        reasons = (
            "; ".join(f"{one.column.name}: {one.why_not}" for one in candidates) or "the target is alone"
        )
        raise DataError(
            Problem("no_features", f"no column is left as an input ({reasons})", file=str(seen.path))
        )


def cannot_be_learned(column: Column) -> str | None:
    """Why a target cannot be learned, the end of a sentence."""
    if column.kind == "empty":
        return "has no values"
    if column.kind == "mixed":
        return f"holds numbers, but {column.odd}: correct that"
    if column.distinct == 1:
        return f"is always {short(column.counts[0][0])}: there is nothing to learn"
    if column.kind == "texts" and column.distinct > FEW and column.distinct > column.present / 2:
        return (
            f"has {column.distinct:,} different texts in {column.present:,} rows; a class needs several rows: "
            "is another column meant?"
        )
    return None

"""Rules about the columns, the files and the splits of the data."""

from pathlib import Path

from bptrain.config.columns import ColumnConfig, FillConfig
from bptrain.config.data import DataConfig, Source
from bptrain.config.rules.base import BrokenRule, Found, KeyPath, listed_twice
from bptrain.config.rules.splits import split_column
from bptrain.config.schema import NetworkConfig
from bptrain.formats import holds, listed
from bptrain.formats.conventions import DELIMITERS

LOGARITHMS = ("log", "log1p")  # scalings of amounts: places in an order, days and truth are none


def target_is_given(data: DataConfig) -> Found:
    """`target` names columns, except where the targets have a file or an array of their own."""
    if isinstance(data.train, Source) and data.train.target is not None:
        if data.target is not None:
            message = (
                f"train already names the file with the targets ({data.train.target}): leave one of them out"
            )
            yield BrokenRule(("data", "target"), message)
    elif data.target is None and data.holds(data.train) not in ("arrays", "memory"):
        what = "the target column" if data.holds(data.train) == "table" else "the file with the targets"
        yield BrokenRule(("data", "target"), f"must be given: {what}", "missing_key")
    elif (
        data.target is not None and len(data.target) > 1 and data.holds(data.train) not in ("table", "memory")
    ):
        message = f"only a {listed('table')} file can have several targets: name one"
        yield BrokenRule(("data", "target"), message)
    for key in ("validation", "test"):
        source = getattr(data, key)
        if isinstance(source, Source) and source.target is None and data.holds(source) in ("array", None):
            message = "the file has no targets: write {inputs: PATH, target: PATH}"
            yield BrokenRule(("data", key), message, "missing_key")


def several_files_are_tables(data: DataConfig) -> Found:
    """Only tables can be joined, since their columns have names."""
    for key in ("train", "validation", "test"):
        source = getattr(data, key)
        if isinstance(source, Source) and source.inputs[1:]:
            yield from listed_twice(("data", key), source.inputs)
            kinds = [holds(name) if data.format is None else data.holds(source) for name in source.inputs]
            other = next(
                (name for name, kind in zip(source.inputs, kinds, strict=True) if kind != "table"), None
            )
            if other is not None or source.target is not None:
                what = f"only {listed('table')} files can be several" + (
                    f", and {other} is none" if other else ""
                )
                yield BrokenRule(("data", key), what)


def signs_differ(data: DataConfig) -> Found:
    """A character has one meaning in a table."""
    pairs = (("thousands", "decimal"), ("quote", "delimiter"), ("comment", "delimiter"), ("comment", "quote"))
    for key, other in pairs:
        sign, taken = getattr(data, key), getattr(data, other)
        if sign and sign == DELIMITERS.get(taken, taken):
            yield BrokenRule(("data", key), f"{other} is {taken!r} too: a character has one meaning")


def columns_have_one_role(data: DataConfig) -> Found:
    """A column is a target, a feature, or excluded."""
    targets = data.target or ()
    features = data.features if isinstance(data.features, tuple) else ()
    for key, names in (("target", targets), ("features", features), ("exclude", data.exclude)):
        yield from listed_twice(("data", key), names)
    learned, used = set(targets), set(features)
    for i, name in enumerate(features):
        if name in learned:
            yield BrokenRule(("data", "features", i), f"{name} is the target, so it cannot be a feature")
    for i, name in enumerate(data.exclude):
        if name in learned:
            yield BrokenRule(("data", "exclude", i), f"{name} is the target, so it cannot be excluded")
        elif name in used:
            yield BrokenRule(
                ("data", "exclude", i), f"{name} is also in features: remove it from one of the lists"
            )
    if isinstance(data.features, str) and data.features != "all" and data.holds(data.train) == "table":
        message = f"must be all or a list of columns for a {listed('table')} file, but is {data.features}"
        yield BrokenRule(("data", "features"), message, "wrong_choice", f"[{data.features}]")


def targets_fit_outputs(data: DataConfig, network: NetworkConfig) -> Found:
    """There is one output per target column."""
    outputs, targets = network.sizes[-1], len(data.target or ())
    if targets > 1 and outputs not in ("auto", targets) and data.holds(data.train) == "table":
        message = f"{targets} target columns need {targets} outputs, but the last size is {outputs}"
        yield BrokenRule(("network", "sizes", network.layers), message, suggestion=str(targets))


def weights_have_a_place(data: DataConfig) -> Found:
    """Sample weights are a column of a table, or an array of an NPZ file."""
    if data.weight is None:
        return
    form = data.holds(data.train)
    if form not in ("table", "arrays", "memory"):
        have = f"a column of a {listed('table')} file, or an array of an {listed('arrays')} file"
        message = f"sample weights must be {have}"
        yield BrokenRule(("data", "weight"), message)
    elif data.weight in (data.target or (("y",) if form == "arrays" else ())):
        yield BrokenRule(("data", "weight"), f"{data.weight} is the target, so it cannot be the weight")
    elif isinstance(data.features, tuple) and data.weight in data.features:
        message = f"{data.weight} is also in features: remove it there"
        yield BrokenRule(("data", "weight"), message)


def columns_have_their_keys(data: DataConfig) -> Found:
    """What is said of a column suits its kind."""
    targets = set(data.target or ())
    for name, column in data.columns.items():
        path, kind = ("data", "columns", name), column.meant
        if name in targets:
            yield from _kind_of_target(path, column)
            continue
        if name == data.weight:
            yield from _kind_of_weight(path, column)
            continue
        if kind == "ordinal" and column.order is None:
            yield BrokenRule(path, "an ordinal needs its levels: order: [lowest, …, highest]", "missing_key")
        elif column.order is not None:
            yield from listed_twice((*path, "order"), column.order)
        for key, of in (("order", "ordinal"), ("format", "datetime")):
            if getattr(column, key) is not None and kind != of:
                yield BrokenRule((*path, key), f"only a column of kind {of} has it, and this is {kind}")
        if column.scale is not None and kind in ("categorical", "text"):
            yield BrokenRule((*path, "scale"), f"only numbers are scaled, and this column is {kind}")
        elif column.scale is not None and column.scale.name in LOGARITHMS and kind not in (None, "numeric"):
            message = f"{column.scale.name} is a scaling of numbers, and this column is {kind}"
            yield BrokenRule((*path, "scale"), message)
        for key in column.of_categories if kind != "categorical" else ():
            message = f"only a column of kind categorical has it, and this is {kind}"
            yield BrokenRule((*path, key), message)
        if column.encode == "hash":
            for key in ("unknown", "min_count"):
                if getattr(column, key) is not None:
                    message = "a hash has a bucket for every category: leave it out"
                    yield BrokenRule((*path, key), message)
        elif column.buckets is not None:
            yield BrokenRule((*path, "buckets"), "only a hash has buckets: add encode: hash")


def _kind_of_target(path: KeyPath, column: ColumnConfig) -> Found:
    """A target has no preprocessing of inputs."""
    if column.kind not in (None, "numeric", "categorical", "boolean"):
        yield BrokenRule((*path, "kind"), f"a target is numeric, categorical or boolean, not {column.kind}")
    if column.scale is not None:
        yield BrokenRule((*path, "scale"), "this column is the target, which data.scale_target scales")
    for key in ("order", "format", *column.of_categories):
        if getattr(column, key) is not None:
            yield BrokenRule((*path, key), "this column is the target, and only inputs have it")


def _kind_of_weight(path: KeyPath, column: ColumnConfig) -> Found:
    """Weights are numbers, and no inputs."""
    if column.kind not in (None, "numeric"):
        yield BrokenRule((*path, "kind"), f"this column is data.weight, so it is numeric, not {column.kind}")
    for key in ("scale", "order", "format", *column.of_categories):
        if getattr(column, key) is not None:
            yield BrokenRule((*path, key), "this column is data.weight, and only inputs have it")


def missing_cells_are_of_columns_that_are_read(data: DataConfig) -> Found:
    """Inputs alone are filled, and rows dropped for columns that are read."""
    targets = data.target or (("y",) if data.holds(data.train) == "arrays" else ())
    for name, entry in data.missing.items() if isinstance(data.missing, dict) else ():
        path = ("data", "missing", name)
        role = "the target" if name in targets else "data.weight" if name == data.weight else None
        role = f"data.split.{data.split.by}" if name == split_column(data) else role
        if role is not None:
            if entry not in ("error", "drop"):
                message = f"this column is {role}, which is never filled: drop, or error"
                yield BrokenRule(path, message)
        elif entry != "error" and (why := _why_no_input(name, data)):
            yield BrokenRule(path, f"this column is no input ({why}): remove it here")


def _why_no_input(name: str, data: DataConfig) -> str | None:
    """Why a column is not read, where the config says that."""
    if name in data.exclude:
        return "data.exclude has it"
    if name in data.columns and data.columns[name].kind == "text":
        return f"data.columns.{name} is text"
    return (
        "data.features lacks it" if isinstance(data.features, tuple) and name not in data.features else None
    )


def constants_are_given(data: DataConfig) -> Found:
    """A cell is filled with a value where that is asked for."""
    for name, entry in data.missing.items() if isinstance(data.missing, dict) else ():
        path = ("data", "missing", name)
        if isinstance(entry, FillConfig) and entry.fill == "constant" and entry.value is None:
            yield BrokenRule(path, "fill: constant needs its value", "missing_key")
        elif isinstance(entry, FillConfig) and entry.fill != "constant" and entry.value is not None:
            message = f"fill: {entry.fill} finds its value itself: remove it, or write fill: constant"
            yield BrokenRule((*path, "value"), message)


def cache_needs_a_bound(data: DataConfig) -> Found:
    """Only data above a bound is converted."""
    if data.cache is not None and data.memory is None:
        message = (
            "converted data lies there, and without data.memory nothing is converted: add that, such as 200MB, "
            "or remove this key (by --set, data.cache=null)"
        )
        yield BrokenRule(("data", "cache"), message)


def cache_is_a_path(data: DataConfig) -> Found:
    """What a shell replaces would become the name of a directory, which is made."""
    parts = Path(data.cache or ".").parts
    left = [part for k, part in enumerate(parts) if part.startswith("$") or (k == 0 and part.startswith("~"))]
    if left:
        message = f"{left[0]} is not replaced here, as a shell does it: write out what it stands for"
        yield BrokenRule(("data", "cache"), message)


DATA = (
    target_is_given,
    several_files_are_tables,
    signs_differ,
    columns_have_one_role,
    targets_fit_outputs,
    weights_have_a_place,
    columns_have_their_keys,
    missing_cells_are_of_columns_that_are_read,
    constants_are_given,
    cache_needs_a_bound,
    cache_is_a_path,
)

"""Any supported file, or pair of files, to a table of the chosen columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bptrain.data.array_files import ArrayNames, feature_block, read_array, read_arrays, target_block
from bptrain.data.columns import Chooser
from bptrain.data.files import format_of
from bptrain.data.settings import Source
from bptrain.data.table import Block, Table, as_texts
from bptrain.data.text_files import block_of, read_sheet
from bptrain.errors import DataError, Problem


def array_names(
    features: str | Sequence[str], target: str | Sequence[str] | None, weight: str | None
) -> ArrayNames:
    """The arrays of an npz file that the keys of `data` mean. Raises DataError for several targets."""
    if target is not None and not isinstance(target, str):
        if len(target) != 1:
            message = "in an npz file the target is one array; several columns are one array of two axes"
            raise DataError(Problem("several_arrays", message, path="data.target"))
        target = target[0]
    name = features if isinstance(features, str) and features != "all" else "X"
    return ArrayNames(name, target or "y", weight)


def read(
    source: Source,
    key: str,
    choose: Chooser,
    features: str | Sequence[str] = "all",
    target: str | Sequence[str] | None = None,
    weight: str | None = None,
) -> Table:
    """The features and targets of a source, N rows each, and what the rows weigh.

    `key` is the config key that named the source, `choose` tells which columns are meant; an npz file has them in
    arrays of these names. Raises DataError.
    """
    kind = format_of(source.inputs, key)
    target_key = f"{key}.target" if key else ""
    if kind in ("csv", "tsv", "npz"):
        if source.target is not None:
            message = f"{source.inputs} holds its target itself, so it takes no file of targets beside it"
            raise DataError(Problem("two_targets", message, path=target_key))
        if kind == "npz":
            return _read_npz(source.inputs, key, choose, array_names(features, target, weight))
        return _read_sheet(source.inputs, key, choose)
    if source.target is None:
        message = f"{source.inputs} holds features alone; name the file of its targets"
        raise DataError(
            Problem("no_target", message, path="data.target" if key == "data.train" else target_key)
        )
    target_kind = format_of(source.target, target_key)
    if target_kind not in ("npy", "idx"):
        message = f"the targets of {source.inputs} must be an npy or idx file, not {source.target}"
        raise DataError(Problem("target_format", message, path=target_key))
    if key and isinstance(features, str) and features != "all":
        message = f"{source.inputs} is one array without a name, so there is none named {features}; use all"
        raise DataError(Problem("unknown_array", message, path="data.features", suggestion="all"))
    inputs = feature_block(read_array(source.inputs, kind, key), str(source.inputs))
    targets = target_block(read_array(source.target, target_kind, target_key), str(source.target))
    return _choose(inputs, targets, choose)


def _read_sheet(path: Path, key: str, choose: Chooser) -> Table:
    sheet = read_sheet(path, key)
    choice = choose(sheet.names, None)
    features = block_of(sheet, choice.features, choice.kinds, infer=choice.infer)
    target = block_of(sheet, choice.targets, choice.kinds, infer=choice.infer, target=True)
    if choice.weight is None:
        return Table(features, target)
    return Table(features, target, block_of(sheet, (choice.weight,), {choice.weight: "numeric"}, infer=True))


def _read_npz(path: Path, key: str, choose: Chooser, names: ArrayNames) -> Table:
    X, y, weight = read_arrays(path, names, key)
    block = feature_block(X, str(path), names.features)
    table = _choose(block, target_block(y, str(path), names.target), choose)
    if weight is None or names.weight is None:
        return table
    weights = feature_block(weight, str(path), names.weight)
    if weights.rows != block.rows or len(weights.names) != 1:
        message = f"{names.weight} must have a number a row, {block.rows}, but its shape is {weight.shape}"
        raise DataError(Problem("row_count", message, path="data.weight"))
    return table._replace(weight=weights)


def _choose(features: Block, target: Block, choose: Chooser) -> Table:
    """The chosen columns of two blocks. Raises DataError where they differ in rows."""
    if features.rows != target.rows:
        message = f"{target.rows} targets, but {features.rows} rows of features in {features.origin.file}"
        raise DataError(Problem("row_count", message, file=target.origin.file))
    choice = choose(features.names, target.names)
    return Table(
        pick(features, choice.features, choice.kinds, choice.infer), _settle_target(target, choice.kinds)
    )


def pick(block: Block, names: tuple[str, ...], kinds: Mapping[str, str], infer: bool) -> Block:
    """Some columns of a block of numbers, those that are declared categorical as texts.

    Raises DataError for a column without any value, where it is the file that settles the columns.
    """
    if infer:
        for name, mask in block.missing().items():
            if name in names and mask.all():
                message = f"column {name} has no value at all; list it in data.exclude"
                raise DataError(Problem("empty_column", message, file=block.origin.file))
    texts = {name: as_texts(block.number(name)) for name in names if kinds.get(name) == "categorical"}
    left = tuple(name for name in names if name not in texts)
    numbers = block.numbers
    if left != block.number_names:  # a copy, which a large matrix is spared
        places = {name: k for k, name in enumerate(block.number_names)}
        numbers = numbers[:, [places[name] for name in left]]
    return block._replace(names=names, numbers=numbers, number_names=left, texts=texts)


def _settle_target(block: Block, kinds: Mapping[str, str]) -> Block:
    """The target as the schema, or a declaration, has it.  Raises DataError for a mismatch."""
    for name, kind in kinds.items():
        if name in block.texts and kind != "categorical":
            wanted = "true or false" if kind == "boolean" else "numeric"
            message = f"the target {name} is {wanted}, but the array holds text"
            raise DataError(Problem("not_a_number", message, file=block.origin.file))
    return block

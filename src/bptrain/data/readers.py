"""A source to a table of the chosen columns."""

from collections.abc import Mapping, Sequence
from functools import partial

from bptrain.data.array_columns import block_without_markers, feature_block, target_block
from bptrain.data.column_roles import Chooser, ColumnRoles
from bptrain.data.sheet_columns import block_of
from bptrain.data.sources import Arrays, DataSource
from bptrain.data.split_columns import block_of_array, texts_block, times_block
from bptrain.data.storage import IN_MEMORY, Storage
from bptrain.data.table import ColumnBlock, Table, as_texts, chosen_columns
from bptrain.errors import DataError, Problem
from bptrain.formats import Sheet


def read(
    source: DataSource,
    key: str,
    choose: Chooser,
    features: str | Sequence[str] = "all",
    target: str | Sequence[str] | None = None,
    weight: str | None = None,
    storage: Storage = IN_MEMORY,
) -> Table:
    """The features and targets of a source, N rows each, and what the rows weigh; large arrays in `storage`.

    `key` is the config key that named the source, `choose` tells which columns are meant; a source of named arrays has
    them in arrays of these names. Raises DataError.
    """
    contents = source.read(key, features, target, weight, storage)
    if isinstance(contents, Sheet):
        return _of_sheet(contents, choose, storage)
    return _of_arrays(contents, choose, storage)


def _of_sheet(sheet: Sheet, choose: Chooser, storage: Storage) -> Table:
    if sheet.targets:
        names = [name for name in sheet.names if name not in sheet.targets]
        choice = choose(names, sheet.targets)
    else:
        choice = choose(sheet.names, None)
    read_as = partial(block_of, sheet, rules=choice.rules, storage=storage)
    features = read_as(choice.features, choice.kinds, infer=choice.infer)
    target = read_as(choice.targets, choice.kinds, infer=choice.infer, target=True)
    used = {*choice.features, *choice.targets, choice.weight}
    others = tuple(name for name in sheet.names if name not in used)
    weight = None
    if choice.weight is not None:
        infer = choice.weight not in choice.rules.notations
        weight = read_as((choice.weight,), {choice.weight: "numeric"}, infer=infer)
    return Table(features, target, weight, others, _split_of_sheet(sheet, choice, storage))


def _split_of_sheet(sheet: Sheet, choice: ColumnRoles, storage: Storage) -> ColumnBlock | None:
    """The column that splits the rows."""
    role = choice.split
    if role is None:
        return None
    if role.by == "time":
        return times_block(sheet, role.name, role.declared, choice.rules, storage)
    return texts_block(sheet, role.name, choice.rules, storage)


def _of_arrays(arrays: Arrays, choose: Chooser, storage: Storage) -> Table:
    names, (place, target_place) = arrays.names, arrays.places
    block = feature_block(arrays.X, place, names.features)._replace(storage=storage)
    target = target_block(arrays.y, target_place, names.target)._replace(storage=storage)
    table = _choose(block, target, choose)
    if arrays.weight is None or names.weight is None:
        return table
    weights = feature_block(arrays.weight, place, names.weight)
    if weights.rows != block.rows or len(weights.names) != 1:
        message = f"{names.weight} must have one number per row, {block.rows}, but its shape is {arrays.weight.shape}"
        raise DataError(Problem("row_count", message, path="data.weight"))
    return table._replace(weight=weights)


def _choose(features: ColumnBlock, target: ColumnBlock, choose: Chooser) -> Table:
    """The chosen columns of two blocks. Raises DataError where they differ in rows."""
    if features.rows != target.rows:
        message = f"{target.rows} targets, but {features.rows} rows of features in {features.origin.file}"
        raise DataError(Problem("row_count", message, file=target.origin.file))
    choice = choose(features.names, target.names)
    features, target = (block_without_markers(block, choice.rules) for block in (features, target))
    split = None if choice.split is None else block_of_array(features, choice.split.name, choice.split.by)
    return Table(
        pick(features, choice.features, choice.kinds, choice.infer),
        _settle_target(target, choice.kinds),
        split=split,
    )


def pick(block: ColumnBlock, names: tuple[str, ...], kinds: Mapping[str, str], infer: bool) -> ColumnBlock:
    """Some columns of a block of numbers, those that are declared categorical as texts.

    Raises DataError for a column without any value, where it is the file that settles the columns.
    """
    if infer:
        chosen = frozenset(names)
        for name, mask in block.missing():
            if name in chosen and mask.all():
                message = f"column {name} has no value at all; list it in data.exclude"
                raise DataError(Problem("empty_column", message, file=block.origin.file))
    places = {name: k for k, name in enumerate(block.number_names)}
    categorical = [name for name in names if kinds.get(name) == "categorical"]
    texts = {name: as_texts(block.numbers[:, places[name]], block.storage) for name in categorical}
    left = tuple(name for name in names if name not in texts)
    numbers = block.numbers
    if left != block.number_names:  # a copy, which a large matrix is spared
        numbers = chosen_columns(numbers, [places[name] for name in left], block.storage)
    return block._replace(names=names, numbers=numbers, number_names=left, texts=texts)


def _settle_target(block: ColumnBlock, kinds: Mapping[str, str]) -> ColumnBlock:
    """The target as the schema, or a declaration, has it.  Raises DataError for a mismatch."""
    for name, kind in kinds.items():
        if name in block.texts and kind != "categorical":
            wanted = "true or false" if kind == "boolean" else "numeric"
            message = f"the target {name} is {wanted}, but the array holds text"
            raise DataError(Problem("not_a_number", message, file=block.origin.file))
    return block

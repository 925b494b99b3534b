"""Rules about how rows are split."""

from bptrain.config.data import DataConfig
from bptrain.config.rules.base import BrokenRule, Found

SPLIT = ("data", "split")
WHY_IDLE = {  # way of splitting -> why a key does nothing beside it
    "column": "the column of data.split.column says which rows each split has",
    "group": "data.split.group draws whole groups",
    "time": "data.split.time takes rows in their order",
    "hash": "data.split.hash takes each row by its own text",
    "index": "the index file names the test rows",
}


def split_column(data: DataConfig) -> str | None:
    """The column that decides how rows are split."""
    return getattr(data.split, data.split.by) if data.split.by else None


def rows_are_split_in_one_way(data: DataConfig) -> Found:
    """One key says how; beside a fold or an index file `group` may stand, by which validation is cut from the rest."""
    for other in () if data.split.agree else data.split.ways[1:]:
        message = f"data.split.{data.split.ways[0]} says already how rows are split: leave one of the two out"
        yield BrokenRule((*SPLIT, other), message)


def keys_of_split_do_something(data: DataConfig) -> Found:
    """Keys that another one makes idle are not written, but for `stratify: auto`, which finds that out by itself."""
    split = data.split
    written = [key for key in type(split).model_fields if key in split.model_fields_set & split.idle]
    for key in written if split.agree else ():
        if key == "line":
            why = "there is no data.split.index"
        elif key == "test" and split.index is not None:
            why = WHY_IDLE["index"]
        elif key == "validation" and split.validation_fold is not None:
            why = "data.split.validation_fold is the validation set"
        else:
            why = WHY_IDLE.get(split.by, "with shuffle: false no row is drawn")
        if getattr(split, key) not in (None, "auto"):
            yield BrokenRule((*SPLIT, key), f"does nothing here, since {why}: remove it")


def files_leave_rows_to_split(data: DataConfig) -> Found:
    """A way of splitting has something to split off."""
    if data.split.index is not None and data.test is not None:
        message = "names test rows, and data.test is a file of test rows: leave one of the two out"
        yield BrokenRule((*SPLIT, "index"), message)
    elif data.split.by not in ("", "group") and data.validation is not None and data.test is not None:
        message = "data.validation and data.test are files, so no row is split off: remove it"
        yield BrokenRule((*SPLIT, data.split.by), message)
    elif data.split.by in ("time", "hash") and not any(data.shares):
        message = "validation and test are 0, so no row is split off: remove it"
        yield BrokenRule((*SPLIT, data.split.by), message)


def split_column_is_no_answer(data: DataConfig) -> Found:
    """The column that splits rows is neither the target nor the weight, and one of times is one of numbers or dates."""
    name = split_column(data)
    if name is None:
        return
    path = (*SPLIT, data.split.by)
    if name in (data.target or ()):
        yield BrokenRule(path, f"{name} is the target, so rows cannot be split by it")
    elif name == data.weight:
        yield BrokenRule(path, f"{name} is data.weight, so rows cannot be split by it")
    kind = data.columns[name].meant if name in data.columns else None
    if data.split.by == "time" and kind not in (None, "numeric", "datetime"):
        yield BrokenRule(path, f"needs dates or numbers, and data.columns says that {name} is {kind}")


def shares_leave_rows(data: DataConfig) -> Found:
    validation, test = data.shares
    if validation + test >= 1:
        message = (
            f"validation {validation:g} and test {test:g} leave no rows to train on: keep the sum below 1"
        )
        yield BrokenRule(SPLIT, message, "out_of_range")


def folds_have_their_rows(data: DataConfig) -> Found:
    """A fold is one of so many, and the test set."""
    split, path = data.split, (*SPLIT, "fold")
    if split.fold is None and split.folds is not None:
        message = (
            f"must be given beside folds: which of the {split.folds} is tested (`fit --folds` trains all)"
        )
        yield BrokenRule(path, message, "missing_key")
    elif split.fold is not None and split.folds is None:
        yield BrokenRule((*SPLIT, "folds"), f"must be given: fold {split.fold} of how many", "missing_key")
    elif split.fold is not None and split.folds is not None and split.fold > split.folds:
        yield BrokenRule(path, f"there are {split.folds} folds, and no fold {split.fold}", "out_of_range")
    if split.fold is not None and data.test is not None:
        message = "a fold is the test set: leave out data.test, or data.split.folds and data.split.fold"
        yield BrokenRule(("data", "test"), message)


def validation_folds_have_their_rows(data: DataConfig) -> Found:
    """A fold that validates is one of so many, of rows that nothing else divides into training and validation."""
    split, path = data.split, (*SPLIT, "validation_fold")
    k, folds = split.validation_fold, split.validation_folds
    if k is None and folds is not None:
        message = f"must be given beside validation_folds: which of the {folds} validates"
        yield BrokenRule(path, message, "missing_key")
    elif k is not None and folds is None:
        message = f"must be given: fold {k} of how many"
        yield BrokenRule((*SPLIT, "validation_folds"), message, "missing_key")
    elif k is not None and folds is not None and k > folds:
        yield BrokenRule(path, f"there are {folds} folds, and no fold {k}", "out_of_range")
    elif k is not None and data.validation is not None:
        message = "a fold is the validation set: leave out data.validation, or the validation folds"
        yield BrokenRule(("data", "validation"), message)
    elif k is not None and split.by not in ("", "group"):
        message = f"data.split.{split.by} says already which rows validate: leave one of the two out"
        yield BrokenRule(path, message)


def stratify_can_be_done(data: DataConfig, task: str) -> Found:
    if data.split.stratify is not True or "stratify" in data.split.idle:
        return
    if not data.split.shuffle:
        message = "stratify draws random rows of each class, which needs shuffle: true"
        yield BrokenRule((*SPLIT, "stratify"), message, suggestion="auto")
    elif task == "regression":
        message = "stratify needs classes, and the task is regression"
        yield BrokenRule((*SPLIT, "stratify"), message, suggestion="auto")


SPLITS = (
    rows_are_split_in_one_way,
    keys_of_split_do_something,
    files_leave_rows_to_split,
    split_column_is_no_answer,
    shares_leave_rows,
    folds_have_their_rows,
    validation_folds_have_their_rows,
    stratify_can_be_done,
)

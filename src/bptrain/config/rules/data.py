"""Rules about the columns, the files and the splits of the data."""

from bptrain.config.rules.base import Finding, Findings, listed_twice
from bptrain.config.schema import DataConfig, NetworkConfig, Source
from bptrain.formats import listed


def target_is_given(data: DataConfig) -> Findings:
    """`target` names columns, except where the targets have a file or an array of their own."""
    if isinstance(data.train, Source) and data.train.target is not None:
        if data.target is not None:
            message = f"train names the file of the targets already ({data.train.target}); leave one out"
            yield Finding(("data", "target"), message)
    elif data.target is None and data.train.holds not in ("arrays", "memory"):
        what = "the column to learn" if data.train.holds == "table" else "the file of the targets"
        yield Finding(("data", "target"), f"must be given: {what}", "missing_key")
    elif data.target is not None and len(data.target) > 1 and data.train.holds not in ("table", "memory"):
        have = listed("table", last=" and ")
        message = f"a list of targets is a list of columns, and only {have} have columns; name one target"
        yield Finding(("data", "target"), message)
    for key in ("validation", "test"):
        source = getattr(data, key)
        if isinstance(source, Source) and source.target is None and source.holds in ("array", None):
            message = "the file has no targets in it; write {inputs: PATH, target: PATH}"
            yield Finding(("data", key), message, "missing_key")


def columns_have_one_role(data: DataConfig) -> Findings:
    """A column is a target, a feature, or left out."""
    targets = data.target or ()
    features = data.features if isinstance(data.features, tuple) else ()
    for key, names in (("target", targets), ("features", features), ("exclude", data.exclude)):
        yield from listed_twice(("data", key), names)
    learned, used = set(targets), set(features)
    for i, name in enumerate(features):
        if name in learned:
            yield Finding(("data", "features", i), f"{name} is the target, which the network may not see")
    for i, name in enumerate(data.exclude):
        if name in learned:
            yield Finding(("data", "exclude", i), f"{name} is the target, so it cannot be left out")
        elif name in used:
            yield Finding(("data", "exclude", i), f"{name} is in features; leave it out of one of the lists")
    if isinstance(data.features, str) and data.features != "all" and data.train.holds == "table":
        message = (
            f"features of a {listed('table')} file are all, or a list of columns, but is {data.features}"
        )
        yield Finding(("data", "features"), message, "wrong_choice", f"[{data.features}]")


def shares_leave_rows(data: DataConfig) -> Findings:
    validation, test = data.shares
    if validation + test >= 1:
        message = (
            f"validation {validation:g} and test {test:g} leave no rows to train on: keep the sum below 1"
        )
        yield Finding(("data", "split"), message, "out_of_range")


def stratify_can_be_done(data: DataConfig, task: str) -> Findings:
    if data.split.stratify is True and not data.split.shuffle:
        message = "stratify draws rows of each class, which shuffle: false forbids"
        yield Finding(("data", "split", "stratify"), message, suggestion="auto")
    elif data.split.stratify is True and task == "regression":
        message = "stratify needs classes, and the task is regression"
        yield Finding(("data", "split", "stratify"), message, suggestion="auto")


def targets_fit_outputs(data: DataConfig, network: NetworkConfig) -> Findings:
    """Several target columns have one output each."""
    outputs, targets = network.sizes[-1], len(data.target or ())
    if targets > 1 and outputs not in ("auto", targets) and data.train.holds == "table":
        message = f"{targets} target columns need {targets} outputs, but the last size is {outputs}"
        yield Finding(("network", "sizes", network.layers), message, suggestion=str(targets))


DATA = (
    target_is_given,
    columns_have_one_role,
    shares_leave_rows,
    stratify_can_be_done,
    targets_fit_outputs,
)

"""What a rule says where its words depend on the case: the count, the kind and the value that are wrong."""

from pathlib import Path

import pytest

from config.helpers import GOOD, problems

VALUES = GOOD.replace("[tanh, softmax]", "[tanh, identity]").replace("cross_entropy", "half_squared_error")
NPY = VALUES.replace("iris.csv", "x.npy").replace("  target: species\n", "")

# (config, settings, path, part of the message, suggestion)
CASES: list[tuple[str, list[str], str, str, str | None]] = [
    (GOOD, ["network.bias=[true]"], "network.bias", "has 1 entry, but 3 sizes make 2 layers", None),
    (GOOD, ["network={sizes: [4, 3], activations: [tanh, softmax]}"], "network.activations",
     "has 2 entries, but 2 sizes make 1 layer;", None),
    (GOOD, ["optimizer.learning_rate=[1, 2, 3]"], "optimizer.learning_rate",
     "has 3 entries, but 3 sizes make 2 layers", None),
    (GOOD, ["network.dropout=[0.1]"], "network.dropout", "the list has 1 entry, but dropout takes 2", None),
    (GOOD, ["network.dropout=[0.1, 0.1, 0.1]"], "network.dropout", "the list has 3 entries", None),
    (GOOD, ["training={mode: sgd, batch_size: 4}"], "training.batch_size", "mode sgd uses one row per update", None),
    (GOOD, ["training={mode: batch, batch_size: 4}"], "training.batch_size",
     "mode batch uses all rows per update", None),
    (GOOD, ["metrics=[rmse]"], "metrics.0", "rmse is a metric for regression, but the task is classification", None),
    (VALUES, ["task=regression", "metrics=[rmse, accuracy]"], "metrics.1",
     "accuracy is a metric for classification, but the task is regression", None),
    (VALUES, ["metrics=[rmse, mae, rmse]"], "metrics.2", "rmse is listed twice", None),
    (VALUES.replace("  target: species\n", ""), [], "data.target", "must be given: the target column", None),
    (NPY, [], "data.target", "must be given: the file with the targets", None),
    (NPY.replace("x.npy", "x.npz"), ["data.target=[y, z]"], "data.target",
     "only a csv, tsv, jsonl, arrow, xlsx or parquet file can have several targets", None),
    (NPY.replace("x.npy", "{inputs: x.npy, target: y.npy}"), ["data.target=z"], "data.target",
     "train already names the file with the targets (y.npy)", None),
    (VALUES, ["data.validation=v.npy"], "data.validation", "the file has no targets: write", None),
    (VALUES, ["data.test=v.idx"], "data.test", "the file has no targets: write", None),
    (VALUES, ["data.features=[a, species]"], "data.features.1",
     "species is the target, so it cannot be a feature", None),
    (VALUES, ["data.exclude=[species]"], "data.exclude.0", "species is the target, so it cannot be excluded", None),
    (VALUES, ["data.features=[a, b]", "data.exclude=[b]"], "data.exclude.0", "b is also in features", None),
    (VALUES, ["data.features=a"], "data.features",
     "must be all or a list of columns for a csv, tsv, jsonl, arrow, xlsx or parquet file, but is a", "[a]"),
    (VALUES, ["data.target=[a, b]"], "network.sizes.2", "2 target columns need 2 outputs, but the last size is 3", "2"),
    (VALUES, ["data.split={validation: 0.5, test: 0.5}"], "data.split", "validation 0.5 and test 0.5 leave no", None),
    (VALUES, ["data.split={validation_folds: 5}"], "data.split.validation_fold", "which of the 5 validates", None),
    (VALUES, ["data.split={validation_fold: 5}"], "data.split.validation_folds", "fold 5 of how many", None),
    (VALUES, ["data.split={validation_fold: 6, validation_folds: 5}"], "data.split.validation_fold", "no fold 6", None),
    (VALUES, ["data.split={validation_fold: 1, validation_folds: 5}", "data.validation=v.csv"], "data.validation",
     "a fold is the validation set", None),
    (GOOD, ["data.split={time: a, validation_fold: 1, validation_folds: 5}"], "data.split.validation_fold",
     "data.split.time says already which rows validate", None),
    (VALUES, ["data.split={validation: 0.2, validation_fold: 1, validation_folds: 5}"], "data.split.validation",
     "does nothing here, since data.split.validation_fold is the validation set", None),
    (VALUES, ["data.split={folds: 5}"], "data.split.fold", "which of the 5 is tested", None),
    (VALUES, ["data.split={fold: 5}"], "data.split.folds", "fold 5 of how many", None),
    (VALUES, ["data.split={fold: 6, folds: 5}"], "data.split.fold", "there are 5 folds, and no fold 6", None),
    (VALUES, ["data.split={fold: 1, folds: 5}", "data.test=v.csv"], "data.test", "a fold is the test set", None),
    (GOOD, ["data.split={group: a, time: b}"], "data.split.time", "data.split.group says already how rows are", None),
    (GOOD, ["data.split={column: a, index: i.txt}"], "data.split.index", "data.split.column says already how", None),
    (GOOD, ["data.split={hash: a, fold: 1, folds: 5}"], "data.split.fold", "data.split.hash says already how", None),
    (GOOD, ["data.split={column: a, test: 0.1}"], "data.split.test",
     "does nothing here, since the column of data.split.column says which rows", None),
    (GOOD, ["data.split={column: a, validation: 0.1}"], "data.split.validation", "does nothing here, since", None),
    (GOOD, ["data.split={group: a, stratify: true}"], "data.split.stratify", "data.split.group draws whole", None),
    (GOOD, ["data.split={group: a, shuffle: false}"], "data.split.shuffle", "does nothing here, since", None),
    (GOOD, ["data.split={time: a, shuffle: true}"], "data.split.shuffle", "data.split.time takes rows in their", None),
    (GOOD, ["data.split={time: a, seed: 1}"], "data.split.seed", "does nothing here, since", None),
    (GOOD, ["data.split={hash: a, stratify: false}"], "data.split.stratify", "takes each row by its own text", None),
    (GOOD, ["data.split={index: i.txt, test: 0.1}"], "data.split.test", "the index file names the test rows", None),
    (GOOD, ["data.split={index: i.txt, shuffle: false, seed: 1}"], "data.split.seed",
     "with shuffle: false no row is drawn", None),
    (GOOD, ["data.split={shuffle: false, seed: 1}"], "data.split.seed", "with shuffle: false no row is drawn", None),
    (GOOD, ["data.split={line: 2}"], "data.split.line", "there is no data.split.index", None),
    (GOOD, ["data.split={group: a, index: i.txt, stratify: true}"], "data.split.stratify",
     "does nothing here, since data.split.group draws whole groups", None),
    (GOOD, ["data.split.index=i.txt", "data.test=v.csv"], "data.split.index", "data.test is a file of test rows", None),
    (GOOD, ["data.split.time=a", "data.test=v.csv", "data.validation=w.csv"], "data.split.time",
     "data.validation and data.test are files", None),
    (GOOD, ["data.split={hash: a, validation: 0, test: 0}"], "data.split.hash", "validation and test are 0", None),
    (GOOD, ["data.split.group=species"], "data.split.group", "species is the target, so rows cannot be split", None),
    (GOOD, ["data.split.hash=w", "data.weight=w"], "data.split.hash", "w is data.weight, so rows cannot be", None),
    (GOOD, ["data.split.time=a", "data.columns={a: categorical}"], "data.split.time",
     "needs dates or numbers, and data.columns says that a is categorical", None),
    (GOOD, ["data.split.group=a", "data.missing={a: median}"], "data.missing.a",
     "this column is data.split.group, which is never filled: drop, or error", None),
    (VALUES, ["task=regression", "data.split.stratify=true"], "data.split.stratify", "the task is regression", "auto"),
    (GOOD, ["data.split={shuffle: false, stratify: true}"], "data.split.stratify", "which needs shuffle: true", "auto"),
    (GOOD, ["network={sizes: [4, auto, 3]}"], "network.sizes.1", "only the first and the last size can be auto", None),
    (GOOD, ["network={sizes: [4, 8, 1]}"], "network.sizes.2", "at least two", None),
    (GOOD, ["network={sizes: [4, 1, 3], activations: [softmax, softmax]}"], "network.activations.0",
     "softmax of one unit is always 1", None),
    (GOOD, ["checkpoint.every={epochs: 1, seconds: 1}"], "checkpoint.every", "not both", None),
    (VALUES, ["task=classification", "data.scale_target=standard"], "data.scale_target", "classes are not scaled",
     "auto"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "settings", "path", "words", "suggestion"), CASES)
def test_words(
    text: str, settings: list[str], path: str, words: str, suggestion: str | None, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, text, settings)
    assert problem.path == path
    assert words in problem.message
    assert problem.suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (GOOD, ["network.bias=[true, false]", "network.dropout=[0.1, 0.2]"]),
        (GOOD, ["optimizer.learning_rate=[1, 2]", "network.sizes=[auto, 16, auto]"]),
        (GOOD, ["training={mode: minibatch, batch_size: 4}"]),
        (VALUES, ["metrics=[accuracy]"]),  # the data decide the task
        (VALUES, ["data.target=[a, b, c]"]),
        (VALUES, ["data.target=[a, b]", "network.sizes=[4, 16, auto]"]),
        (VALUES, ["data.features=[a, b]", "data.exclude=[c]"]),
        (VALUES, ["data.split={validation: 0.5, test: 0.49}"]),
        (VALUES, ["data.split.stratify=true"]),
        (GOOD, ["data.split={group: a, index: i.txt, line: 2, validation: 0.2, seed: 1}"]),
        (GOOD, ["data.split={group: a, fold: 1, folds: 3, stratify: auto, line: null}"]),
        (GOOD, ["data.split={hash: a, validation: 0.2, test: 0.1, seed: 1}"]),
        (GOOD, ["data.split={time: a, test: 0}", "data.columns={a: datetime}", "data.missing={a: drop}"]),
        (GOOD, ["data.split={column: a}", "data.exclude=[a]", "training.early_stopping={patience: 3}"]),
        (GOOD, ["data.split={group: a}", "data.validation=v.csv", "data.test=w.csv"]),
        (VALUES, ["data.validation=v.tsv.gz", "data.test={inputs: v.npy, target: w.npy}"]),
        (NPY.replace("x.npy", "x.npz"), ["data.features=a"]),
        (GOOD, ["network={sizes: [4, 1, 3]}"]),
        (VALUES, ["data.scale_target=standard"]),
    ],
)
def test_what_is_no_mistake(text: str, settings: list[str], tmp_path: Path) -> None:
    assert problems(tmp_path, text, settings) == []

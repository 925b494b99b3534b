"""Configs that are wrong, each with the code, line, key and suggestion of what is said about it."""

from pathlib import Path

import pytest

from bptrain.config import names_of_keys as names, suggest
from bptrain.errors import UsageError
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from config.helpers import GOOD, load, problems

HEAD = "data: {train: a.csv, target: y}\nnetwork: {sizes: [auto, 16, auto]}\nloss: cross_entropy\n"
NO_DATA = "network: {sizes: [2, 3, 1]}\nloss: half_squared_error\n"
NO_NETWORK = "data: {train: a.csv, target: y}\nloss: half_squared_error\n"
TABLE = NO_DATA + "data: {train: a.csv, target: y, "
NO_LOSS = "data: {train: a.csv, target: y}\nnetwork: {sizes: [2, 3, 1]}\n"

# (config, code, line, path, suggestion): the one problem of each.
BAD: list[tuple[str, str, int, str, str | None]] = [
    # unknown keys
    (HEAD + "lr: 0.1\n", "unknown_key", 4, "lr", "optimizer.learning_rate"),
    (HEAD + "epochs: 3\n", "unknown_key", 4, "epochs", "training.epochs"),
    (HEAD + "momentum: 0.9\n", "unknown_key", 4, "momentum", "optimizer: momentum"),
    (HEAD + "early_stopping: 3\n", "unknown_key", 4, "early_stopping", "training.early_stopping"),
    (HEAD + "optimiser: adam\n", "unknown_key", 4, "optimiser", "optimizer"),
    (HEAD + "random_state: 1\n", "unknown_key", 4, "random_state", "seed"),
    (HEAD + "training:\n  max_iter: 9\n", "unknown_key", 5, "training.max_iter", "epochs"),
    (HEAD + "training: {batchsize: 9}\n", "unknown_key", 4, "training.batchsize", "batch_size"),
    (HEAD + "training: {Epochs: 9}\n", "unknown_key", 4, "training.Epochs", "epochs"),
    (HEAD + "training: {learning_rate: 1}\n", "unknown_key", 4, "training.learning_rate",
     "optimizer.learning_rate"),
    (HEAD + "optimizer: {name: adam, lr: 1}\n", "unknown_key", 4, "optimizer.lr", "learning_rate"),
    (HEAD + "optimizer: {name: momentum, momentum: 0.5}\n", "unknown_key", 4, "optimizer.momentum", "mu"),
    (HEAD + "optimizer: {momentum: 0.5}\n", "unknown_key", 4, "optimizer.momentum", "name: momentum"),
    (HEAD + "optimizer: {name: adam, wd: 0.5}\n", "unknown_key", 4, "optimizer.wd", "weight_decay"),
    (HEAD + "schedule: {name: constant, floor: 0}\n", "unknown_key", 4, "schedule.floor", None),
    (NO_NETWORK + "network:\n  hidden_layer_sizes: [2, 1]\n  sizes: [2, 1]\n", "unknown_key", 4,
     "network.hidden_layer_sizes", "sizes"),
    (NO_NETWORK + "network:\n  sizes: [2, 1]\n  epochs: 3\n", "unknown_key", 5, "network.epochs",
     "training.epochs"),
    (NO_NETWORK + "network: {sizes: [2, 1], dropuot: 0.5}\n", "unknown_key", 3, "network.dropuot", "dropout"),
    (NO_DATA + "data: {train: a.csv, label: y, target: z}\n", "unknown_key", 3, "data.label", "target"),
    (NO_DATA + "data: {train: a.csv, target: z, test_size: 0.2}\n", "unknown_key", 3, "data.test_size",
     "data.split.test"),
    (NO_DATA + "data: {train: a.csv, target: z, split: {val: 0.2}}\n", "unknown_key", 3, "data.split.val",
     "validation"),
    (NO_LOSS + "loss: {name: half_squared_error, clas_weight: balanced}\n", "unknown_key", 3,
     "loss.clas_weight", "class_weight"),
    (HEAD + "checkpoint: {every: {steps: 3}}\n", "unknown_key", 4, "checkpoint.every.steps", None),
    # missing keys
    (NO_DATA, "missing_key", 1, "data.train", None),
    (NO_NETWORK, "missing_key", 1, "network.sizes", None),
    (NO_LOSS, "missing_key", 1, "loss", None),
    (NO_DATA + "data:\n  target: y\n", "missing_key", 3, "data.train", None),
    (NO_DATA + "data:\n", "missing_key", 3, "data.train", None),
    (NO_DATA + "data:\n  train: a.csv\n", "missing_key", 3, "data.target", None),
    (NO_DATA + "data:\n  train: a.csv.gz\n", "missing_key", 3, "data.target", None),
    (NO_DATA + "data:\n  train: t10k-images-idx3-ubyte.gz\n", "missing_key", 3, "data.target", None),
    (NO_DATA + "data: {train: x.npy, target: y.npy, test: z.npy}\n", "missing_key", 3, "data.test", None),
    (NO_LOSS + "loss:\n  reduction: sum\n", "missing_key", 3, "loss.name", None),
    # wrong choices
    (HEAD + "optimizer: sgd\n", "wrong_choice", 4, "optimizer", "gradient_descent"),
    (HEAD + "optimizer:\n  name: Adam\n", "wrong_choice", 5, "optimizer.name", "adam"),
    (HEAD + "schedule: cosine_annealing\n", "wrong_choice", 4, "schedule", "cosine"),
    (HEAD + "metrics: [accuracy, f2]\n", "wrong_choice", 4, "metrics.1", None),
    (HEAD + "metrics: [rsme]\n", "wrong_choice", 4, "metrics.0", "rmse"),
    (HEAD + "task: regresion\n", "wrong_choice", 4, "task", "regression"),
    (HEAD + "format: 2\n", "wrong_choice", 4, "format", None),
    (HEAD + "format: true\n", "wrong_choice", 4, "format", None),
    (HEAD + "training: {engine: numpi}\n", "wrong_choice", 4, "training.engine", "numpy"),
    (HEAD + "training: {mode: full}\n", "wrong_choice", 4, "training.mode", "batch"),
    (NO_LOSS + "loss: mse\n", "wrong_choice", 3, "loss", "mean_squared_error"),
    (NO_LOSS + "loss: bce\n", "wrong_choice", 3, "loss", "binary_cross_entropy"),
    (NO_LOSS + "loss: crossentropy\n", "wrong_choice", 3, "loss", "cross_entropy"),
    (NO_LOSS + "loss: {name: half_squared_error, reduction: avg}\n", "wrong_choice", 3, "loss.reduction",
     "mean"),
    (NO_NETWORK + "network: {sizes: [2, 1], activations: linear}\n", "wrong_choice", 3, "network.activations",
     "identity"),
    (NO_NETWORK + "network: {sizes: [2, 2, 1], activations: [logistic, identity]}\n", "wrong_choice", 3,
     "network.activations.0", "sigmoid"),
    (NO_NETWORK + "network: {sizes: [2, 1], initializer: xavier}\n", "wrong_choice", 3, "network.initializer",
     "glorot_uniform"),
    (NO_NETWORK + "network: {sizes: [2, 1], dtype: double}\n", "wrong_choice", 3, "network.dtype", "float64"),
    (TABLE + "missing: {a: skip}}\n", "wrong_choice", 3, "data.missing.a", "drop"),
    (TABLE + "columns: {a: text}}\n", "wrong_choice", 3, "data.columns.a", "categorical"),
    (TABLE + "scale: zscore}\n", "wrong_choice", 3, "data.scale", "standard"),
    # wrong types
    (NO_NETWORK + "network: {sizes: 16}\n", "wrong_type", 3, "network.sizes", "[16]"),
    (NO_NETWORK + "network: {sizes: [2, '16', 1]}\n", "wrong_type", 3, "network.sizes.1", "16"),
    (NO_NETWORK + "network: {sizes: [Auto, 1]}\n", "wrong_type", 3, "network.sizes.0", "auto"),
    (NO_NETWORK + "network: {sizes: [2, true]}\n", "wrong_type", 3, "network.sizes.1", None),
    (NO_NETWORK + "network: {sizes: [2, 1], bias: start}\n", "wrong_type", 3, "network.bias", None),
    (NO_NETWORK + "network: [2, 1]\n", "wrong_type", 3, "network", None),
    (NO_DATA + "data: {train: 5, target: y}\n", "wrong_type", 3, "data.train", None),
    (NO_DATA + "data: {train: '', target: y}\n", "wrong_type", 3, "data.train", None),
    (NO_DATA + "data: {train: a.csv, target: 2020}\n", "wrong_type", 3, "data.target", '"2020"'),
    (TABLE + "exclude: id}\n", "wrong_type", 3, "data.exclude", "[id]"),
    (TABLE + "split: {stratify: yes}}\n", "wrong_type", 3,
     "data.split.stratify", "true"),
    (HEAD + "training: {epochs: 1e3}\n", "wrong_type", 4, "training.epochs", "1000"),
    (HEAD + "training: {epochs: 2.5}\n", "wrong_type", 4, "training.epochs", None),
    (HEAD + "training: {shuffle: no}\n", "wrong_type", 4, "training.shuffle", "false"),
    (HEAD + "optimizer: {learning_rate: '0.1'}\n", "wrong_type", 4, "optimizer.learning_rate", "0.1"),
    (HEAD + "optimizer: {learning_rate: true}\n", "wrong_type", 4, "optimizer.learning_rate", None),
    (HEAD + "optimizer:\n", "wrong_type", 4, "optimizer", None),
    (HEAD + "checkpoint: {every: 5}\n", "wrong_type", 4, "checkpoint.every", None),
    # out of range
    (HEAD + "seed: -1\n", "out_of_range", 4, "seed", None),
    (HEAD + "seed: 9223372036854775808\n", "out_of_range", 4, "seed", None),
    (HEAD + "training:\n  epochs: 0\n", "out_of_range", 5, "training.epochs", None),
    (HEAD + "optimizer: {name: adam, beta1: 1}\n", "out_of_range", 4, "optimizer.beta1", None),
    (HEAD + "optimizer: {learning_rate: -0.1}\n", "out_of_range", 4, "optimizer.learning_rate", None),
    (HEAD + "optimizer: {learning_rate: [0.1, 0]}\n", "out_of_range", 4, "optimizer.learning_rate.1", None),
    (HEAD + "optimizer: {learning_rate: .inf}\n", "not_finite", 4, "optimizer.learning_rate", None),
    (HEAD + "optimizer: {learning_rate: 1e999}\n", "not_finite", 4, "optimizer.learning_rate", None),
    (NO_NETWORK + "network:\n  sizes: [2, 0, 1]\n", "out_of_range", 4, "network.sizes.1", None),
    (NO_NETWORK + "network: {sizes: [2]}\n", "wrong_length", 3, "network.sizes", None),
    (TABLE + "split: {test: 1}}\n", "out_of_range", 3, "data.split.test", None),
    (TABLE + "split: {test: 0.5, validation: 0.5}}\n", "out_of_range", 3,
     "data.split", None),
    (TABLE + "scale: {name: minmax, to: [1, 0]}}\n", "part_options", 3,
     "data.scale", None),
    (TABLE + "scale: {name: minmax, to: [0, 1, 2]}}\n", "wrong_length", 3,
     "data.scale.to", None),
    # rules between keys
    (NO_NETWORK + "network:\n  sizes: [2, 3, 1]\n  activations: [tanh]\n", "wrong_length", 5,
     "network.activations", None),
    (NO_NETWORK + "network: {sizes: [2, 3, 1], bias: [true]}\n", "wrong_length", 3, "network.bias", None),
    (HEAD + "optimizer: {learning_rate: [0.1]}\n", "wrong_length", 4, "optimizer.learning_rate", None),
    (NO_NETWORK + "network: {sizes: [2, auto, 1]}\n", "contradiction", 3, "network.sizes.1", None),
    (HEAD + "training: {mode: batch, batch_size: 8}\n", "contradiction", 4, "training.batch_size", None),
    (NO_LOSS + "loss: cross_entropy\n", "output_loss", 2, "network.sizes.2", None),
    ("data: {train: a.csv, target: y}\nloss: cross_entropy\nnetwork:\n  sizes: [2, 3, 3]\n"
     "  activations: [tanh, sigmoid]\n", "output_loss", 5, "network.activations.1", "softmax"),
    ("data: {train: a.csv, target: y}\nloss: binary_cross_entropy\nnetwork:\n  sizes: [2, 3, 3]\n"
     "  activations: [tanh, softmax]\n", "output_loss", 5, "network.activations.1", "sigmoid"),
    ("data: {train: a.csv, target: y}\nloss: binary_cross_entropy\nnetwork:\n  sizes: [2, 3, 3]\n"
     "  activations: relu\n", "output_loss", 5, "network.activations", "sigmoid"),
    (NO_NETWORK + "network: {sizes: [2, 3, 1], activations: [tanh, softmax]}\n", "contradiction", 3,
     "network.activations.1", None),
    (HEAD + "task: regression\n", "contradiction", 4, "task", "auto"),
    (HEAD + "metrics: rmse\n", "contradiction", 4, "metrics", None),
    (HEAD + "metrics: [accuracy, accuracy]\n", "duplicate", 4, "metrics.1", None),
    (NO_DATA + "task: classification\nmetrics: [accuracy, mae]\ndata: {train: a.csv, target: y}\n",
     "contradiction", 4, "metrics.1", None),
    (NO_DATA + "data: {train: {inputs: x.npy, target: y.npy}, target: y}\n", "contradiction", 3, "data.target",
     None),
    (NO_DATA + "data: {train: x.npy, target: [y.npy, z.npy]}\n", "contradiction", 3, "data.target", None),
    (TABLE + "exclude: [id, y]}\n", "contradiction", 3, "data.exclude.1", None),
    (TABLE + "features: [a, y]}\n", "contradiction", 3, "data.features.1", None),
    (TABLE + "features: [a, b], exclude: [b]}\n", "contradiction", 3,
     "data.exclude.0", None),
    (TABLE + "features: [a, a]}\n", "duplicate", 3, "data.features.1", None),
    (TABLE + "features: a}\n", "wrong_choice", 3, "data.features", "[a]"),
    (TABLE + "split: {stratify: true, shuffle: false}}\n", "contradiction", 3,
     "data.split.stratify", "auto"),
    (NO_DATA + "task: regression\ndata: {train: a.csv, target: y, split: {stratify: true}}\n", "contradiction",
     4, "data.split.stratify", "auto"),
    ("loss: cross_entropy\nnetwork: {sizes: [2, 3, 2]}\ndata:\n  train: a.csv\n  target: y\n"
     "  scale_target: standard\n", "contradiction", 6, "data.scale_target", "auto"),
    (NO_DATA + "data: {train: a.csv, target: [y, z]}\n", "contradiction", 1, "network.sizes.2", "2"),
    (HEAD + "checkpoint: {every: {epochs: 1, seconds: 2}}\n", "contradiction", 4, "checkpoint.every", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "path", "suggestion"), BAD)
def test_a_wrong_config_is_told_what_and_where(
    text: str, code: str, line: int, path: str, suggestion: str | None, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, text)
    assert (problem.code, problem.line, problem.path, problem.suggestion) == (code, line, path, suggestion)
    assert problem.file == str(tmp_path / "config.yaml")
    assert problem.source == text.splitlines()[line - 1]
    assert problem.column is not None
    assert 1 <= problem.column <= len(problem.source) + 1
    assert "Input should" not in problem.message


def test_the_table_has_one_good_config(tmp_path: Path) -> None:
    assert problems(tmp_path, HEAD) == []
    assert problems(tmp_path, GOOD) == []


def test_all_problems_are_said_at_once_from_the_top_down(tmp_path: Path) -> None:
    text = GOOD + "training: {mode: batch, batch_size: 8}\nseed: -1\nepochs: 3\ntask: regression\n"
    found = problems(tmp_path, text, ["checkpoint.keep=0"])
    assert [(p.line, p.path) for p in found] == [
        (9, "training.batch_size"), (10, "seed"), (11, "epochs"), (12, "task"), (None, "checkpoint.keep"),
    ]  # fmt: skip


def test_one_value_for_all_layers_is_complained_of_once(tmp_path: Path) -> None:
    text = NO_NETWORK + "network: {sizes: [2, 3, 3, 1], activations: {name: leaky_relu, slope: -1}}\n"
    assert [p.path for p in problems(tmp_path, text)] == ["network.activations.slope"]


def test_the_message_has_the_form_of_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(GOOD.replace("adam", "adamm"))
    from bptrain.config import load_config

    with pytest.raises(UsageError) as caught:
        load_config("c.yaml")
    assert str(caught.value) == (
        f'c.yaml:8:19: error: optimizer.name: "adamm" is not an optimizer: {", ".join(methods)}'
        " (did you mean adam?)"
    )
    assert caught.value.exit_code == 2


def test_a_problem_keeps_a_long_value_short(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD + f"task: {'x' * 5000}\n")
    assert len(problem.message) < 200


def test_load_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be given"):
        load(tmp_path, "seed: 1\n")


PARTS = (["optimizer"], ["loss"], ["schedule"])
BESIDE = {"reduction", "class_weight", "weight_decay", "warmup"}  # options that are no business of a factory


@pytest.mark.parametrize("key", sorted(names._KEYS))
def test_a_suggested_key_is_a_key(key: str) -> None:
    registries = (activations, initializers, losses, methods, metrics, scalers, schedules)
    options = {name for registry in registries for part in registry for name in registry.options(part)}
    *section, last = key.split(".")
    known = suggest.keys(tuple(section)) if section not in PARTS else options | BESIDE
    assert last in known or (not section and last in options | {"name"})

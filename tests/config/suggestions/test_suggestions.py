"""What was probably meant: slips of the pen, and the names of other tools."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bptrain.cli.application import application
from bptrain.config.suggestions import suggest
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.metrics import metrics
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from bptrain.registry import Registry
from config.bad_configs import HEAD
from config.helpers import problems

LETTERS = "abcdefghijklmnopqrstuvwxyz_"
# Where parts are named, and which additional options there are.
PARTS: dict[str, tuple[Registry[Any], tuple[str, ...]]] = {
    "optimizer": (methods, ("weight_decay",)),
    "loss": (losses, ("reduction", "class_weight")),
    "schedule": (schedules, ("warmup",)),
    "network.activations": (activations, ()),
    "network.initializer": (initializers, ()),
    "metrics.0": (metrics, ()),
    "data.scale": (scalers, ()),
}
CHOICES = [  # of keys that are no parts
    ("auto", "classification", "regression"), ("numeric", "categorical"), ("float32", "float64"), ("mean", "sum"),
    ("error", "mean", "median", "most_frequent", "drop"), ("sgd", "minibatch", "batch"), ("true", "false"),
    ("auto", "numpy", "numba"),
]  # fmt: skip


def slips(word: str) -> set[str]:
    """Every word that one letter too many, too few, another, or two that changed places, make of it."""
    places = range(len(word) + 1)
    more = {word[:i] + c + word[i:] for i in places for c in LETTERS}
    fewer = {word[:i] + word[i + 1 :] for i in places[:-1]}
    other = {word[:i] + c + word[i + 1 :] for i in places[:-1] for c in LETTERS}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-2]}
    return (more | fewer | other | swapped) - {word, ""}


def sections() -> Iterator[tuple[str, list[str]]]:
    """Each section of the schema, and its keys."""
    queue: list[tuple[str, ...]] = [()]
    for section in queue:
        if keys := suggest.keys(section):
            yield ".".join(section), keys
        queue += [(*section, key) for key in keys]


def test_slips_of_keys_are_recognized() -> None:
    right = total = 0
    beside = [
        (home, ["name", *registry.options(part), *more])
        for home, (registry, more) in PARTS.items()
        for part in registry
    ]
    for section, keys in [*sections(), *beside]:
        for key in keys:
            found = [suggest.key(slip, section, keys).key for slip in slips(key) - set(keys)]
            total += len(found)
            right += found.count(key)
    assert total > 100_000
    assert right / total >= 0.99


def test_slips_of_names_and_choices_are_recognized() -> None:
    right = total = 0
    for allowed in [*(list(registry) for registry, _ in PARTS.values()), *CHOICES]:
        for name in allowed:
            found = [suggest.value(slip, allowed) for slip in slips(name) - set(allowed)]
            total += len(found)
            right += found.count(name)
    assert total > 50_000
    assert right / total >= 0.99


def test_two_names_of_two_letters_with_another_letter_are_no_slips() -> None:
    assert suggest.value("f2", ["r2", "l2"]) is None
    assert suggest.key("l3", "training.penalty", ["l1", "l2"]).key is None
    assert suggest.value("fr2", ["r2"]) == suggest.value("2r", ["r2"]) == "r2"  # one too many; two swapped
    assert suggest.value("mue", ["mse"]) == "mse"


def test_of_several_slips_the_most_alike_is_meant() -> None:
    assert suggest.value("abxd", ["abcd", "abd"]) == "abd"
    assert suggest.value("abxd", ["abd", "abcd"]) == "abd"


def test_how_words_are_joined_does_not_matter() -> None:
    """Nor that another section has such a key, too."""
    for written in ("batch--size", "Batch - Size", "BATCH  SIZE"):
        assert suggest.key(written, "optimizer", ["epsilon", "batch_size"]) == ("batch_size", None)


def test_slips_are_recognized_in_a_config(tmp_path: Path) -> None:
    for key in ("data", "training", "optimizer", "checkpoint"):
        for slip in sorted(slips(key))[::97]:
            assert [p.suggestion for p in problems(tmp_path, f"{HEAD}{slip}: 1\n")] == [key]


# (a key of another tool, the section it was written in, what is suggested)
FOREIGN_KEYS = [
    # scikit-learn
    ("hidden_layer_sizes", "network", "sizes"), ("activation", "network", "activations"), ("solver", "", "optimizer"),
    ("max_iter", "", "training.epochs"), ("learning_rate_init", "", "optimizer.learning_rate"),
    ("random_state", "", "seed"), ("tol", "optimizer", None), ("max_fun", "lbfgs", "max_evaluations"),
    ("n_iter_no_change", "training.early_stopping", "patience"),
    ("validation_fraction", "data.split", "validation"), ("test_size", "data", "data.split.test"),
    ("n_jobs", "training", "threads"), ("scoring", "", "metrics"), ("warm_start", "", "--resume"),
    # Keras
    ("Dense", "network", "sizes"), ("units", "network", "sizes"), ("kernel_initializer", "network", "initializer"),
    ("use_bias", "network", "bias"), ("kernel_regularizer", "network", "training.penalty"),
    ("validation_split", "data.split", "validation"),
    ("restore_best_weights", "training.early_stopping", "restore_best"),
    ("clipnorm", "optimizer", "training.clip_norm"), ("global_clipnorm", "training", "clip_norm"),
    ("nb_epoch", "training", "epochs"), ("batchSize", "training", "batch_size"), ("beta_2", "adam", "beta2"),
    ("ema_momentum", "training.average", "decay"), ("EarlyStopping", "training", "early_stopping"),
    # PyTorch and Lightning
    ("lr", "", "optimizer.learning_rate"), ("lr", "adam", "learning_rate"), ("betas", "adam", "beta1"),
    ("eps", "adam", "epsilon"), ("wd", "adam", "weight_decay"), ("criterion", "", "loss"),
    ("lr_scheduler", "", "schedule"), ("num_workers", "training", "threads"), ("device", "training", "engine"),
    ("gradient_clip_val", "training", "clip_norm"), ("accumulate_grad_batches", "training", "accumulate"),
    ("in_features", "network", "sizes"), ("pos_weight", "loss", "class_weight"), ("amsgrad", "adam", "name: amsgrad"),
    # Ludwig
    ("trainer", "", "training"), ("output_features", "data", "target"), ("input_features", "data", "features"),
    ("combiner", "", "network"), ("early_stop", "training", "early_stopping"), ("fc_dropout", "network", "dropout"),
    ("regularization_lambda", "training", "training.penalty.l2"), ("preprocessing", "data", "scale"),
    # FANN
    ("desired_error", "training", "training.stop_at.loss"), ("num_neurons_hidden", "network", "sizes"),
    ("activation_function_hidden", "network", "activations"), ("learning_momentum", "momentum", "mu"),
    ("training_algorithm", "", "optimizer"), ("rprop_delta_max", "rprop", "step_max"),
    ("epochs_between_reports", "", "--verbose"),
    # Weka
    ("learningRate", "", "optimizer.learning_rate"), ("hiddenLayers", "network", "sizes"),
    ("trainingTime", "training", "epochs"), ("validationThreshold", "training.early_stopping", "patience"),
    ("normalizeAttributes", "data", "scale"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "section", "meant"), FOREIGN_KEYS)
def test_a_key_of_another_tool_is_known(wrong: str, section: str, meant: str | None) -> None:
    keys = suggest.keys(tuple(section.split("."))) if section else suggest.keys(())
    if section in methods:
        section, keys = "optimizer", ["name", *methods.options(section), "weight_decay"]
    elif section in PARTS:
        keys = ["name", "learning_rate", *PARTS[section][1]]
    assert suggest.key(wrong, section, keys).key == meant


# (a wrong key, the section it was written in, what is said of it)
REASONS = [
    ("max_iter", "training", "max_iter is called epochs here"),
    ("batch_sise", "training", None),  # a slip needs no words
    ("epochs", "", "epochs belongs under `training`"),
    ("batchSize", "", "batchSize belongs under `training`"),
    ("lr", "", "lr is called learning_rate here, and belongs under `optimizer`"),
    ("seed", "training", "seed belongs at the top of the config"),
    ("random_state", "training", "random_state is called seed here, and belongs at the top of the config"),
    ("adam", "", "adam belongs under `optimizer`"),
    ("adam", "optimizer", "adam is the name of another optimizer"),
    (
        "mu",
        "optimizer",
        f"mu is an option of {', '.join(part for part in methods if 'mu' in methods.options(part))}",
    ),
    ("beta1", "optimizer", "beta1 is an option of adam, adamw, amsgrad, adamax, …"),
    ("warm_start", "", "this is the option --resume of the command line"),
]


@pytest.mark.parametrize(("wrong", "section", "reason"), REASONS)
def test_why_a_key_is_suggested(wrong: str, section: str, reason: str | None) -> None:
    if section == "optimizer":
        keys = ["name", *methods.options("gradient_descent"), "weight_decay"]
    else:
        keys = suggest.keys((section,) if section else ())
    assert suggest.key(wrong, section, keys).reason == reason


FOREIGN_VALUES = [
    ("optimizer", "sgd", "gradient_descent"), ("optimizer", "torch.optim.Adam", "adam"),
    ("optimizer", "L-BFGS", "lbfgs"), ("optimizer", "FANN_TRAIN_RPROP", "rprop"), ("optimizer", "trainscg",
    "scaled_conjugate_gradient"), ("optimizer", "trainlm", "levenberg_marquardt"), ("optimizer", "RMSProp", "rmsprop"),
    ("loss", "mse", "mean_squared_error"), ("loss", "nn.MSELoss()", "mean_squared_error"), ("loss", "log_loss",
    "binary_cross_entropy"), ("loss", "sparse_categorical_crossentropy", "cross_entropy"),
    ("loss", "BCEWithLogitsLoss", "binary_cross_entropy"), ("loss", "mae", "absolute_error"),
    ("network.activations", "logistic", "sigmoid"), ("network.activations", "nn.LeakyReLU(0.1)", "leaky_relu"),
    ("network.activations", "FANN_SIGMOID_SYMMETRIC", "tanh"), ("network.activations", "linear", "identity"),
    ("network.activations", "swish", "silu"), ("network.activations", "logsig", "sigmoid"),
    ("network.initializer", "xavier", "glorot_uniform"), ("network.initializer", "kaiming_normal_", "he_normal"),
    ("schedule", "ReduceLROnPlateau", "reduce_on_plateau"), ("schedule", "CosineAnnealingLR", "cosine"),
    ("schedule", "invscaling", "inverse_time"), ("metrics.0", "acc", "accuracy"), ("metrics.0", "AUC", "roc_auc"),
    ("data.scale", "StandardScaler", "standard"), ("data.scale", "MinMaxScaler", "minmax"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "wrong", "meant"), FOREIGN_VALUES)
def test_a_name_of_another_tool_is_known(where: str, wrong: str, meant: str) -> None:
    assert suggest.value(wrong, PARTS[where][0]) == meant


FOREIGN: dict[str, dict[str, str]] = tomllib.loads(suggest.FOREIGN_NAMES.read_text(encoding="utf-8"))
OPTIONS = {  # of parts
    home: {"name", *beside}.union(*(registry.options(part) for part in registry))
    for home, (registry, beside) in PARTS.items()
}


def test_tables_of_foreign_names() -> None:
    assert list(FOREIGN) == ["keys", "options", "command_line", "values"]
    for table in FOREIGN.values():
        for meant, names in table.items():
            known = names.split()
            assert known, meant
            assert len(known) == len(set(known)), f"{meant} lists a name twice"


@pytest.mark.parametrize("key", FOREIGN["keys"])
def test_a_suggested_key_is_a_key(key: str) -> None:
    section, _, last = key.rpartition(".")
    assert last in OPTIONS.get(section, ()) or last in suggest.keys(
        tuple(section.split(".")) if section else ()
    )


@pytest.mark.parametrize("option", FOREIGN["options"])
def test_a_suggested_option_of_a_part_is_one(option: str) -> None:
    assert option in set().union(*OPTIONS.values())


@pytest.mark.parametrize("option", FOREIGN["command_line"])
def test_a_suggested_option_of_the_command_line_is_one(option: str) -> None:
    fit: Any = get_command(application())
    assert option in {text for parameter in fit.commands["fit"].params for text in parameter.opts}


def test_a_suggested_value_is_a_value() -> None:
    known = {name for registry, _ in PARTS.values() for name in registry}
    known |= {choice for choices in CHOICES for choice in choices}
    known |= {"auto", "balanced", "loss", "macro", "minus", "plus"}
    assert FOREIGN["values"].keys() <= known


def test_of_names_of_two_letters_one_is_no_slip_of_another() -> None:
    assert suggest.value("f2", ["r2"]) is None


def test_a_name_without_end_is_no_slip() -> None:
    assert suggest.key("e" * 5000, "training", ["epochs"]).key is None
    assert suggest.value("e" * 5000, ["epochs"]) is None

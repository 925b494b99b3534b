"""Keys of the objective and of what is done to the gradient: their forms, and where they are refused."""

from pathlib import Path

import pytest

from bptrain.build.network import build_network
from bptrain.build.training import build_plan
from bptrain.config import from_plain, to_plain
from bptrain.engines.base import GradientTransform
from config.helpers import GOOD, load, problems


def test_every_key_gets_where_it_belongs(tmp_path: Path) -> None:
    text = GOOD.replace("  activations", "  dropout: 0.25\n  activations").replace(
        "loss: cross_entropy", "loss: {name: cross_entropy, class_weight: {setosa: 2, virginica: 0.5}}"
    )
    text += (
        "training: {penalty: {l1: 0.1, l2: 0.2}, clip_norm: 1, clip_value: 2, max_norm: 3, noise: {std: 0.5}, "
        "accumulate: 4, batch_size: 8}\n"
    )
    config = load(tmp_path, text).config
    network = build_network(config, [4, 16, 3], "classification")
    assert (network.l1, network.l2, network.dropout) == (0.1, 0.2, (0.0, 0.25))
    assert network.masked == (1,)
    plan = build_plan(config, network, 100)
    assert plan.transform == GradientTransform(1.0, 2.0, (0.5, 0.55), 3.0)
    assert (plan.batch_size, plan.accumulate, plan.weighted) == (32, 4, True)
    assert config.loss.class_weight == {"setosa": 2, "virginica": 0.5}
    assert from_plain(to_plain(config), "again") == config


@pytest.mark.parametrize(
    ("written", "shares"),
    [("0.5", (0.0, 0.5)), ("[0.1, 0.2]", (0.1, 0.2)), ("0", ()), ("null", ()), ("[]", ())],
)
def test_dropout_of_one_value_is_that_of_the_hidden_layers(
    written: str, shares: tuple[float, ...], tmp_path: Path
) -> None:
    text = GOOD.replace("  activations", f"  dropout: {written}\n  activations")
    assert load(tmp_path, text).config.network.dropout == shares


REFUSED = {
    "three shares for two layers": ("network.dropout=[0.1, 0.2, 0.3]", "network.dropout", "takes 2"),
    "all units dropped": ("network.dropout=1.0", "network.dropout", "less than 1"),
    "accumulate in batch mode": (
        "training={mode: batch, accumulate: 2}",
        "training.accumulate",
        "mini-batches",
    ),
    "a negative penalty": ("training.penalty.l2=-1", "training.penalty.l2", "at least 0"),
    "no class weight": ("loss={name: cross_entropy, class_weight: heavy}", "loss.class_weight", "balanced"),
    "a negative class weight": (
        "loss={name: cross_entropy, class_weight: {setosa: -1}}",
        "loss.class_weight.setosa",
        "0 or more",
    ),
    "weights that cancel": ("training.mode=sgd data.weight=w", "data.weight", "cancels in the mean"),
    "class weights that cancel": (
        "training.mode=sgd loss={name: cross_entropy, class_weight: balanced}",
        "loss.class_weight",
        "cancels in the mean",
    ),
    "weights of batches of one": (
        "training.batch_size=1 data.weight=w",
        "data.weight",
        "cancels in the mean",
    ),
    "no hidden layer": (
        "network={sizes: [4, 3], dropout: 0.5}",
        "network.dropout",
        "no hidden layer",
    ),
    "the weight as a feature": ("data.weight=w data.features=[v, w]", "data.weight", "remove it there"),
    "the target as the weight": ("data.weight=species", "data.weight", "is the target"),
    "max_norm and average": ("training={max_norm: 1, average: {}}", "training.max_norm", "average"),
    "noise without a size": ("training.noise={decay: 1}", "training.noise.std", "must be given"),
    "dropout in a solver": (
        "optimizer=lbfgs training.mode=batch network.dropout=0.5",
        "network.dropout",
        "dropout changes it",
    ),
    "l1 in a solver": (
        "optimizer=lbfgs training={mode: batch, penalty: {l1: 0.1}}",
        "training.penalty.l1",
        "use l2",
    ),
    "clipping in a solver": (
        "optimizer=lbfgs training={mode: batch, clip_norm: 1}",
        "training.clip_norm",
        "leave it out",
    ),
    "weight decay in a solver": (
        "optimizer={name: lbfgs, weight_decay: 0.1} training.mode=batch",
        "optimizer.weight_decay",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_do_nothing_is_refused_at_its_key(name: str, tmp_path: Path) -> None:
    settings, path, said = REFUSED[name]
    overrides = _settings(settings)
    found = problems(tmp_path, GOOD, overrides)
    assert [problem.path for problem in found] == [path], found
    assert said in found[0].message


def _settings(text: str) -> list[str]:
    """`a=b c={d: e}` as settings, cut at the blanks before a key."""
    parts: list[str] = []
    for word in text.split(" "):
        if "=" in word:
            parts.append(word)
        else:
            parts[-1] += " " + word
    return parts


def test_weights_need_a_place(tmp_path: Path) -> None:
    text = GOOD.replace("iris.csv", "x.npy").replace("species", "y.npy") + "\n"
    found = problems(tmp_path, text, ["data.weight=w"])
    assert [problem.path for problem in found] == ["data.weight"]


def test_a_solver_takes_weights_and_l2(tmp_path: Path) -> None:
    overrides = ["optimizer=lbfgs", "training={mode: batch, penalty: {l2: 0.1}}", "data.weight=w"]
    assert not problems(tmp_path, GOOD, overrides)


def test_what_a_solver_does_not_have_is_not_suggested(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, ["optimizer={name: lbfgs, lr: 0.1}", "training.mode=batch"])
    assert (problem.path, problem.suggestion) == ("optimizer.lr", None)
    (problem,) = problems(tmp_path, GOOD, ["optimizer={name: adam, lr: 0.1}"])
    assert problem.suggestion == "learning_rate"


def test_labels_that_are_numbers_are_keys_of_class_weight(tmp_path: Path) -> None:
    text = GOOD.replace(
        "loss: cross_entropy", "loss: {name: cross_entropy, class_weight: {0: 2, 1: 0.5, true: 1}}"
    )
    assert load(tmp_path, text).config.loss.class_weight == {"0": 2, "1": 0.5, "true": 1}

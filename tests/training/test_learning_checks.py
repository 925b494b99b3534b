"""A network that learned nothing is named, with the cause in its numbers and the cure; one that learned is not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain as package
from bptrain.errors import WARNINGS
from bptrain.training.learning_checks import LEARNING_CHECKS
from command import Outcome, bptrain
from conftest import ROOT

NAMES = {check.name for check in LEARNING_CHECKS}


def named(record: Mapping[str, Any]) -> dict[str, str]:
    """The warnings of a fit or an evaluation about learning, by name."""
    return {one["name"]: one["message"] for one in record["warnings"] if one["name"] in NAMES}


def fitted(config: str, **overrides: Any) -> dict[str, Any]:
    """The JSON of a fit of a config that ships, with other settings (a__b for a.b)."""
    settings = {
        "training.engine": "numpy",
        **{key.replace("__", "."): value for key, value in overrides.items()},
    }
    return package.fit(ROOT / "configs" / f"{config}.yaml", settings).result


def evaluated(fit: Mapping[str, Any], *more: str) -> dict[str, str]:
    """What eval warns of."""
    return named(bptrain("eval", fit["run"], *more, "--json").json)


def table(file: str, rows: Any, target: Any) -> None:
    """Writes columns a, b, c, … and y."""
    head = ",".join([*"abcdefgh"[: rows.shape[1]], "y"])
    lines = [",".join([*map(repr, map(float, row)), str(y)]) for row, y in zip(rows, target, strict=True)]
    Path(file).write_text("\n".join([head, *lines, ""]))


def train(config: str, *arguments: object) -> Outcome:
    """Fits a config with the NumPy engine."""
    Path("c.yaml").write_text(config)
    return bptrain("fit", "c.yaml", "--set", "training.engine=numpy", *arguments)


def test_each_has_a_name_that_can_be_silenced(workplace: Path) -> None:
    assert set(WARNINGS) >= NAMES
    assert len(NAMES) == len(LEARNING_CHECKS)
    fit = fitted("iris", network__bias=-50, training__epochs=3, silence=sorted(NAMES))
    assert not named(fit)
    assert not evaluated(fit)


@pytest.mark.parametrize("config", ["iris", "digits"])  # hidden layers of tanh, of relu
def test_units_that_a_bias_silences(config: str, workplace: Path) -> None:
    fit = fitted(config, network__bias=-50, training__epochs=5)
    name, words = {
        "iris": (
            "saturated_units",
            "the slope of all 8 units of layer 1 (tanh) is at most 1 % of the steepest on all 106",
        ),
        "digits": (
            "dead_units",
            "all 64 units of layer 1 (relu) output 0 on all 629 rows looked at; the largest bias is -50",
        ),
    }[config]
    for found in (named(fit), evaluated(fit)):
        assert found.keys() >= {name, "no_better_than_baseline", "one_class_predicted"}
        assert "network.bias: 0" in found[name]
    assert words in named(fit)[name]
    assert words in named(fit)["no_better_than_baseline"]


def test_zeros(workplace: Path) -> None:
    found = named(fit := fitted("penguins", network__initializer="zeros"))
    assert found.keys() >= {
        "identical_units",
        "weights_unmoved",
        "no_better_than_baseline",
        "one_class_predicted",
    }
    assert (
        "as the initializer zeros made them, and act as one; use network.initializer: auto"
        in found["identical_units"]
    )
    assert "0.4423 on test (52 rows; baseline 0.4423)" in found["no_better_than_baseline"]
    assert (
        "Adelie is predicted for all 344 rows, of which 192 are something else"
        in found["one_class_predicted"]
    )
    assert (
        "of 52" in evaluated(fit)["one_class_predicted"]
        or "all 52 rows" in evaluated(fit)["one_class_predicted"]
    )
    relu = named(fitted("penguins", network__initializer="zeros", network__activations=["relu", "softmax"]))
    assert "its weights were 0 before the first update; use network.initializer: auto" in relu["dead_units"]
    assert "identical_units" in named(
        fitted("penguins", network__initializer="zeros", network__activations=["sigmoid", "softmax"])
    )


@pytest.mark.parametrize("config", ["iris", "wine", "digits", "linnerud"])
def test_a_rate_too_small(config: str, workplace: Path) -> None:
    fit = fitted(config, optimizer__learning_rate=1e-6)
    for found in (named(fit), evaluated(fit)):
        assert "the learning rate 1e-06 moved the weights by at most 0." in found["weights_unmoved"]
        assert "use a larger optimizer.learning_rate" in found["weights_unmoved"]


@pytest.mark.parametrize("config", ["iris", "penguins", "breast_cancer", "wine", "derivation"])
def test_a_rate_too_large(config: str, workplace: Path) -> None:
    """Which of them it is depends on the last bits of such a run."""
    fit = fitted(config, optimizer__learning_rate=1000)
    for found in (named(fit), evaluated(fit, "--split", "train")):
        assert found.keys() & {"saturated_units", "dead_units", "loss_not_falling", "no_better_than_baseline"}
        assert any("use a smaller optimizer.learning_rate than 1000" in message for message in found.values())


@pytest.mark.parametrize("config", ["iris", "penguins", "hinge"])
def test_five_layers_of_sigmoid(config: str, workplace: Path) -> None:
    last = "identity" if config == "hinge" else "softmax"
    deep = {"network.sizes": ["auto", 8, 8, 8, 8, 8, "auto"], "network.activations": ["sigmoid"] * 5 + [last]}
    if config == "hinge":
        deep["network.sizes"] = [30, 8, 8, 8, 8, 8, 1]
    fit = fitted(config, **deep)
    for found in (named(fit), evaluated(fit)):
        assert found.keys() >= {"no_better_than_baseline", "one_class_predicted"}
        assert (
            "in 5 layers of sigmoid; use relu or tanh in network.activations" in found["one_class_predicted"]
        )


@pytest.fixture
def unscaled(workplace: Path) -> str:
    """A config whose second input is of size 1e12."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    y = X @ [1, 2, -1, 0.5]
    X[:, 1] *= 1e12
    table("d.csv", X, y)
    table("k.csv", X, np.where(y > 0, "yes", "no"))
    return (
        "data: {train: d.csv, target: y, scale: none}\nnetwork: {sizes: [4, 8, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 20}\n"
    )


def test_an_input_of_another_size(unscaled: str) -> None:
    found = named(train(unscaled, "--json").json)
    assert "the input b goes up to 2.487e+12 in size; use data.scale: standard" in found["saturated_units"]
    linear = (
        unscaled.replace("d.csv", "k.csv")
        .replace("[4, 8, 1]", "[4, 2]")
        .replace("half_squared_error", "cross_entropy")
    )
    found = named(train(linear, "--json").json)
    assert "per row on" in found["huge_loss"]
    assert "the input b goes up to 2.487e+12 in size; use data.scale: standard" in found["huge_loss"]


def test_targets_of_another_size(line: Path) -> None:
    rows = "\n".join(f"{k},{1e7 * (k - 30)}" for k in range(40))
    Path("line.csv").write_text(f"x,y\n{rows}\n")
    unscaled = ("--set", "data.scale_target=none", "--set", "training.epochs=2", "--json")
    cure = "targets go up to 3e+08 in size; use data.scale_target: standard"
    assert cure in named(bptrain("fit", line, *unscaled).json)["huge_loss"]
    slow = named(bptrain("fit", line, "--set", "optimizer={name: adam, learning_rate: 0.1}", *unscaled).json)
    assert cure in slow["huge_loss"]
    assert cure in slow["no_better_than_baseline"]


def test_what_is_scaled_already_is_not_to_be_scaled(workplace: Path) -> None:
    """An input, or a target, that is far from all others in spite of its scale is one wrong cell."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X @ [1, 2]
    table("d.csv", X, y)
    config = "data: {train: d.csv, target: y}\nnetwork: {sizes: [2, 4, 1]}\nloss: half_squared_error\n"
    fit = train(f"{config}training: {{epochs: 5}}\n", "--json").json
    X[0, 1], y[1] = -1e12, 1e9
    table("other.csv", X, y)
    huge = evaluated(fit, "--data", "other.csv")["huge_loss"]
    assert huge.endswith("in size; look for cells of b that are far from the others")
    X[0, 1] = 0
    table("other.csv", X, y)
    huge = evaluated(fit, "--data", "other.csv")["huge_loss"]
    assert huge.endswith("in size; look for cells of y that are far from the others")


def test_counts_are_not_to_be_scaled(workplace: Path) -> None:
    """A cure that the loss does not allow is none."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    table("d.csv", rng.normal(size=(200, 2)), np.exp(6 + X[:, 0]).round())
    config = "data: {train: d.csv, target: y}\nnetwork: {sizes: [2, 4, 1], activations: [tanh, softplus]}\n"
    fit = train(f"{config}loss: poisson\ntraining: {{epochs: 200}}\n", "--json").json
    assert named(fit)
    assert "scale_target" not in json.dumps(fit["warnings"])


def test_inputs_that_say_nothing(workplace: Path) -> None:
    rng = np.random.default_rng(1)
    table("d.csv", rng.normal(size=(400, 3)), rng.normal(size=400))
    config = (
        "data: {train: d.csv, target: y}\nnetwork: {sizes: [3, 8, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 40}\n"
    )
    fit = train(config, "--json").json
    assert (
        "the inputs may say little about the target; look at data.features"
        in named(fit)["no_better_than_baseline"]
    )


def test_classes_that_are_rare(workplace: Path) -> None:
    """One class is predicted; where the loss weighs the rare one, rows count by that, and it is learned."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2))
    y = np.where(rng.random(1000) < 0.2 / (1 + np.exp(-X[:, 0])), "rare", "usual")
    table("d.csv", X, y)
    config = (
        "data: {train: d.csv, target: y}\nnetwork: {sizes: [2, 4, auto]}\nloss: cross_entropy\n"
        "training: {epochs: 40}\n"
    )
    found = named(train(config, "--json").json)
    assert found.keys() == {"no_better_than_baseline", "one_class_predicted"}
    assert "of the training rows are usual; use loss.class_weight: balanced" in found["one_class_predicted"]
    assert not named(train(config, "--set", "loss.class_weight=balanced", "--json").json)


def test_weights_of_rows_count(workplace: Path) -> None:
    """The rows that weigh nothing are those that a network learned."""
    y = ["one" if k % 2 else "two" for k in range(100)]
    table("d.csv", np.array([[k % 2, 1.0 if k < 60 else 0.0] for k in range(100)]), y)
    Path("e.csv").write_text(
        Path("d.csv").read_text().replace("one", "t").replace("two", "one").replace("t\n", "two\n")
    )
    config = (
        "data: {train: d.csv, target: y, weight: b, validation: e.csv, split: {test: 0}}\n"
        "network: {sizes: [1, 4, 2]}\nloss: cross_entropy\ntraining: {epochs: 40}\nsilence: [identical_rows]\n"
    )
    found = named(train(config, "--json").json)
    assert "the accuracy is no better than that of always" in found["no_better_than_baseline"]
    Path("e.csv").write_text(Path("d.csv").read_text())
    assert not named(train(config, "--set", "silence=[identical_rows,same_file]", "--json").json)


def test_last_words(iris: Path) -> None:
    """On stderr, behind the table and before the next command; again where a finished run is resumed, and by eval."""
    shown = bptrain("fit", iris, "--set", "network.bias=-50", "--out", "run")
    names = [line.rsplit("[", 1)[1][:-1] for line in shown.err.splitlines() if line.startswith("warning: ")]
    assert set(names) >= {"no_better_than_baseline", "one_class_predicted", "saturated_units"}
    last = shown.err.splitlines()[-1 - len(names) :]
    assert [line.startswith("warning: ") for line in last] == [True] * len(names) + [False]
    again = bptrain("fit", iris, "--set", "network.bias=-50", "--resume", "run")
    assert "this run is finished" in again.err
    assert [line for line in again.err.splitlines() if "warning: " in line] == last[:-1]
    assert "[one_class_predicted]" in bptrain("eval", "run").err
    kept = json.loads(Path("run", "run.json").read_text())["result"]["warnings"]
    assert [one["name"] for one in kept] == names


def test_a_network_that_has_just_begun_is_not_blamed(workplace: Path) -> None:
    """In one epoch of one update the best weights are those before it, which says nothing of the rate."""
    fit = fitted("xor", training__epochs=1)
    assert fit["best"]["epoch"] == 0
    assert named(fit).keys() == {"no_better_than_baseline"}
    assert "it has had 0 updates; use more training.epochs" in named(fit)["no_better_than_baseline"]


def test_small_steps_of_a_wide_network_are_steps(workplace: Path) -> None:
    """Each of many weights moves by little: the loss tells that they have."""
    wide = {"network.sizes": ["auto", 1024, "auto"], "optimizer.learning_rate": 3e-5}
    fit = fitted("digits", **wide, training__epochs=2)
    assert not named(fit)


def test_rows_that_are_easier_than_the_training_rows(workplace: Path) -> None:
    """What the loss of other rows was before the first update is no measure of the training loss."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    table("d.csv", X, X[:, 0] + rng.normal(size=200))
    table("easy.csv", np.zeros((20, 2)), np.zeros(20))
    config = (
        "data: {train: d.csv, target: y}\nnetwork: {sizes: [2, 4, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 20}\n"
    )
    fit = train(config, "--json").json
    assert not named(fit)
    assert "loss_not_falling" not in evaluated(fit, "--data", "easy.csv")


def test_what_an_evaluation_may_say_of_few_rows(workplace: Path) -> None:
    """Of fewer than five rows chance decides; one answer for rows of one class is right."""
    fit = fitted("iris", training__epochs=20)
    lines = (ROOT / "data" / "iris.csv").read_text().splitlines()
    Path("setosa.csv").write_text("\n".join([lines[0], *lines[1:21], ""]))
    assert not evaluated(fit, "--data", "setosa.csv")
    wrong = [line.replace("setosa", "virginica") for line in lines[1:5]]
    Path("few.csv").write_text("\n".join([lines[0], *wrong, ""]))
    assert not evaluated(fit, "--data", "few.csv")
    wrong = [line.replace("setosa", "virginica") for line in lines[1:21]]
    Path("many.csv").write_text("\n".join([lines[0], *wrong, ""]))
    found = evaluated(fit, "--data", "many.csv")
    assert found.keys() == {"no_better_than_baseline", "one_class_predicted"}
    assert (
        "setosa is predicted for all 20 rows, of which 20 are something else" in found["one_class_predicted"]
    )

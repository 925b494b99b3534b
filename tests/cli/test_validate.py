"""`bptrain validate`: what passes it starts training; what it refuses, fit refuses with the same words."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from bptrain.commands.validate.cost_model import in_words, rounded, size_in_words
from bptrain.console.validate import lines
from command import bptrain
from conftest import ROOT
from engines.installed import needs_compiler

CONFIGS = sorted(config for config in (ROOT / "configs").glob("*.yaml") if config.stem != "mnist")  # no data
TABLE = "\n".join(
    ["size,color,weight,kind,many,gap"]
    + [
        f"{k % 7}.5,{'rgb'[k % 3]},{k % 4 + 1},{'ab'[(k * 7) % 3 % 2]},{(k * 5) % 11},{k % 5 or ''}"
        for k in range(60)
    ]
)
LEAST: dict[str, Any] = {
    "data": {"train": "table.csv", "target": "kind", "exclude": ["gap"]},
    "network": {"sizes": ["auto", 3, "auto"]},
    "loss": "cross_entropy",
}


def config(place: Path, **changes: Any) -> Path:
    """The least config on a small table, with other values, by dotted key with __ for the dot."""
    (place / "table.csv").write_text(TABLE + "\n")
    made = yaml.safe_load(yaml.safe_dump(LEAST))
    for key, value in changes.items():
        *steps, last = key.split("__")
        section = made
        for step in steps:
            section = section.setdefault(step, {})
        section[last] = value
    file = place / "c.yaml"
    file.write_text(yaml.safe_dump(made))
    return file


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_config_that_ships_is_valid_and_trains_as_told(file: Path, workplace: Path) -> None:
    checked = bptrain("validate", file, "--json")
    assert checked.code == 0, checked.out
    assert list(workplace.iterdir()) == []
    fit = bptrain("fit", file, "--set", "training.epochs=1", "--json")
    told = checked.json
    assert fit.code == 0
    assert told["rows"].keys() == fit.json["best"]["loss"].keys()
    assert fit.json["steps"] == told["updates_per_epoch"]
    assert told["first_loss"] > 0
    assert (
        told["sizes"] == yaml.safe_load(Path(fit.json["run"], "config.yaml").read_text())["network"]["sizes"]
    )


REFUSED: list[tuple[str, int, dict[str, Any]]] = [
    ("an unknown key", 2, {"training__epoch": 3}),
    ("a rule between keys", 2, {"training": {"mode": "sgd", "batch_size": 3}}),
    ("no such file", 3, {"data__train": "tabel.csv"}),
    ("no such column", 3, {"data__target": "kinds"}),
    ("a missing cell", 3, {"data__exclude": []}),
    ("the wrong number of outputs", 3, {"network__sizes": ["auto", 3, 5]}),
    ("the wrong number of inputs", 3, {"network__sizes": [2, 3, "auto"]}),
    ("text for numbers", 3, {"task": "regression", "loss": "huber"}),
    ("a loss for other targets", 3, {"loss": "poisson"}),
    ("an unknown class", 3, {"loss": {"name": "cross_entropy", "class_weight": {"c": 2}}}),
    ("a metric of another task", 2, {"metrics": ["rmse"]}),
    ("a metric of probabilities", 2, {"loss": "squared_hinge", "metrics": ["log_loss"]}),
    ("a monitor that is none", 2, {"training__early_stopping": {"monitor": "f1"}}),
    ("no rows to watch", 3, {"training__early_stopping": {}, "data__split": {"validation": 0.001}}),
    (
        "a network too large for its solver",
        2,
        {
            "task": "classification",
            "optimizer": "levenberg_marquardt",
            "training__mode": "batch",
            "network__sizes": ["auto", 20_000, "auto"],
            "loss": "half_squared_error",
        },
    ),
    (
        "initial weights that overflow",
        4,
        {
            "network__initializer": {"name": "normal", "std": 1e38},
            "network__activations": ["relu", "identity"],
            "loss": "huber",
            "data__target": "size",
        },
    ),
]


@pytest.mark.parametrize(("what", "code", "changes"), REFUSED, ids=[what for what, _, _ in REFUSED])
def test_it_refuses_what_fit_refuses(what: str, code: int, changes: dict[str, Any], workplace: Path) -> None:
    file = config(workplace, **changes)
    checked, fit, dry = (
        bptrain(*line, "--json") for line in (("validate", file), ("fit", file), ("fit", file, "--dry-run"))
    )
    assert (checked.code, fit.code, dry.code) == (code, code, code)
    assert dry.json["errors"] == checked.json["errors"]
    if code != 4:  # where fit names the update, too
        assert checked.json["errors"] == fit.json["errors"]
        assert not (workplace / "runs").exists()


def test_it_refuses_no_more_than_fit(workplace: Path) -> None:
    """Infinite pre-activations of a tanh whose outputs, losses and gradients are finite."""
    file = config(workplace, network__initializer=[{"name": "normal", "std": 1e38}, "auto"])
    assert bptrain("validate", file).code == bptrain("fit", file, "--set", "training.epochs=1").code == 0


def test_what_cannot_be_compiled_is_refused_when_asked_for(workplace: Path) -> None:
    part = workplace / "part.py"
    part.write_text(
        "import numpy as np\nfrom bptrain.plugins import Activation, activations\n\n\n"
        '@activations.add("odd")\ndef odd() -> Activation:\n    """z."""\n'
        "    return Activation(lambda z: np.real_if_close(z), lambda z, x: 1.0 + 0.0 * z)\n"
    )
    file = config(workplace, network__activations=["odd", "softmax"], training__engine="numba")
    checked, fit = (bptrain(name, file, "--plugin", part, "--json") for name in ("validate", "fit"))
    assert checked.code == fit.code == 2
    assert checked.json["errors"] == fit.json["errors"]
    assert checked.json["errors"][0]["line"] is not None
    allowed = bptrain("validate", file, "--plugin", part, "--set", "training.engine=auto", "--json")
    assert (allowed.code, allowed.json["engine"]) == (0, "numpy")


@needs_compiler
def test_what_only_compiling_shows_is_shown(workplace: Path) -> None:
    """A schedule is handed to Numba as it stands, and this one holds a tuple of two kinds."""
    part = workplace / "part.py"
    part.write_text(
        "from bptrain.plugins import Schedule, schedules\n\n\n"
        '@schedules.add("by_text")\ndef by_text() -> Schedule:\n    """1."""\n\n'
        "    def factor(step: int, epoch: int, steps_per_epoch: int, epochs: int) -> float:\n"
        '        return float((1.0, "one")[step % 1])\n\n    return factor\n'
    )
    file = config(workplace, schedule="by_text", training__engine="numba")
    checked, fit = (bptrain(name, file, "--plugin", part, "--json") for name in ("validate", "fit"))
    assert (checked.code, fit.code) == (2, 2)
    assert checked.json["errors"] == fit.json["errors"]
    assert "Numba cannot compile" in checked.json["errors"][0]["message"]


CHOICES: dict[str, list[Any]] = {
    "data__target": ["kind", "color", "size", "many", ["size", "weight"], "weight"],
    "data__missing": ["error", "median", "drop"],
    "data__exclude": [[], ["gap"], ["gap", "color"]],
    "data__scale": ["standard", "none", "minmax"],
    "data__split": [{}, {"validation": 0, "test": 0}, {"stratify": True}, {"shuffle": False}],
    "network__sizes": [["auto", "auto"], ["auto", 3, "auto"], ["auto", 2, 1], ["auto", 4, 3, "auto"]],
    "network__activations": [None, "tanh", "relu", "softmax", "sigmoid"],
    "network__dropout": [None, 0.2],
    "loss": ["cross_entropy", "half_squared_error", "binary_cross_entropy", "hinge", "poisson", "huber"],
    "optimizer": ["gradient_descent", "adam", "rprop", "lbfgs", "levenberg_marquardt"],
    "training__mode": ["sgd", "minibatch", "batch"],
    "training__early_stopping": [None, {}, {"monitor": "accuracy"}],
    "metrics": ["auto", ["accuracy"], ["rmse"], ["roc_auc", "accuracy"]],
    "task": ["auto", "auto", "classification", "regression"],
}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_passes_starts_training(seed: int, workplace: Path) -> None:
    """Of configs put together at random, some valid."""
    chosen, passed = random.Random(seed), 0
    for _ in range(25):
        keys = chosen.sample(sorted(CHOICES), 4)
        file = config(workplace, **{key: chosen.choice(CHOICES[key]) for key in keys})
        arguments = (file, "--set", "training.epochs=1", "--json")
        checked, fit = bptrain("validate", *arguments), bptrain("fit", *arguments)
        assert checked.code == fit.code, (file.read_text(), checked.out, fit.out)
        assert checked.json.get("errors") == fit.json.get("errors")
        passed += checked.code == 0
    assert 5 <= passed <= 20


def test_the_summary(iris: Path) -> None:
    shown = bptrain("validate", iris)
    assert shown.code == 0
    assert shown.err == ""
    told = {line.split()[0]: line for line in shown.out.splitlines()}
    assert told["task"] == "task         classification (the target species is text: 3 classes)"
    assert (
        told["rows"]
        == "rows         106 train, 22 validation, 22 test (at random, in proportion to the classes)"
    )
    assert told["inputs"].startswith("inputs       4 from 4 columns: sepal_length")
    assert told["outputs"] == "outputs      3 for species: setosa, versicolor, virginica"
    assert told["network"] == "network      4 -> 6 -> 3, tanh, softmax, 51 parameters, float32"
    assert told["optimizer"] == "optimizer    gradient_descent, 4 updates per epoch, 6 epochs"
    assert told["engine"].startswith("engine       numpy (auto: ")
    assert shown.out.splitlines()[-1] == f"{iris}: valid"


def test_overrides_are_checked(iris: Path) -> None:
    wide = bptrain("validate", iris, "--set", "network.sizes=[4, 20, 3]", "--json")
    assert (wide.code, wide.json["parameters"]) == (0, 4 * 20 + 20 + 20 * 3 + 3)
    wrong = bptrain("validate", iris, "--set", "network.sizes=[5, 3]", "--json")
    assert wrong.code == 3
    assert bptrain("validate", iris, "--set", "training.lr=1").code == 2


def test_warnings_are_told_unless_silenced(workplace: Path) -> None:
    file = config(
        workplace, network__activations=["tanh", "softmax"], loss="half_squared_error", task="classification"
    )
    checked = bptrain("validate", file)
    assert checked.code == 0
    assert checked.err.startswith("warning: softmax with half_squared_error")
    assert checked.out.splitlines()[-1].endswith("valid, with 1 warning")
    (warning,) = bptrain("validate", file, "--json").json["warnings"]
    assert warning["name"] == "softmax_loss"
    silenced = bptrain("validate", file, "--set", "silence=[softmax_loss]")
    assert (silenced.code, silenced.err) == (0, "")


def test_the_loss_told_is_that_of_the_first_rows_by_what_they_weigh(workplace: Path) -> None:
    """Rows that weigh 0 do not count: with all others the same row, the loss is that row's."""
    rows = "x,y,v\n" + "1,2,0\n" * 3 + "5,7,1\n" * 37
    (workplace / "w.csv").write_text(rows)
    file = workplace / "w.yaml"
    file.write_text(
        "data: {train: w.csv, target: y, weight: v, scale: none, scale_target: none, "
        "split: {validation: 0, test: 0, shuffle: false}}\n"
        "network: {sizes: [1, 1], initializer: zeros}\nloss: half_squared_error\n"
    )
    assert bptrain("validate", file, "--json").json["first_loss"] == pytest.approx(49 / 2)


def test_estimates_come_from_counts(workplace: Path) -> None:
    def told(**changes: Any) -> Any:
        return bptrain("validate", config(workplace, **changes), "--json").json["estimate"]

    plain = told()
    assert plain == told()  # no clock in it
    more = told(training__mode="sgd")
    assert more["seconds_per_epoch"] > 5 * plain["seconds_per_epoch"]
    kinds = {"network__sizes": ["auto", 5_000, "auto"], "network__dtype": "float64", "training__mode": "sgd"}
    block = 8 * (6 * 5_000 + 5_000 + 5_000 * 2 + 2)
    wide = told(**kinds)["memory_bytes"]
    assert 4 * block < wide < 5 * block  # two states, the best weights, a gradient; little else
    assert 8 * block < told(**kinds, optimizer="adam")["memory_bytes"] < 9 * block  # two slots in each state


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123, "0.012"), (0.0456, "0.05"), (1.26, "1.3"), (9.4, "9"), (151.0, "150"), (2345.0, "2,000")],
)  # fmt: skip
def test_estimates_have_few_digits(value: float, text: str) -> None:
    assert rounded(value) == text


def test_estimates_in_words() -> None:
    assert in_words(0.0046) == "5 ms"
    assert in_words(17.2) == "17 s"
    assert in_words(600) == "10 min"
    assert size_in_words(3_400_000) == "3 MB"
    assert size_in_words(2_400_000_000) == "2 GB"


@pytest.mark.parametrize("width", [40, 80])
def test_it_is_readable_on_a_narrow_terminal(width: int) -> None:
    text = "inputs from many columns: " + ", ".join(f"column_{k}" for k in range(30))
    broken = lines("inputs", text, width)
    assert max(map(len, broken)) < width
    assert " ".join(" ".join(broken).split()) == f"inputs {text}"


def test_dry_run_tells_the_same(iris: Path) -> None:
    dry, checked = bptrain("fit", iris, "--dry-run"), bptrain("validate", iris)
    assert (dry.code, dry.out) == (0, checked.out)

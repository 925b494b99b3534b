"""Kinds of columns, scaling and targets from the command line: what init writes, what is refused and where."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from bptrain.config import load_config
from command import bptrain as command

NETWORK = "network: {sizes: [auto, 3, auto]}\n"
FIT = "training: {epochs: 2, engine: numpy}\noptimizer: adam\n"


def config(data: str, target: str = "y", loss: str = "half_squared_error", more: str = "") -> Path:
    text = f"data:\n  train: {data}\n  target: {target}\n{more}{NETWORK}loss: {loss}\n{FIT}"
    Path("c.yaml").write_text(text)
    return Path("c.yaml")


def goods(rows: int = 80) -> Path:
    lines = ["day,size,color,price,y"]
    for k in range(rows):
        price = "" if k % 9 == 4 else f"{10 ** (k % 5)}"
        lines.append(
            f"2021-0{1 + k % 3}-{10 + k % 19},{['S', 'M', 'L'][k % 3]},{'rgb'[k % 3]},{price},{k % 7 * 1.5}"
        )
    Path("goods.csv").write_text("\n".join(lines) + "\n")
    return Path("goods.csv")


KINDS = """\
  columns:
    size: {kind: ordinal, order: [S, M, L]}
    color: {unknown: bucket, min_count: 2}
    price: {scale: log1p}
  missing: {price: {fill: median, indicator: true}}
  scale_target: log1p
"""


def test_every_command_takes_them(workplace: Path) -> None:
    file = config(str(goods()), more=KINDS)
    checked = command("validate", file)
    assert checked.code == 0, checked.err
    assert "dates        day (year, month, day); to read one otherwise" in checked.out
    assert "kinds        day datetime, size ordinal\n" in checked.out
    told = command("validate", file, "--json").json
    assert dict(zip(told["features"], told["kinds"], strict=True)) == {
        "day": "datetime", "size": "ordinal", "color": "categorical", "price": "numeric"
    }  # fmt: skip
    page = command("explain", file).out
    assert "price is scaled by log1p: (ln(1 + value) − mean) / standard deviation" in page
    assert "t is scaled: ln of 1 + the number in the data − " in page
    for words in (
        "the place of the level in its order",
        "sine and cosine of the angle in the week",
        "one more input, 1 where",
    ):
        assert words in page
    fit = command("fit", file, "--json")
    assert fit.code == 0, fit.err
    run = fit.json["run"]
    seen = command("inspect", run).out
    assert "scaled after log1p; one input more, 1 where a cell is missing" in seen
    assert "dates, year, month, day; its place in the year, week" in seen
    assert command("inspect", run, "--json").json["schema"]["features"]["columns"]["size"] == {
        "kind": "ordinal"
    }
    assert command("gradcheck", run, "--json").json["ok"]
    whole = command("eval", run, "--data", "goods.csv", "--json").json
    assert whole["rows"] == 80
    model = bptrain.load(run)
    rows = {"day": ["2021-01-15"], "size": ["M"], "color": ["r"], "price": [100]}
    assert model.predict(rows).shape == (1, 1)
    assert (model.predict(rows) > -1).all()  # predictions are in the target's own units
    more = command("fit", file, "--resume", run, "--set", "training.epochs=3", "--json")
    assert more.code == 0, more.err


@pytest.mark.parametrize(
    ("activations", "place"), [("[tanh, softmax]", "6:23"), ("[relu, softmax]", "6:23"), ("softmax", "6:16")]
)
def test_the_place_of_a_size_that_turns_out_wrong(activations: str, place: str, workplace: Path) -> None:
    """C18: one target column makes one output, and a softmax of one unit is always 1."""
    text = "data:\n  train: goods.csv\n  target: y\nnetwork:\n  sizes: [auto, 8, auto]\n"
    goods(rows=4)
    Path("c.yaml").write_text(f"{text}  activations: {activations}\nloss: half_squared_error\n")
    for name in ("fit", "validate"):
        refused = command(name, "c.yaml")
        assert refused.code == 2
        step = "" if activations == "softmax" else ".1"
        assert refused.err.startswith(
            f"c.yaml:{place}: error: network.activations{step}: softmax of one unit"
        )


@pytest.mark.parametrize("cell", ["5", "0.25", "1e-200"])
def test_a_constant_target(cell: str, workplace: Path) -> None:
    """C29: refused by fit and validate as by init, with the line of data.target."""
    Path("d.csv").write_text("a,y\n" + "".join(f"{k},{cell}\n" for k in range(60)))
    for name in ("fit", "validate"):
        refused = command(name, config("d.csv"))
        assert refused.code == 3
        assert refused.err.startswith(f"c.yaml:3:11: error: data.target: the target y is always {cell}")
    assert command("init", "--data", "d.csv", "--target", "y").code == 3


def test_a_very_small_target(workplace: Path) -> None:
    """C21: refused by its name where squares are 0, and right where they are not."""
    for factor, code in (("e-170", 3), ("e-12", 0), ("e-60", 0)):
        Path("d.csv").write_text("a,y\n" + "".join(f"{k % 11},{k % 11}{factor}\n" for k in range(60)))
        done = command("fit", config("d.csv"), "--json")
        assert done.code == code, done.err
        if code:
            assert "the squares of such differences are 0" in done.out


def one_hot(classes: int, rows: int = 90) -> np.ndarray[Any, Any]:
    return np.eye(classes)[np.arange(rows) % classes]


def test_init_takes_one_hot_targets_for_classes(workplace: Path) -> None:
    """C28, and its siblings: whole numbers, columns of a table, two classes."""
    X = np.arange(180.0).reshape(90, 2) % 7
    for y, classes in ((one_hot(3), 3), (one_hot(4).astype(np.uint8), 4), (one_hot(2), 2)):
        np.savez("d.npz", X=X, y=y)
        made = command("init", "--data", "d.npz", "--force")
        assert made.code == 0, made.err
        written = load_config("config.yaml").config
        assert (written.task, written.loss.name) == ("classification", "cross_entropy")
        checked = command("validate", "config.yaml", "--json").json
        assert checked["sizes"][-1] == classes
    lines = ["x,a,b,c", *(",".join(map(str, [k % 7, *row.astype(int)])) for k, row in enumerate(one_hot(3)))]
    Path("d.csv").write_text("\n".join(lines) + "\n")
    targets = [word for name in "abc" for word in ("--target", name)]
    assert command("init", "--data", "d.csv", *targets, "--force").code == 0
    assert load_config("config.yaml").config.loss.name == "cross_entropy"
    fit = command("fit", "config.yaml", "--set", "training.epochs=2", "--json").json
    assert "accuracy" in fit["best"]["metrics"]["test"]


def test_init_takes_yes_and_no_in_several_columns_for_labels_of_their_own(workplace: Path) -> None:
    y = np.stack([np.arange(90) % 2, np.arange(90) % 3 == 0], axis=1).astype(float)
    np.savez("d.npz", X=np.arange(90.0)[:, None], y=y)
    assert command("init", "--data", "d.npz").code == 0
    assert load_config("config.yaml").config.loss.name == "binary_cross_entropy"
    y[3] = 0.5  # amounts
    np.savez("d.npz", X=np.arange(90.0)[:, None], y=y)
    assert command("init", "--data", "d.npz", "--force").code == 0
    assert load_config("config.yaml").config.task == "regression"


@pytest.mark.parametrize("levels", [101, 398])
def test_init_hashes_many_categories(levels: int, workplace: Path) -> None:
    rows = [f"city{k % levels},{k % 7},{'ab'[k % 2]}" for k in range(3 * levels)]
    Path("d.csv").write_text("\n".join(["city,x,y", *rows]) + "\n")
    assert command("init", "--data", "d.csv", "--target", "y").code == 0
    column = load_config("config.yaml").config.data.columns["city"]
    assert (column.kind, column.encode, column.buckets) == ("categorical", "hash", 64)
    checked = command("validate", "config.yaml", "--json").json
    assert checked["sizes"][0] == 64 + 4  # buckets, and a number with what it is embedded as
    assert "many_categories" not in json.dumps(checked["warnings"])


@pytest.mark.parametrize(
    ("days", "written"),
    [
        ([f"2021-01-{10 + k}" for k in range(20)], "day: datetime"),
        ([20210110 + k for k in range(20)], "day: {kind: datetime, format: ymd}"),
        ([f"{1 + k % 9}/{1 + k % 5}/2021" for k in range(20)], "day: {kind: datetime, format: dmy}"),
        ([f"{k}:30" for k in range(20)], "day: datetime"),
    ],
)
def test_init_and_fit_take_dates_for_dates(days: list[object], written: str, workplace: Path) -> None:
    """C35 among them."""
    rows = [f"{days[k % 20]},{k % 7},{'ab'[k % 2]}" for k in range(100)]
    Path("d.csv").write_text("\n".join(["day,x,y", *rows]) + "\n")
    made = command("init", "--data", "d.csv", "--target", "y")
    assert made.code == 0, made.err
    assert written in Path("config.yaml").read_text()
    if "dmy" in written:
        assert "or format: mdy" in Path("config.yaml").read_text()
    fit = command("fit", "config.yaml", "--set", "training.epochs=1", "--json")
    assert fit.code == 0, fit.err
    schema = command("inspect", fit.json["run"], "--json").json["schema"]
    assert schema["features"]["columns"]["day"]["kind"] == "datetime"

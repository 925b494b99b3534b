"""`bptrain init`: what it writes for a data file is sensible, valid, and trains as it is."""

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bptrain.commands.init.config_text import aligned, flow, scalar
from bptrain.commands.init.input_columns import what_they_make
from bptrain.commands.init.templates import TEMPLATES
from bptrain.commands.init.writing import SCHEMA
from bptrain.config import load_config, to_plain, validate
from bptrain.config.document import load_text
from bptrain.config.json_schema import config_schema, schema_text
from command import Outcome, bptrain
from config.helpers import file_of
from conftest import ROOT

ODD = [
    "a: b",
    "#1",
    "yes",
    "1e3",
    "na,me",
    "größe",
    'quo"te',
    "it's",
    "- dash",
    "null",
    "two\nlines",
    "{x}",
    "*",
    "%",
    "~",
]


def table(file: Path, columns: dict[str, list[object]], separator: str = ",") -> Path:
    """Writes a file of columns, every cell in quotes."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    lines = (separator.join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in rows)
    file.write_text("\n".join(lines) + "\n")
    return file


def messy(n: int = 120) -> dict[str, list[object]]:
    """Columns such as one finds them."""
    rng = random.Random(3)
    x = [rng.gauss(0, 1) for _ in range(n)]
    color = [rng.choice(["red", "green", "blue"]) for _ in range(n)]
    return {
        "row": [k + 1 for k in range(n)],
        "customer_id": [rng.randrange(10**6) * 1000 + k for k in range(n)],
        "name": [f"person {k}" for k in range(n)],
        "ticket": [f"T{k % 90}" for k in range(n)],
        "street": [f"street {k % 40}" for k in range(n)],
        "since": [f"2023-0{k % 9 + 1}-1{k % 7}" for k in range(n)],
        "country": ["here"] * n,
        "empty": [""] * n,
        "cabin": [f"{k % 3}" if k % 4 == 0 else "" for k in range(n)],
        "price": ["1.5" if k != 50 else "free" for k in range(n)],
        "x": [f"{value:.3f}" if k % 10 else "?" for k, value in enumerate(x)],
        "color": [c if k % 17 else "" for k, c in enumerate(color)],
        "level": [rng.randrange(1, 4) for _ in range(n)],
        "bought": ["yes" if value + (c == "red") > 0.3 else "no" for value, c in zip(x, color, strict=True)],
    }


def init(*arguments: object) -> Outcome:
    return bptrain("init", *arguments)


def trains(file: Path) -> dict[str, Any]:
    """Validates and trains a config for two epochs, and evaluates it; the JSON of the validation."""
    checked = bptrain("validate", file, "--json")
    assert checked.code == 0, checked.out
    fit = bptrain("fit", file, "--set", "training.epochs=2", "--json")
    assert fit.code == 0, fit.out
    assert bptrain("eval", fit.json["run"]).code == 0
    return checked.json


def test_a_messy_table(workplace: Path) -> None:
    made = init("--data", table(Path("t.csv"), messy()), "--target", "bought")
    assert (made.code, made.out) == (0, "config.yaml\n"), made.err
    told = trains(Path("config.yaml"))
    assert told["features"] == ["since", "x", "color", "level"]
    assert (told["task"], told["loss"], told["labels"]) == (
        "classification",
        "binary_cross_entropy",
        ["no", "yes"],
    )
    assert told["activations"][-1] == "sigmoid"
    text = Path("config.yaml").read_text()
    for column, reason in {
        "row": "it is a row number, from 1 to 120",
        "customer_id": "all values are unique (looks like an id)",
        "name": "all values are unique (looks like an id)",
        "ticket": "90 different texts in 120 rows",
        "street": "40 different texts in 120 rows",
        "country": "it is always here",
        "empty": "it has no values",
        "cabin": "90 of 120 cells are missing",
        "price": "its cells are numbers, but line 52 says 'free'",
    }.items():
        assert any(line.startswith(f"    - {column} ") and reason in line for line in text.splitlines()), (
            column
        )
        assert f"excluded: {column}: {reason}" in made.err
    config = load_config("config.yaml").config
    assert config.data.missing == "median"
    assert "columns: {level: categorical}" in text
    assert config.data.columns["since"].kind == "datetime"


def test_it_learns_without_an_edit(workplace: Path) -> None:
    init("--data", table(Path("t.csv"), messy(400)), "--target", "bought")
    fit = bptrain("fit", "config.yaml", "--json").json
    assert fit["best"]["metrics"]["test"]["accuracy"] > 0.85
    assert fit["stopped"] == "early_stopping"


def test_odd_names_and_cells(workplace: Path) -> None:
    columns: dict[str, list[object]] = {
        name: [f"{name} {k % 3}" if at % 2 else (k * (at + 3)) % 8 / 2 for k in range(60)]
        for at, name in enumerate(ODD)
    }
    columns["y: #"] = [("no", "1", "a: b")[k % 3] for k in range(60)]
    columns["id: x"] = list(range(60))
    made = init("--data", table(Path("odd: #.csv"), columns), "--target", "y: #", "--output", "odd.yaml")
    assert made.code == 0, made.err
    told = trains(Path("odd.yaml"))
    assert told["features"] == ODD
    assert told["labels"] == ["1", "a: b", "no"]
    assert load_config("odd.yaml").config.data.exclude == ("id: x",)
    read = yaml.safe_load(Path("odd.yaml").read_text())  # and so do readers of YAML 1.1
    assert read["data"]["exclude"] == ["id: x"]


def test_regression(workplace: Path) -> None:
    rng = random.Random(1)
    x = [rng.gauss(0, 1) for _ in range(60)]
    columns: dict[str, list[object]] = {"x": [*x], "y": [100 + 20 * value for value in x]}
    assert init("--data", table(Path("t.csv"), columns), "--target", "y").code == 0
    told = trains(Path("config.yaml"))
    assert (told["task"], told["loss"], told["activations"][-1]) == (
        "regression",
        "half_squared_error",
        "identity",
    )
    assert "missing: error" in Path("config.yaml").read_text()
    assert "early_stopping" not in Path("config.yaml").read_text()  # 9 validation rows are none to go by


@pytest.mark.parametrize(
    ("values", "task", "outputs"),
    [
        ([k % 2 for k in range(60)], "classification", 1),
        ([k % 5 + 3 for k in range(60)], "classification", 5),
        ([k % 25 for k in range(200)], "regression", 1),  # more than a few
        ([k % 10 for k in range(40)], "regression", 1),  # few rows of each
        ([k % 2 / 2 for k in range(60)], "regression", 1),  # not whole
        (["true" if k % 2 else "false" for k in range(60)], "classification", 1),
        ([f"c{k % 30}" for k in range(120)], "classification", 30),
    ],
    ids=["two", "five", "many", "thin", "halves", "booleans", "many classes"],
)
def test_what_is_a_class(values: list[object], task: str, outputs: int, workplace: Path) -> None:
    x: list[object] = [(k * 7) % 13 / 2 for k in range(len(values))]
    made = init("--data", table(Path("t.csv"), {"x": x, "y": values}), "--target", "y", "--json")
    assert made.json["task"] == task
    told = trains(Path("config.yaml"))
    assert (told["task"], told["sizes"][-1]) == (task, outputs)


def test_the_task_may_be_said(workplace: Path) -> None:
    columns: dict[str, list[object]] = {"x": [k / 3 for k in range(60)], "y": [k % 4 for k in range(60)]}
    table(Path("t.csv"), columns)
    assert init("--data", "t.csv", "--target", "y", "--task", "regression").code == 0
    assert trains(Path("config.yaml"))["task"] == "regression"
    columns["y"] = [f"c{k % 3}" for k in range(60)]
    refused = init(
        "--data", table(Path("t.csv"), columns), "--target", "y", "--task", "regression", "--output", "b.yaml"
    )
    assert refused.code == 3
    assert "regression needs numbers" in refused.err
    assert not Path("b.yaml").exists()


def test_several_targets(workplace: Path) -> None:
    columns: dict[str, list[object]] = {
        name: [(k * m) % 17 / 4 for k in range(60)] for name, m in (("x", 3), ("a", 5), ("b", 7))
    }
    assert init("--data", table(Path("t.csv"), columns), "--target", "a", "--target", "b").code == 0
    told = trains(Path("config.yaml"))
    assert (told["task"], told["targets"], told["features"]) == ("regression", ["a", "b"], ["x"])


def test_yes_and_no_of_several_targets(workplace: Path) -> None:
    columns: dict[str, list[object]] = {"x": [k / 3 for k in range(60)]}
    columns |= {name: ["true" if k % m else "false" for k in range(60)] for name, m in (("a", 2), ("b", 3))}
    assert init("--data", table(Path("t.csv"), columns), "--target", "a", "--target", "b").code == 0
    told = trains(Path("config.yaml"))
    assert (told["task"], told["loss"], told["sizes"][-1]) == ("classification", "binary_cross_entropy", 2)


def test_rows_without_a_target_are_dropped(workplace: Path) -> None:
    columns: dict[str, list[object]] = {
        "x": [k / 3 if k % 5 else "" for k in range(60)],
        "c": ["ab"[k % 2] if k % 7 else "" for k in range(60)],
        "y": [k * 1.5 if k % 6 else "" for k in range(60)],
    }
    assert init("--data", table(Path("t.csv"), columns), "--target", "y").code == 0
    assert sum(trains(Path("config.yaml"))["rows"].values()) == 50
    assert load_config("config.yaml").config.data.missing == {
        "y": "drop",
        "x": "median",
        "c": "most_frequent",
    }


def test_few_rows_are_all_learned(workplace: Path) -> None:
    columns: dict[str, list[object]] = {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "y": [0, 1, 1, 0]}
    assert init("--data", table(Path("t.csv"), columns), "--target", "y").code == 0
    told = trains(Path("config.yaml"))
    assert (told["rows"], told["task"]) == ({"train": 4}, "classification")


def test_a_rare_class_is_pointed_out(workplace: Path) -> None:
    columns: dict[str, list[object]] = {
        "x": [k / 3 for k in range(200)],
        "y": ["bad" if k % 25 == 0 else "good" for k in range(200)],
    }
    assert init("--data", table(Path("t.csv"), columns), "--target", "y").code == 0
    assert "bad is rare" in Path("config.yaml").read_text()
    assert trains(Path("config.yaml"))["metrics"] == ["accuracy", "balanced_accuracy"]


def test_arrays(workplace: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (80, 12), np.uint8)
    np.savez("a.npz", X=X, y=X[:, 0] > 127)
    made = init("--data", "a.npz", "--output", "a.yaml", "--json").json
    assert (made["sizes"][0], made["sizes"][-1]) == (12, 1)
    assert trains(Path("a.yaml"))["sizes"][-1] == 1
    assert "scale: {name: minmax, low: 0, high: 255}" in Path("a.yaml").read_text()
    gaps = rng.normal(size=(80, 3))
    gaps[3, 1] = np.nan
    np.save("x.npy", gaps)
    np.save("t.npy", rng.normal(size=80))
    assert init("--data", "x.npy", "--target", "t.npy", "--output", "b.yaml").code == 0
    assert trains(Path("b.yaml"))["task"] == "regression"
    lacking = init("--data", "x.npy", "--output", "c.yaml")
    assert (lacking.code, "--target PATH" in lacking.err) == (2, True)


def test_paths_are_relative_to_the_config(workplace: Path) -> None:
    for directory in ("data", "configs"):
        Path(directory).mkdir()
    file = table(Path("data/t.csv"), {"x": [k / 3 for k in range(60)], "y": [k % 2 for k in range(60)]})
    assert init("--data", file, "--target", "y", "--output", "configs/c.yaml").code == 0
    assert "train: ../data/t.csv" in Path("configs/c.yaml").read_text()
    trains(Path("configs/c.yaml"))
    assert init("--data", file.absolute(), "--target", "y", "--output", "configs/d.yaml").code == 0
    assert f"train: {file.absolute()}" in Path("configs/d.yaml").read_text()
    trains(Path("configs/d.yaml"))


def test_an_unknown_target_is_guided(workplace: Path) -> None:
    file = table(Path("t.csv"), {"size": [1, 2], "Price": [3, 4]})
    wrong = init("--data", file, "--target", "prize", "--json")
    assert wrong.code == 3
    (error,) = wrong.json["errors"]
    assert (error["code"], error["suggestion"]) == ("unknown_column", "Price")
    assert "the file has size, Price" in error["message"]
    none = init("--data", file)
    assert (none.code, "the file has size, Price" in none.err) == (2, True)
    assert sorted(workplace.iterdir()) == [workplace / "t.csv"]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["a"] * 30, "is always a: there is nothing to learn"),
        ([""] * 30, "has no values"),
        ([f"t{k}" for k in range(30)], "has 30 different texts in 30 rows"),
        ([k if k else "x" for k in range(30)], "holds numbers, but line 2 says 'x'"),
    ],
    ids=["constant", "empty", "texts", "mixed"],
)
def test_a_target_that_cannot_be_learned(column: list[object], words: str, workplace: Path) -> None:
    wrong = init(
        "--data", table(Path("t.csv"), {"x": [k / 3 for k in range(30)], "y": column}), "--target", "y"
    )
    assert wrong.code == 3
    assert words in wrong.err
    assert not Path("config.yaml").exists()


def test_no_input_is_left(workplace: Path) -> None:
    wrong = init(
        "--data",
        table(Path("t.csv"), {"id": list(range(30)), "y": [k % 2 for k in range(30)]}),
        "--target",
        "y",
    )
    assert wrong.code == 3
    assert "id: it is a row number" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "--data FILE --target COLUMN"),
        (["--data", "t.csv", "--template", "xor"], 2, "leave out --data"),
        (["--template", "xorr"], 2, "did you mean xor"),
        (["--data", "t.csv", "--target", "y"], 3, "no such file"),
        (["--data", "t.ods", "--target", "y"], 3, "does not show its format"),
        (["--task", "clustering"], 2, "clustering"),
    ],
)
def test_the_command_line(arguments: list[str], code: int, words: str, workplace: Path) -> None:
    wrong = init(*arguments)
    assert (wrong.code, words in wrong.err) == (code, True), wrong.err
    assert list(workplace.iterdir()) == []


def test_nothing_is_overwritten_unasked(workplace: Path) -> None:
    Path("config.yaml").write_text("mine\n")
    refused = init("--template", "xor")
    assert (refused.code, Path("config.yaml").read_text()) == (2, "mine\n")
    assert "--force" in refused.err
    assert not Path("xor.csv").exists()
    assert init("--template", "xor", "--force").code == 0
    trains(Path("config.yaml"))
    assert init("--template", "minimal", "--output", "second.yaml").code == 0  # the schema is init's own
    Path("iris.csv").write_text("mine\n")
    assert init("--template", "full", "--output", "third.yaml").code == 2
    assert Path("iris.csv").read_text() == "mine\n"
    Path(SCHEMA).write_text("{}")
    assert init("--template", "xor", "--output", "fourth.yaml").code == 2
    assert Path(SCHEMA).read_text() == "{}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_train_as_they_are(name: str, workplace: Path) -> None:
    made = init("--template", name, "--output", f"{name}.yaml", "--json")
    assert made.code == 0
    assert {made.json["config"], made.json["schema"], *made.json["data"]} == {
        p.name for p in workplace.iterdir()
    }
    trains(Path(f"{name}.yaml"))
    text = Path(f"{name}.yaml").read_text()
    jsonschema = pytest.importorskip("jsonschema")  # where no extra is installed
    jsonschema.Draft7Validator(config_schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize("name", sorted(TEMPLATES.keys() - {"minimal", "full"}))
def test_templates_are_the_configs_that_ship(name: str, workplace: Path) -> None:
    init("--template", name)
    ours = load_config("config.yaml").config
    theirs = load_config(ROOT / "configs" / f"{name}.yaml").config
    inputs = TEMPLATES[name]
    assert file_of(theirs.data.train).inputs == (f"../data/{inputs}",)
    data = theirs.data.model_copy(update={"train": ours.data.train})
    assert theirs.model_copy(update={"data": data}) == ours
    assert Path(inputs).read_bytes() == (ROOT / "data" / inputs).read_bytes()


def test_the_minimal_template_trains_on_the_data_that_ships(workplace: Path) -> None:
    init("--template", "minimal")
    assert Path("iris.csv").read_bytes() == (ROOT / "data" / "iris.csv").read_bytes()


def test_the_full_template_says_every_key_and_its_default(workplace: Path) -> None:
    init("--template", "full")
    text = Path("config.yaml").read_text()
    least = (
        "data: {train: iris.csv, target: species}\nnetwork: {sizes: [auto, 8, auto]}\nloss: cross_entropy\n"
    )
    assert load_config("config.yaml").config == validate(load_text(least, "f"))
    keys = {key for line in text.splitlines() if (key := line.lstrip(" #").partition(":")[0])}

    def names(plain: Any) -> set[str]:
        return {*plain, *(k for v in plain.values() if isinstance(v, dict) for k in names(v))}

    assert names(to_plain(load_config("config.yaml").config)) <= keys
    assert {"patience", "restore_best", "std", "weight", "activations"} <= keys


def test_what_lies_in_comments_of_the_full_template_is_right(workplace: Path) -> None:
    """The keys of a section that is not there by default, put in its place."""
    init("--template", "full")
    text = Path("config.yaml").read_text().replace("#    std:", "#    std: 0.1 ")
    for key in ("input", "average", "early_stopping", "noise"):
        assert f"  {key}: null" in text
        text = text.replace(f"  {key}: null", f"  {key}:     ")
    text = "\n".join(line.replace("  #  ", "    ") for line in text.splitlines())
    Path("other.yaml").write_text(text.replace("std:  ", "std: 0.1  "))
    assert bptrain("validate", "other.yaml").code == 0


def test_editors_find_the_schema(workplace: Path) -> None:
    init("--template", "xor")
    first, *_ = Path("config.yaml").read_text().splitlines()
    assert first == f"# yaml-language-server: $schema={SCHEMA}"
    assert Path(SCHEMA).read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema_text()) == config_schema()


@given(st.text(max_size=8) | st.sampled_from([*ODD, ".5", ".inf", ".nan", "0x1", "1_0", "12:30", "NULL"]))
def test_a_text_is_read_back(text: str) -> None:
    for line in (f"k: {scalar(text)}", f"k: {flow({'x': [text]})}"):
        if not any(0xD800 <= ord(character) < 0xE000 for character in text):
            for value in (load_text(line, "f").value["k"], yaml.safe_load(line)["k"]):
                assert value in (text, {"x": [text]})


def test_comments_stand_in_one_column() -> None:
    assert aligned(
        [("a: 1", "one"), ("long: 22", "two"), ("x:", ""), ("k: " + "y" * 50, "far")], most=20
    ) == [
        "a: 1      # one",
        "long: 22  # two",
        "x:",
        "k: " + "y" * 50 + "  # far",
    ]
    assert aligned([("a:", "two\nlines")]) == ["a:  # two\\nlines"]


@pytest.mark.parametrize(
    ("columns", "inputs", "words"),
    [
        (1, 1, "1 column makes 1 input"),
        (1, 3, "1 column makes 3 inputs"),
        (7, 1000, "7 columns make 1,000 inputs"),
    ],
)
def test_one_is_not_several(columns: int, inputs: int, words: str) -> None:
    assert what_they_make(columns, inputs) == words


def test_files_of_validation_and_test_rows(workplace: Path) -> None:
    """They take the place of their share; what is said of one file is said of all."""
    text = (ROOT / "data/iris.csv").read_text().splitlines()
    Path("sub").mkdir()
    for name, rows in {"train": text[1::2], "v": text[2::4], "t1": text[4::8], "t2": text[8::8]}.items():
        Path("sub", f"{name}.csv").write_text("\n".join([text[0], *rows]).replace(",", ";") + "\n")
    files = ["--data", "sub/train.csv", "--target", "species"]
    both = init(*files, "--validation", "sub/v.csv", "--test", "sub/t1.csv", "--test", "sub/t2.csv")
    assert both.code == 0, both.err
    written = Path("config.yaml").read_text()
    assert re.search(r"^  validation: sub/v.csv +# selects the best weights$", written, re.MULTILINE)
    assert re.search(
        r"^  test: \[sub/t1.csv, sub/t2.csv\] +# is for the final result$", written, re.MULTILINE
    )
    assert "  split:" not in written
    assert (
        "# Written by: bptrain init --data sub/train.csv --target species --validation sub/v.csv --test"
        in written
    )
    assert trains(Path("config.yaml"))["rows"] == {"train": 75, "validation": 38, "test": 37}
    one = init(*files, "--test", "sub/t?.csv", "--output", "sub/c.yaml")
    assert one.code == 0, one.err
    written = Path("sub/c.yaml").read_text()
    assert re.search(r'^  test: "t\?.csv" ', written, re.MULTILINE)
    assert re.search(
        r"^  split: {validation: 0.15} +# validation selects the best weights$", written, re.MULTILINE
    )
    few = init("--data", "sub/t1.csv", "--target", "species", "--validation", "sub/v.csv", "--force")
    assert few.code == 0, few.err
    assert re.search(
        r"^  split: {test: 0} +# 19 rows are too few for test rows$", Path("config.yaml").read_text(), re.M
    )
    missing = init(*files, "--test", "sub/none.csv", "--force")
    assert missing.code == 3
    assert "data.test: no such file" in missing.err
    assert init("--template", "xor", "--test", "sub/v.csv", "--output", "x.yaml").code == 2


def test_files_of_arrays(workplace: Path) -> None:
    X, y = np.arange(240.0).reshape(60, 4) % 7, np.arange(60) % 3
    for name in ("train", "test"):
        np.save(f"X_{name}.npy", X)
        np.save(f"y_{name}.npy", y + (name == "test") * 0.0)
    files = ["--data", "X_train.npy", "--target", "y_train.npy"]
    made = init(*files, "--test", "X_test.npy", "--test", "y_test.npy")
    assert made.code == 0, made.err
    assert "  test: {inputs: X_test.npy, target: y_test.npy} " in Path("config.yaml").read_text()
    refused = init(*files, "--test", "X_test.npy", "--force")
    assert refused.code == 2
    assert (
        "needs two files here, of the inputs and of the targets: --test INPUTS --test TARGETS" in refused.err
    )
    np.savez("d.npz", X=X, y=y)
    refused = init("--data", "d.npz", "--test", "d.npz", "--test", "d.npz", "--force")
    assert refused.code == 2
    assert "names one npz file, and only tables can be several" in refused.err

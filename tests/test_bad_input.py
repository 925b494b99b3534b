"""What users get wrong: each with its exit code, the place the message points to, and words that help. No traceback."""

from pathlib import Path

import numpy as np
import pytest

from command import bptrain

GOOD_CONFIG = """\
data:
  train: table.csv
  target: kind
network:
  sizes: [auto, 4, auto]
loss: cross_entropy
training:
  epochs: 2
"""
ROWS = [f"{k},{k * k % 7}.5,{'red' if k % 2 else 'blue'},{'ab'[k % 2]}" for k in range(1, 31)]
GOOD_DATA = "\n".join(["width,height,color,kind", *ROWS]) + "\n"

# (what is replaced in the config, by what, exit code, line of the config or None, words of the message)
CONFIGS = [
    ("epochs: 2", "epoch: 2", 2, 8, "did you mean epochs"),
    ("network:", "netwrok:", 2, 4, "did you mean network"),
    ("epochs: 2", "epochs: 0", 2, 8, "0"),
    ("epochs: 2", "epochs: many", 2, 8, "many"),
    ("epochs: 2", "epochs: 2.5", 2, 8, "2.5"),
    ("epochs: 2", "epochs: true", 2, 8, "true"),
    ("epochs: 2", "epochs: 2\n  epochs: 3", 2, 9, "8"),
    ("epochs: 2", "epochs: 2\n  lr: 0.1", 2, 9, "learning_rate"),
    ("epochs: 2", "epochs: 2\n  mode: sgd\n  batch_size: 4", 2, 10, "batch_size"),
    ("epochs: 2", "epochs: 2\n  engine: torch", 2, 9, "numba"),
    ("epochs: 2", "epochs: 2\nseed: .nan", 2, 9, "seed"),
    ("epochs: 2", "epochs: 2\noptimizer: sgd", 2, 9, "gradient_descent"),
    ("epochs: 2", "epochs: 2\noptimizer: {name: adam, beta1: 1.0}", 2, 9, "beta1"),
    ("epochs: 2", "epochs: 2\noptimizer: {name: adam, momentum: 0.9}", 2, 9, "momentum"),
    ("epochs: 2", "epochs: 2\noptimizer: {name: adam, learning_rate: [0.1]}", 2, 9, "learning_rate"),
    ("epochs: 2", "epochs: 2\noptimizer: {name: adam, learning_rate: -1e-3}", 2, 9, "learning_rate"),
    ("epochs: 2", 'epochs: 2\noptimizer: {name: adam, learning_rate: "0.1"}', 2, 9, "learning_rate"),
    ("epochs: 2", "epochs: 2\nmetrics: [acuracy]", 2, 9, "accuracy"),
    ("epochs: 2", "epochs: 2\nmetrics: [rmse]", 2, 9, "rmse"),
    ("epochs: 2", "epochs: 2\ntask: regression", 2, None, "regression"),
    ("loss: cross_entropy", "loss: mse", 2, 6, "mean_squared_error"),
    ("loss: cross_entropy", "loss: {reduction: sum}", 2, 6, "name"),
    ("loss: cross_entropy\n", "", 2, 1, "loss"),
    ("sizes: [auto, 4, auto]", "size: [auto, 4, auto]", 2, 5, "sizes"),
    ("sizes: [auto, 4, auto]", "sizes: [auto]", 2, 5, "sizes"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, auto, auto]", 2, 5, "auto"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, -4, auto]", 2, 5, "-4"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, auto]\n  activations: [tanh]", 2, 6, "activations"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, auto]\n  activations: [tanh, tanh]", 2, None, "softmax"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, auto]\n  activations: [logistic, softmax]", 2, 6, "sigmoid"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, auto]\n  momentum: 0.5", 2, 6, "momentum"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, auto", 2, 5, "not closed"),
    ("target: kind", "target: kind\n  split: {validation: 0.6, test: 0.5}", 2, 4, "split"),
    ("target: kind", "target: kind\n  scale: {name: minmax, low: 2, high: 1}", 2, 4, "low"),
    ("target: kind", "target: *kind", 2, 3, "*kind"),
    ("  target: kind\n", "", 2, 1, "target"),
    ("train: table.csv", "train: nowhere.csv", 3, 2, "nowhere.csv"),
    ("train: table.csv", "train: table.xls", 3, 2, "xls"),
    ("target: kind", "target: kinds", 3, 3, "kind"),
    ("target: kind", "target: kind\n  features: [width, hight]", 3, 4, "height"),
    ("target: kind", "target: kind\n  exclude: [colour]", 3, 4, "color"),
    ("target: kind", "target: kind\n  columns: {color: numeric}", 3, None, "color"),
    ("target: kind", "target: kind\n  scale_target: standard", 2, 4, "scale_target"),
    ("sizes: [auto, 4, auto]", "sizes: [9, 4, auto]", 3, 5, "4"),
    ("sizes: [auto, 4, auto]", "sizes: [auto, 4, 3]", 3, 5, "2"),
]

# (what is replaced in the data, by what, line of the data file or None, words of the message)
TABLES = [
    (ROWS[4], "5,,red,b", 6, "height"),
    (ROWS[4], "5,NaN,red,b", 6, "height"),
    (ROWS[4], "5,inf,red,b", 6, "inf"),
    (ROWS[4], "5,4.5,red", 6, "3"),
    (ROWS[4], "5,4.5,red,b,more", 6, "5"),
    (ROWS[4], "5,4;5,red,b", 6, "4;5"),
    (ROWS[4], "5,4.5,red,", 6, "kind"),
    ("width,height,color,kind", "width,width,color,kind", 1, "width"),
    ("width,height,color,kind", "width,,color,kind", 1, "name"),
    ("\n".join(ROWS), "", None, "row"),
    (GOOD_DATA, "", None, "empty"),
    (",b\n", ",a\n", None, "class"),
]


def place(message: str, file: str) -> list[int]:
    """The lines of `file` that a message points to."""
    heads = [line for line in message.splitlines() if ": error:" in line]
    places = [head.split(": error:")[0].split(":") for head in heads]
    return [int(parts[1]) for parts in places if parts[0].endswith(file) and len(parts) > 1]


def refused(code: int, err: str) -> None:
    assert "Traceback" not in err
    assert ": error:" in err or err.startswith("error:")
    assert "this is a bug" not in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(("old", "new", "code", "line", "words"), CONFIGS, ids=[f"{c[1]!r}" for c in CONFIGS])
def test_wrong_config(workplace: Path, old: str, new: str, code: int, line: int | None, words: str) -> None:
    (workplace / "table.csv").write_text(GOOD_DATA)
    assert old in GOOD_CONFIG
    (workplace / "wrong.yaml").write_text(GOOD_CONFIG.replace(old, new))
    outcome = bptrain("fit", "wrong.yaml")
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    if line is not None:
        assert line in place(outcome.err, "wrong.yaml"), outcome.err
    assert words in outcome.err
    refused(code, outcome.err)
    record = bptrain("fit", "wrong.yaml", "--json").json
    assert record["ok"] is False
    assert record["errors"]


@pytest.mark.parametrize(("old", "new", "line", "words"), TABLES, ids=[f"{t[1][:40]!r}" for t in TABLES])
def test_wrong_data(workplace: Path, old: str, new: str, line: int | None, words: str) -> None:
    (workplace / "table.csv").write_text(GOOD_DATA.replace(old, new))
    (workplace / "good.yaml").write_text(GOOD_CONFIG)
    outcome = bptrain("fit", "good.yaml")
    assert outcome.code == 3, outcome.err
    if line is not None:
        assert line in place(outcome.err, "table.csv"), outcome.err
    assert words in outcome.err
    refused(3, outcome.err)


def test_the_good_one_is_good(workplace: Path) -> None:
    """Else the tables above would prove nothing."""
    (workplace / "table.csv").write_text(GOOD_DATA)
    (workplace / "good.yaml").write_text(GOOD_CONFIG)
    assert bptrain("fit", "good.yaml").code == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("data.npz", b"PK\x03\x04 torn", "data.npz"),
        ("data.npy", b"\x93NUMPY torn", "data.npy"),
        ("images-idx3-ubyte.gz", b"\x1f\x8b torn", "images-idx3-ubyte.gz"),
        ("images-idx3-ubyte", b"\x00\x00\x08\x03\x00\x00", "images-idx3-ubyte"),
        ("table.csv.gz", b"not gzip", "table.csv.gz"),
        ("table.csv", b"a,b\n\xff\xfe,1\n", "UTF-8"),
    ],
)
def test_torn_files(workplace: Path, name: str, content: bytes, words: str) -> None:
    (workplace / name).write_bytes(content)
    target = "" if "npz" in name else "  target: b\n"
    if name.endswith((".npy", "ubyte", "ubyte.gz")):
        np.save(workplace / "t.npy", np.zeros(3))
        target = "  target: t.npy\n"
    (workplace / "c.yaml").write_text(
        f"data:\n  train: {name}\n{target}network: {{sizes: [auto, auto]}}\nloss: half_squared_error\n"
    )
    outcome = bptrain("fit", "c.yaml")
    assert outcome.code == 3, outcome.err
    assert words in outcome.err
    refused(3, outcome.err)


def test_all_mistakes_at_once(workplace: Path) -> None:
    (workplace / "table.csv").write_text(GOOD_DATA)
    text = GOOD_CONFIG.replace("epochs: 2", "epoch: 2").replace("cross_entropy", "cross_entrpy")
    (workplace / "wrong.yaml").write_text(text)
    outcome = bptrain("fit", "wrong.yaml")
    assert place(outcome.err, "wrong.yaml") == [6, 8]


def test_a_missing_config(workplace: Path) -> None:
    outcome = bptrain("fit", "nowhere.yaml")
    assert outcome.code == 2
    assert "nowhere.yaml" in outcome.err
    refused(2, outcome.err)


def test_a_wrong_override_is_located_as_such(iris: Path) -> None:
    outcome = bptrain("fit", iris, "--set", "training.epoch=3", "--json")
    assert outcome.code == 2
    (error,) = outcome.json["errors"]
    assert error["file"] == "--set"
    assert error["path"] == "training.epoch"
    assert "epochs" in error["suggestion"]

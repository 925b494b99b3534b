"""The answers of an ensemble: means in the target's own unit, spread, intervals, and the file that holds them all."""

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

import bptrain as python
from bptrain.errors import CheckpointError
from bptrain.model.load import load_checkpoint
from bptrain.store.sealed_file import ENSEMBLE, ONE_NETWORK, read_sealed
from command import bptrain
from conftest import ROOT

Numbers = NDArray[np.float64]
SMALL = ("--set", "training.engine=numpy", "--jobs", 1, "--quiet")
MEMBERS = [f"e/members/00{k}" for k in (1, 2, 3)]


@pytest.fixture
def goods(workplace: Path) -> Path:
    """A regression of two targets of different sizes, with a category that one fold alone has."""
    rng = np.random.default_rng(3)
    rows = ["x,kind,price,weight"]
    for k in range(60):
        x = rng.normal()
        kind = "rare" if k == 17 else "ab"[k % 2]
        rows.append(
            f"{x:.4f},{kind},{1000 + 300 * x + 20 * rng.normal():.3f},{2 * x + 0.1 * rng.normal():.4f}"
        )
    Path("goods.csv").write_text("\n".join(rows) + "\n")
    Path("goods.yaml").write_text(
        "data: {train: goods.csv, target: [price, weight]}\nnetwork: {sizes: [auto, 4, auto]}\n"
        "loss: half_squared_error\nsilence: [unseen_category, small_split]\n"
        "training: {epochs: 20}\nensemble: {members: 3, by: fold}\n"
    )
    return Path("goods.yaml")


def columns(*arguments: object) -> dict[str, Numbers]:
    """The numbers that a command prints as CSV, by column."""
    done = bptrain(*arguments)
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != "kind"}


def test_the_mean_and_the_spread_of_values(goods: Path) -> None:
    bptrain("fit", goods, *SMALL, "--out", "e")
    each = [columns("predict", place, "goods.csv") for place in MEMBERS]
    mean = columns("predict", "e", "goods.csv", "--spread")
    names = ["prediction_price", "prediction_weight"]
    assert [*mean] == [*names, "spread_price", "spread_weight"]
    for name in names:
        of_members = np.array([one[name] for one in each])
        np.testing.assert_array_equal(mean[name], of_members.sum(axis=0) / 3)
        spread = mean[name.replace("prediction", "spread")]
        np.testing.assert_allclose(spread, of_members.std(axis=0, ddof=1), rtol=1e-12)
    scalings = [python.load(place).schema.target.center for place in MEMBERS]
    assert len(set(scalings)) == 3  # each has its own
    categories = {python.load(place).schema.features[1].categories for place in MEMBERS}
    assert len(categories) == 2


def test_rmse_is_that_of_the_mean(goods: Path) -> None:
    record = bptrain("fit", goods, *SMALL, "--out", "e", "--json").json
    found = columns("predict", "e", "--split", "test")
    errors = [found[f"prediction_{name}"] - found[name] for name in ("price", "weight")]
    of_targets = np.sqrt(np.mean(np.square(errors), axis=1))  # of several targets their mean
    assert record["best"]["metrics"]["test"]["rmse"] == pytest.approx(of_targets.mean())
    assert record["best"]["metrics_per_target"]["test"]["rmse"]["weight"] == pytest.approx(of_targets[1])


def test_intervals_by_fold_are_of_rows_that_the_model_has_not_seen(goods: Path) -> None:
    bptrain("fit", goods, *SMALL, "--out", "e")
    kept = read_sealed(Path("e/best.safetensors"), (ENSEMBLE,)).record["absolute_errors"]
    assert kept["rows"] == 51  # all but the test rows
    expected = []
    for place in MEMBERS:
        own = columns("predict", place, "--split", "validation")
        expected.append([np.abs(own[f"prediction_{name}"] - own[name]) for name in ("price", "weight")])
    errors: Numbers = np.sort(np.concatenate(expected, axis=1), axis=1)
    np.testing.assert_allclose(kept["errors"], errors, rtol=1e-12)
    ends = columns("predict", "e", "goods.csv", "--interval", "0.9")
    half = errors[0][int(np.ceil(52 * 0.9)) - 1]
    np.testing.assert_allclose(ends["upper_price"] - ends["prediction_price"], half)
    coverage = bptrain("eval", "e", "--interval", "0.9", "--json").json["interval"]
    assert coverage["validation_rows"] == 51


def test_intervals_by_seed_are_of_the_mean_on_the_shared_validation_rows(goods: Path) -> None:
    bptrain("fit", goods, *SMALL, "--set", "ensemble.by=seed", "--out", "e")
    kept = read_sealed(Path("e/best.safetensors"), (ENSEMBLE,)).record["absolute_errors"]
    own = [columns("predict", place, "--split", "validation") for place in MEMBERS]
    for k, name in enumerate(("price", "weight")):
        mean = np.mean([one[f"prediction_{name}"] for one in own], axis=0)
        np.testing.assert_allclose(kept["errors"][k], np.sort(np.abs(mean - own[0][name])), rtol=1e-9)


def test_one_file_is_the_whole_model(goods: Path) -> None:
    bptrain("fit", goods, *SMALL, "--out", "e")
    said = bptrain("predict", "e", "goods.csv", "--interval", "0.8", "--spread").out
    evaluated = bptrain("eval", "e", "--data", "goods.csv", "--json").json
    shutil.move("e/best.safetensors", "alone.safetensors")
    shutil.rmtree("e")
    assert bptrain("predict", "alone.safetensors", "goods.csv", "--interval", "0.8", "--spread").out == said
    again = bptrain("eval", "--checkpoint", "alone.safetensors", "--data", "goods.csv", "--json").json
    assert again["metrics"] == evaluated["metrics"]
    tensors = load_file("alone.safetensors")
    assert {name.split(".")[1] for name in tensors} == {"1", "2", "3"}
    assert "members.1.layers.1.weight" in tensors
    record = read_sealed(Path("alone.safetensors"), (ONE_NETWORK, ENSEMBLE)).record
    assert len({str(one["schema"]["target"]["center"]) for one in record["members"]}) == 3
    with pytest.raises(CheckpointError, match="is an ensemble, and this takes one network"):
        load_checkpoint(Path("alone.safetensors"))
    content = bytearray(Path("alone.safetensors").read_bytes())
    content[-1] ^= 1
    Path("alone.safetensors").write_bytes(content)
    damaged = bptrain("predict", "alone.safetensors", "goods.csv")
    assert (damaged.code, "does not match its digest" in damaged.err) == (5, True)


def test_a_row_that_one_member_cannot_predict_has_no_prediction(goods: Path) -> None:
    unknown = ("--set", "data.columns={kind: {kind: categorical, unknown: error}}", "--set", "silence=[]")
    done = bptrain("fit", goods, *SMALL, *unknown, "--set", "ensemble.by=seed", "--out", "e")
    assert done.code in (0, 3)  # where the one row is, decides whether a fit can be
    bptrain("fit", goods, *SMALL, "--out", "f")
    Path("new.csv").write_text("x,kind\n0.5,a\n0.1,\n")
    blank = bptrain("predict", "f", "new.csv", "--on-bad-row", "blank")
    assert blank.out.splitlines()[2] == ","
    assert bptrain("predict", "f", "new.csv").code == 3


def test_classes_by_threshold_cost_and_groups(workplace: Path) -> None:
    lines = (ROOT / "data" / "penguins.csv").read_text().splitlines()
    kept = [line for line in lines if ",," not in line and "Chinstrap" not in line]
    Path("two.csv").write_text("\n".join(kept) + "\n")
    Path("two.yaml").write_text(
        "data: {train: two.csv, target: species, missing: most_frequent}\nnetwork: {sizes: [auto, 3, auto]}\n"
        "loss: binary_cross_entropy\ntraining: {epochs: 3}\nensemble: {members: 2}\n"
    )
    done = bptrain("fit", "two.yaml", *SMALL, "--out", "e")
    assert done.code == 0, done.err
    proba = list(csv.DictReader(io.StringIO(bptrain("predict", "e", "two.csv", "--proba", "--spread").out)))
    p = np.array([float(row["p_Gentoo"]) for row in proba])
    assert [*proba[0]][-2:] == ["spread_Adelie", "spread_Gentoo"]
    chosen = list(
        csv.DictReader(io.StringIO(bptrain("predict", "e", "two.csv", "--threshold", "0.3", "--spread").out))
    )
    assert [row["prediction"] for row in chosen] == [("Adelie", "Gentoo")[k] for k in (p >= 0.3).astype(int)]
    spread = [row[f"spread_{one['prediction']}"] for row, one in zip(proba, chosen, strict=True)]
    np.testing.assert_allclose([float(one["spread"]) for one in chosen], [float(text) for text in spread])
    Path("cost.csv").write_text("true,Adelie,Gentoo\nAdelie,0,1\nGentoo,9,0\n")
    costly = list(csv.DictReader(io.StringIO(bptrain("predict", "e", "two.csv", "--cost", "cost.csv").out)))
    assert [row["prediction"] == "Gentoo" for row in costly] == [bool(one > 0.1) for one in p]
    groups = bptrain("eval", "e", "--data", "two.csv", "--by", "sex", "--json").json["by"]["groups"]
    assert sum(group["rows"] for group in groups) == len(kept) - 1


def test_arrays_are_predicted_as_each_member_predicts_them(goods: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9000, 2))
    Path("n.csv").write_text("a,b,y\n" + "\n".join(f"{a:.5f},{b:.5f},{a - b:.5f}" for a, b in X[:80]) + "\n")
    Path("n.yaml").write_text(
        "data: {train: n.csv, target: y}\nnetwork: {sizes: [2, 3, 1]}\nloss: half_squared_error\n"
        "training: {epochs: 3}\nensemble: {members: 3, by: fold}\nsilence: [outside_training_range]\n"
    )
    bptrain("fit", "n.yaml", *SMALL, "--out", "e")
    np.save("x.npy", X)
    for place in ("e", *MEMBERS):
        bptrain("predict", place, "x.npy", "--out", f"{place.replace('/', '-')}.npy", "--overwrite")
    each = [np.load(f"{place.replace('/', '-')}.npy") for place in MEMBERS]
    np.testing.assert_array_equal(np.load("e.npy"), np.sum(each, axis=0) / 3)
    np.testing.assert_array_equal(python.load("e").predict(X)[:, 0], np.load("e.npy"))


def test_an_ensemble_against_a_run(goods: Path) -> None:
    bptrain("fit", goods, *SMALL, "--set", "ensemble.by=seed", "--out", "e")
    found = bptrain("eval", "e", "e/members/002", "--json").json
    ensemble, member = (bptrain("eval", run, "--json").json for run in ("e", "e/members/002"))
    assert [one["metrics"]["rmse"] for one in found["runs"]] == [
        pytest.approx(one["metrics"]["rmse"]) for one in (ensemble, member)
    ]
    assert found["difference"]["rmse"] == pytest.approx(
        member["metrics"]["rmse"] - ensemble["metrics"]["rmse"]
    )
    seen = bptrain("eval", "e", "e/members/002", "--split", "train")
    assert (seen.code, "are training rows of e/members/001" in seen.err) == (3, True)


def test_spread_needs_an_ensemble(goods: Path) -> None:
    bptrain("fit", goods, "--set", "ensemble=null", *SMALL[:2], "--out", "r")
    refused = bptrain("predict", "r", "goods.csv", "--spread")
    assert (refused.code, "is one network" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("data", "loss", "columns_of"),
    [
        (
            "target: [m1, m2]",
            "binary_cross_entropy",
            ["prediction_m1", "prediction_m2", "spread_m1", "spread_m2"],
        ),
        ("target: [p1, p2]", "cross_entropy", ["prediction", "spread"]),
        ("target: word", "hinge", ["prediction", "spread"]),
        ("target: count", "poisson", ["prediction", "spread"]),
        ("target: count, scale_target: log1p", "half_squared_error", ["prediction", "spread"]),
        ("target: word, weight: w, split: {group: who}", "cross_entropy", ["prediction", "spread"]),
    ],
)
def test_every_kind_of_target(workplace: Path, data: str, loss: str, columns_of: list[str]) -> None:
    rng = np.random.default_rng(1)
    rows = ["a,b,who,w,m1,m2,p1,p2,word,count"]
    for k in range(60):
        a, b = rng.normal(size=2)
        p = round(1 / (1 + np.exp(-a)), 6)
        rows.append(f"{a:.4f},{b:.4f},s{k // 3},{1 + k % 3},{int(a > 0)},{int(b > 0)},{p:.6f},{1 - p:.6f},"
                    f"{'xy'[k % 2]},{int(abs(3 * a))}")  # fmt: skip
    Path("k.csv").write_text("\n".join(rows) + "\n")
    Path("k.yaml").write_text(
        f"data: {{train: k.csv, {data}, features: [a, b]}}\nnetwork: {{sizes: [auto, 3, auto]}}\n"
        f"loss: {loss}\ntraining: {{epochs: 3}}\nensemble: {{members: 2, by: fold}}\n"
    )
    record = bptrain("fit", "k.yaml", *SMALL, "--out", "e", "--json").json
    out = bptrain("predict", "e", "k.csv", "--spread").out
    assert out.splitlines()[0].split(",") == columns_of
    for split, found in record["best"]["loss"].items():
        assert bptrain("eval", "e", "--split", split, "--json").json["loss"] == found

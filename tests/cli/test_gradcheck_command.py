"""`bptrain gradcheck` as it is typed: its options, its words, its JSON."""

from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.errors import UsageError
from command import bptrain as command
from conftest import ROOT

XOR = ROOT / "configs" / "xor.yaml"
RELU = ("--set", "network.activations=[relu, sigmoid]")  # x_0 = (0, 0) and b_1 = 0: every unit at its kink


def test_what_json_tells() -> None:
    record = command("gradcheck", XOR, "--json", "--inputs", "--rows", "3").json
    assert record["ok"]
    assert (record["rows"], record["parameters"], record["entries"], record["complete"]) == (3, 17, 17, True)
    assert record["engines"] == ["numpy"]
    assert record["chosen"] == "each entry by the complex step"
    assert record["cross_check"]["passed"]
    assert set(record["rules"]) == {"pass"}
    assert [one["name"] for one in record["consistency"]] == ["batch", "order", "bits", "update"]
    assert all(one["passed"] for one in record["consistency"])
    assert [(one["layer"], one["units"]) for one in record["units"]] == [(1, 4), (2, 1)]
    assert (record["diagnosis"], record["part_faults"], record["corners"], record["notes"]) == (
        {},
        [],
        [],
        record["notes"],
    )
    layers = {(layer["layer"], layer["parameter"]): layer for layer in record["layers"]}
    assert set(layers) == {(1, "weight"), (1, "bias"), (2, "weight"), (2, "bias"), (0, "input")}
    assert layers[0, "input"]["shape"] == [3, 2]
    assert layers[1, "weight"]["errors"].keys() == {"numpy"}
    worst = layers[1, "weight"]["worst"]
    assert worst["analytic"] == pytest.approx(worst["numeric"], rel=1e-12)


@pytest.mark.parametrize("method", ["complex_step", "directions", "central"])
def test_methods(method: str) -> None:
    record = command("gradcheck", XOR, "--json", "--method", method).json
    assert record["ok"]
    assert record["method"] == ("central" if method == "central" else "complex_step")
    assert (record["overall"] is not None) == (method == "directions")
    assert record["max_relative_error"] < (1e-8 if method == "central" else 1e-14)


def test_smoothed_answers_in_every_engine() -> None:
    """Labels of 0 and 1 become ε/2 and 1 − ε/2, and the gradient is that of the loss with these."""
    smoothed = ("--set", "loss={name: binary_cross_entropy, label_smoothing: 0.1}", "--engine", "all")
    breast_cancer = ROOT / "configs" / "breast_cancer.yaml"
    found = command("gradcheck", breast_cancer, *smoothed, "--json").json
    assert found["ok"]
    assert found["max_relative_error"] < 1e-12
    assert "numpy" in found["engines"]


def test_kinks() -> None:
    """xor's first row is zero, so all of relu's units are at their kink there."""
    interval = command("gradcheck", XOR, *RELU)
    assert interval.code == 0
    assert "4 kinks, where a slope jumps" in interval.out
    assert "layer 1, unit 0, instance 0: z = 0, f has the slope 0 on the left, 1 on the right" in interval.out
    assert "kink, between the slopes of both sides" in interval.out
    skip = command("gradcheck", XOR, *RELU, "--kinks", "skip", "--json")
    assert (skip.code, skip.json["rows"], skip.json["rows_left_out"]) == (0, 3, 1)
    fail = command("gradcheck", XOR, *RELU, "--kinks", "fail", "--json")
    assert (fail.code, fail.json["ok"]) == (1, False)
    assert {layer["verdict"] for layer in fail.json["layers"]} == {"pass", "kink, refused"}


def test_selection_and_mistakes() -> None:
    record = command("gradcheck", XOR, "--json", "--params", "layers.1.*").json
    assert [layer["parameter"] for layer in record["layers"]] == ["weight", "bias"]
    wrong = command("gradcheck", XOR, "--params", "layers.7.*")
    assert (wrong.code, "layers.2.bias" in wrong.err) == (2, True)
    assert command("gradcheck", XOR, "--rows", "0").code == 2
    assert command("gradcheck", XOR, "--method", "guess").code == 2
    assert command("gradcheck", "--engine", "numpy").code == 2


def test_the_rules_stand_below_the_table() -> None:
    out = command("gradcheck", XOR).out
    assert "pass: |a − n| is at most 1e-10 max(|a|, |n|, q)" in out
    assert "the gradient of a batch is the sum of its instances' gradients" in out


def test_a_run_with_dead_units(workplace: Path) -> None:
    run = command(
        "fit", XOR, *RELU, "--set", "network.bias=[-9, 0]", "--set", "training.epochs=1", "--json"
    ).json["run"]
    outcome = command("gradcheck", run, "--rows", "4")
    assert outcome.code == 0
    assert "layer 1: 4 of 4 units dead on these rows (0, 1, 2, 3)" in outcome.out


def test_a_network_that_is_not_finite_has_no_gradient_to_check() -> None:
    huge = (
        "--set",
        "network.initializer={name: constant, value: 1.0e+308}",
        "--set",
        "network.activations=identity",
    )
    outcome = command("gradcheck", ROOT / "configs" / "linnerud.yaml", *huge, "--json")
    assert outcome.code == 4
    assert "z of layer 1 are not finite" in outcome.json["errors"][0]["message"]


def test_every_engine_that_is_installed() -> None:
    from bptrain.engines.registry import engine_entry

    record = command("gradcheck", XOR, "--engine", "all", "--json").json
    assert record["ok"]
    if engine_entry("numba").missing() is None:
        assert record["engines"] == ["numpy", "numba"]
        assert len(record["consistency"]) == 8
        assert record["layers"][0]["errors"].keys() == {"numpy", "numba"}
    else:
        assert record["engines"] == ["numpy"]
        assert "not installed" in record["notes"][0]


def test_the_python_api() -> None:
    report = bptrain.gradcheck(XOR, {"seed": 3}, params=["layers.2.*"], inputs=True, rows=2)
    assert not isinstance(report, list)
    assert report.passed
    assert [block.name for block in report.layers] == ["layers.2.weight", "layers.2.bias", "inputs"]
    with pytest.raises(UsageError, match="every row"):
        bptrain.gradcheck(XOR, {"network.activations": ["relu", "sigmoid"]}, rows=1, kinks="skip")


def test_a_loaded_model(workplace: Path) -> None:
    run = bptrain.fit(XOR, {"training.epochs": 3})
    model = bptrain.load(run.path)
    report = bptrain.gradcheck(model)
    assert not isinstance(report, list)
    assert report.passed
    assert np.isfinite(report.max_relative_error)


@pytest.mark.parametrize("row", ["-26,1", "-26,0", "26,0", "-40,1", "-740,1"])
def test_a_right_loss_of_small_probabilities_passes(row: str, workplace: Path) -> None:
    """−ln x from an x of 5e-12, or of 4e-322, whose digits gradcheck compares with the loss of z."""
    (workplace / "rows.csv").write_text(f"x,t\n{row}\n1,0\n2,1\n-3,0\n")
    (workplace / "rare.yaml").write_text(
        """
data: {train: rows.csv, target: t, scale: none, split: {validation: 0, test: 0}}
network: {sizes: [1, 1], bias: false, initializer: {name: constant, value: 1}}
loss: binary_cross_entropy
"""
    )
    result = command("gradcheck", "rare.yaml")
    assert (result.code, "E of z" in result.out) == (0, False), result.out

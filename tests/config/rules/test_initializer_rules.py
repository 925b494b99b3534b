"""Initializers in a config: what they draw, and what contradicts them."""

from pathlib import Path

import pytest

from config.helpers import problems

HEAD = "data: {train: a.csv, target: y}\nloss: half_squared_error\n"


@pytest.mark.parametrize(
    ("network", "key", "words"),
    [
        ("bias: 0.5, initializer: nguyen_widrow", "network.bias", "cannot start at 0.5"),
        ("bias: false, initializer: nguyen_widrow", "network.bias", "the layer has none"),
        ("bias: [0.0, true], initializer: [nguyen_widrow, auto]", "network.bias.0", "cannot start at 0"),
        ("initializer: {name: nguyen_widrow, inputs: [1, 0]}", "network.initializer", "inputs must rise"),
        ("initializer: {name: uniform, low: 1, high: 0}", "network.initializer", "low must be below high"),
        ("initializer: {name: orthogonal, gain: 0}", "network.initializer.gain", "greater than 0"),
        ("initializer: {name: truncated_normal, std: -1}", "network.initializer.std", "greater than 0"),
    ],
)
def test_contradictions(tmp_path: Path, network: str, key: str, words: str) -> None:
    found = problems(tmp_path, HEAD + f"network: {{sizes: [2, 3, 1], {network}}}\n")
    assert found
    assert {(problem.path, problem.line) for problem in found} == {(key, 3)}
    assert words in found[0].message


@pytest.mark.parametrize("bias", ["true", "[true, 0.5]", "[true, false]"])
def test_what_goes_together(tmp_path: Path, bias: str) -> None:
    text = HEAD + f"network: {{sizes: [2, 3, 1], bias: {bias}, initializer: [nguyen_widrow, orthogonal]}}\n"
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("xavier_normal", "glorot_normal"), ("kaiming_uniform", "he_uniform"), ("lecun", "lecun_normal")],
)
def test_names_of_other_tools(tmp_path: Path, wrong: str, meant: str) -> None:
    (problem,) = problems(tmp_path, HEAD + f"network: {{sizes: [2, 3, 1], initializer: {wrong}}}\n")
    assert problem.suggestion == meant


@pytest.mark.parametrize("output", ["hard_sigmoid", "gaussian"])
def test_a_logarithm_needs_outputs_inside_its_bounds(tmp_path: Path, output: str) -> None:
    text = "data: {train: a.csv, target: y}\nloss: binary_cross_entropy\n"
    (problem,) = problems(tmp_path, text + f"network: {{sizes: [2, 3, 1], activations: [tanh, {output}]}}\n")
    assert problem.path == "network.activations.1"
    assert "loss is infinite" in problem.message
    assert problem.suggestion == "sigmoid"

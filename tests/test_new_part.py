"""Adding a part needs one definition in one place: config, gradient check and training find it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from annotated_types import Interval

from bptrain.parts.activations import Activation, activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.optimizers import Optimizer, Slots, optimizers
from bptrain.parts.types import Array, LearningRate
from command import bptrain, check_only


@pytest.fixture
def squareplus() -> Iterator[None]:
    """An activation with one option, registered for one test."""

    @activations.add("squareplus")
    def squareplus(b: Annotated[float, Interval(gt=0)] = 4.0) -> Activation:
        """½ (z + √(z² + b)). Barron 2021."""

        def f(z: Array) -> Array:
            return 0.5 * (z + np.sqrt(z * z + b))

        def df(z: Array, x: Array) -> Array:
            return 0.5 + 0.5 * z / np.sqrt(z * z + b)

        return Activation(f, df)

    yield
    activations.remove("squareplus")


def config(iris: Path, **changes: str) -> Path:
    text = iris.read_text().replace("sizes: [4, 6, 3]", f"sizes: [4, 6, 3], {changes.get('network', '')}")
    iris.write_text(text.replace("loss: cross_entropy", changes.get("rest", "loss: cross_entropy")))
    return iris


@pytest.mark.usefixtures("squareplus")
def test_a_new_activation(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_only(monkeypatch, lambda combination: combination.loss == "half_squared_error")
    config(iris, network="activations: [{name: squareplus, b: 2}, softmax]")
    check = bptrain("gradcheck", iris, "--json")
    assert check.code == 0
    assert check.json["max_relative_error"] < 1e-12
    fit = bptrain("fit", iris, "--json")
    assert fit.code == 0
    assert fit.json["final"]["loss"]["train"] < 1.0
    assert bptrain("eval", fit.json["run"]).code == 0
    everything = bptrain("gradcheck", "--json")
    assert "squareplus / half_squared_error" in {layer["parts"] for layer in everything.json["layers"]}


@pytest.mark.usefixtures("squareplus")
@pytest.mark.parametrize(
    ("option", "words"), [("b: 0", "0"), ("b: soft", "soft"), ("c: 1", "c"), ("b: true", "true")]
)
def test_its_options_are_validated(iris: Path, option: str, words: str) -> None:
    config(iris, network=f"activations: [{{name: squareplus, {option}}}, softmax]")
    wrong = bptrain("fit", iris)
    assert wrong.code == 2
    assert "iris.yaml:3:" in wrong.err
    assert words in wrong.err


def test_it_is_gone_when_it_is_removed(iris: Path) -> None:
    config(iris, network="activations: [squareplus, softmax]")
    assert bptrain("fit", iris).code == 2


def test_a_wrong_derivative_is_caught_by_the_command(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_only(monkeypatch, lambda combination: combination.loss == "half_squared_error")

    @activations.add("slip")
    def slip() -> Activation:
        """tanh with a slip."""

        def f(z: Array) -> Array:
            return np.tanh(z)

        def df(z: Array, x: Array) -> Array:
            return 1.0 - x

        return Activation(f, df)

    try:
        config(iris, network="activations: [slip, softmax]")
        check = bptrain("gradcheck", iris, "--json")
        assert check.code == 1
        assert check.json["ok"] is False
        assert [layer["verdict"] for layer in check.json["layers"]] == [
            "mismatch",
            "mismatch",
            "pass",
            "pass",
        ]
        assert bptrain("gradcheck").code == 1
    finally:
        activations.remove("slip")


def test_a_new_loss_and_a_new_optimizer(iris: Path) -> None:
    @losses.add("quartic")
    def quartic() -> Loss:
        """¼ Σ (x − t)⁴."""

        def E(x: Array, t: Array) -> Array:
            return 0.25 * ((x - t) ** 4).sum(axis=-1)

        def dE(x: Array, t: Array) -> Array:
            return (x - t) ** 3

        return Loss(E, dE)

    @optimizers.add("sign")
    def sign(learning_rate: LearningRate = 0.01) -> Optimizer:
        """w ← w − α ∘ sign g; tells that it was given the batch's loss."""

        def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
            assert np.isfinite(E)
            return rate * np.sign(g), slots

        return Optimizer(learning_rate, step, needs_loss=True)

    try:
        config(iris, rest="task: classification\nloss: quartic\noptimizer: sign")
        assert bptrain("gradcheck", iris).code == 0
        fit = bptrain("fit", iris, "--json")
        assert fit.code == 0, fit.err
        assert fit.json["final"]["metrics"]["train"]["accuracy"] > 0.6
    finally:
        losses.remove("quartic")
        optimizers.remove("sign")


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already registered"):
        activations.add("tanh")(lambda: Activation(np.tanh))

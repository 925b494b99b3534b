"""Lines of `explain` that a learner needs, and that the page once left out or had wrong."""

from pathlib import Path

import pytest

from command import bptrain
from conftest import ROOT

FEW = "x,y\n" + "".join(f"{i},{i * i % 7}\n" for i in range(12))
CONFIG = """
data: {train: few.csv, target: y, split: {validation: 0, test: 0}}
network: {sizes: [1, 4, 1]}
loss: half_squared_error
"""


@pytest.fixture
def few(workplace: Path) -> Path:
    """A config on 12 rows."""
    (workplace / "few.csv").write_text(FEW)
    file = workplace / "c.yaml"
    file.write_text(CONFIG)
    return file


def page(config: Path, **settings: str) -> str:
    """What is printed for a config with some settings."""
    overrides = [
        word for key, value in settings.items() for word in ("--set", f"{key.replace('__', '.')}={value}")
    ]
    shown = bptrain("explain", config, *overrides)
    assert shown.code == 0, shown.err
    return shown.out


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "scaled_conjugate_gradient", "levenberg_marquardt"])
def test_without_biases_there_is_no_b(few: Path, optimizer: str) -> None:
    settings = {"network__bias": "false", "optimizer": optimizer, "training__mode": "batch"}
    if optimizer == "adam":
        settings |= {"training__clip_norm": "1"}
    shown = page(few, **settings)
    assert "b_" not in shown
    assert "∂b" not in shown
    assert "W_1, W_2 in one vector" in shown or "g all of ∂E/∂W_1, ∂E/∂W_2 " in shown


def test_biases_of_some_layers(few: Path) -> None:
    shown = page(few, network__bias="[false, true]", training__clip_norm="2.5")
    assert "g all of ∂E/∂W_1, ∂E/∂W_2, ∂E/∂b_2 (training.clip_norm)" in shown
    assert "b_1" not in shown


def test_the_gradients_of_a_batch_are_those_of_the_embedding_too(few: Path) -> None:
    assert (
        "of a batch, E is the objective, and ∂E/∂W_i and ∂E/∂b_i are the mean of these over its rows"
        in page(few)
    )
    shown = page(few, network__input="{embed: periodic}")
    assert "∂E/∂W_i, ∂E/∂b_i and those of the embedding are the mean of these over its rows" in shown
    alone = page(few, network__bias="false", network__input="{embed: periodic}")
    assert "and ∂E/∂W_i and those of the embedding are the mean of these" in alone


def test_an_update_has_no_more_instances_than_there_are(few: Path) -> None:
    assert "one update after all 12 instances, since there are no more than 32" in page(few)
    assert "n = 1 update per epoch" in page(few)
    shown = page(few, training__batch_size="5")
    keys = "(training.mode: minibatch, training.batch_size)"
    assert f"one update after every 5 instances, the last of an epoch after 2 {keys}" in shown
    assert "n = 3 updates per epoch" in shown
    Path("few.csv").unlink()
    shown = page(few, network__activations="tanh")
    assert (
        "one update after every 32 instances, and after those that are left at the end of an epoch" in shown
    )
    assert "the data cannot be read: " in shown


def test_smoothed_labels() -> None:
    shown = page(ROOT / "configs" / "label_smoothing.yaml")
    assert "t' = (1 − ε) t + ε/K, K = 3 classes" in shown
    assert "ε = 0.1 (loss.label_smoothing)" in shown
    assert "E = −Σ_k t'_k ln x_k, x = x_2" in shown
    assert "δ_2 = x_2 − t'  (f_2' and the loss cancel)" in shown
    both = page(ROOT / "configs" / "label_smoothing.yaml", optimizer="adam")
    assert "ε_adam = 1e-08 (optimizer.epsilon)" in both
    assert "(√v̂ + ε_adam)" in both


def test_smoothed_answers() -> None:
    shown = page(
        ROOT / "configs" / "breast_cancer.yaml", loss="{name: binary_cross_entropy, label_smoothing: 0.2}"
    )
    assert "t' = (1 − ε) t + ε/2, of yes and no" in shown
    assert "ε = 0.2 (loss.label_smoothing)" in shown
    assert "E = −Σ_j (t'_j ln x_j + (1 − t'_j) ln(1 − x_j)), x = x_2" in shown
    assert "δ_2 = x_2 − t'  (f_2' and the loss cancel)" in shown


def test_the_decay_of_adamw_stands_there_once() -> None:
    shown = page(ROOT / "configs" / "adamw.yaml")
    assert "W_2 ← W_2 − α_2 λ W_2 − step(∂E/∂W_2),  α_2 = 0.01" in shown
    assert shown.count("λ =") == 1
    for line in ("m ← β₁ m + (1 − β₁) g", "v ← β₂ v + (1 − β₂) g²", "m̂ = m / (1 − β₁^(s + 1))", "β₂ = 0.999"):
        assert line in shown
    assert "step(g) = α m̂ / (√v̂ + ε)" in shown


def test_the_threshold_of_huber_is_not_an_error() -> None:
    shown = page(ROOT / "configs" / "huber.yaml")
    assert "κ = 0.5 (loss.delta)" in shown
    assert "∂E/∂x_2 = d for |d| ≤ κ, else κ sign(d)" in shown
    assert "≤ δ" not in shown


def test_two_layers_with_other_options_have_other_letters(few: Path) -> None:
    activations = "[{name: leaky_relu, slope: 0.1}, {name: leaky_relu, slope: 0.2}]"
    shown = page(few, network__activations=activations)
    assert "f_1': f'(z) = 1 for z > 0, else slope\n" in shown
    assert "f_2': f'(z) = 1 for z > 0, else slope_2\n" in shown
    assert "slope = 0.1 (network.activations.slope)" in shown
    assert "slope_2 = 0.2 (network.activations.slope)" in shown


PLUGIN = '''
import numpy as np
from bptrain.plugins import Activation, Optimizer, Loss, activations, losses, optimizers

@activations.add("cube")
def cube(size: float = 2.0) -> Activation:
    """size z³."""
    return Activation(lambda z: size * z * z * z, lambda z, x: 3.0 * size * z * z)

@activations.add("square", "f(z) = {size} z²", "f'(z) = 2 {size} z")
def square(size: float = 3.0) -> Activation:
    """size z²."""
    return Activation(lambda z: size * z * z, lambda z, x: 2.0 * size * z)

@losses.add("quartic", "E = ¼ Σ_j (x_j − t_j)^4")
def quartic() -> Loss:
    """¼ Σ (x − t)⁴."""
    return Loss(lambda x, t: 0.25 * ((x - t) ** 4).sum(axis=-1), lambda x, t: (x - t) ** 3)

@optimizers.add("plain")
def plain(learning_rate: float = 0.1, mu: float = 0.5) -> Optimizer:
    """w ← w − μ α g."""
    return Optimizer(learning_rate, lambda g, slots, w, rate, t, E: (mu * rate * g, slots))
'''


def test_a_part_without_equations_says_so(few: Path) -> None:
    Path("mine.py").write_text(PLUGIN)
    few.write_text(
        CONFIG.replace("[1, 4, 1]", "[1, 4, 4, 1], activations: [cube, square, identity]").replace(
            "half_squared_error", "quartic\noptimizer: plain"
        )
    )
    shown = bptrain("explain", few, "--plugin", "mine.py").out
    assert "f_1 = cube: f(z) = size z³" in shown
    assert "f_1': computed by the code of cube, which gives no formula for it" in shown
    assert "size = 2 (network.activations.size)" in shown
    assert "f_2 = square: f(z) = size_2 z²" in shown
    assert "f_2': f'(z) = 2 size_2 z" in shown
    assert "E = ¼ Σ_j (x_j − t_j)^4, x = x_3" in shown
    assert "∂E/∂x_3: computed by the code of quartic, which gives no formula for it" in shown
    assert "step is plain: w ← w − μ α g" in shown
    assert "μ = 0.5 (optimizer.mu)" in shown


def test_equations_are_texts(few: Path) -> None:
    Path("mine.py").write_text(PLUGIN.replace('"f(z) = {size} z²"', "2"))
    wrong = bptrain("explain", few, "--plugin", "mine.py")
    assert wrong.code == 2
    assert "the equations behind the name of a part are texts" in wrong.err


def test_least_squares_with_weights_and_a_penalty(few: Path) -> None:
    Path("few.csv").write_text(
        FEW.replace("x,y", "x,y,heavy").replace("\n", ",2\n").replace("heavy,2", "heavy")
    )
    few.write_text(CONFIG.replace("target: y", "target: y, weight: heavy"))
    shown = page(few, optimizer="levenberg_marquardt", training__mode="batch", training__penalty="{l2: 0.03}")
    assert "the penalty adds 0.03 to the diagonal of JᵀJ, at the entries of the W_i" in shown
    assert "each difference in r is taken times √ω, and N is Σ ω" in shown


def test_json_has_the_same_lines(few: Path) -> None:
    shown, record = page(few), bptrain("explain", few, "--json").json
    assert {"title", "lines"} == set(record["sections"][0])
    for section in record["sections"]:
        assert section["title"] in shown
        for line in section["lines"]:
            assert set(line) == {"equation", "shapes"}
            assert line["equation"] in shown

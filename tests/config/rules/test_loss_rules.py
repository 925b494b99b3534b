"""What a loss asks of outputs, task, targets and options, and by which messages."""

from pathlib import Path

import pytest

from bptrain.config import load_config
from config.helpers import problems

HEAD = "data: {train: a.csv, target: y}\n"


def network(last: str) -> str:
    return HEAD + f"network: {{sizes: [2, 3, 2], activations: [tanh, {last}]}}\n"


# text, code, line, path, suggestion, words
BAD = [
    (
        network("relu") + "loss: poisson\n",
        "output_loss",
        2,
        "network.activations.1",
        "softplus",
        "can return 0",
    ),
    (
        network("sigmoid") + "loss: poisson\n",
        "output_loss",
        2,
        "network.activations.1",
        "softplus",
        "above 1",
    ),
    (network("tanh") + "loss: poisson\n", "output_loss", 2, "network.activations.1", "softplus", "below 0"),
    (
        network("sigmoid") + "loss: hinge\n",
        "output_loss",
        2,
        "network.activations.1",
        "identity",
        "between 0 and 1",
    ),
    (
        network("softmax") + "loss: squared_hinge\n",
        "output_loss",
        2,
        "network.activations.1",
        "identity",
        "sum to 1",
    ),
    (
        network("sigmoid") + "loss: kl_divergence\n",
        "output_loss",
        2,
        "network.activations.1",
        "softmax",
        "sum to 1",
    ),
    (
        network("softplus") + "loss: binary_cross_entropy\n",
        "output_loss",
        2,
        "network.activations.1",
        "sigmoid",
        "above 1",
    ),
    (
        network("softplus") + "loss: poisson\ntask: classification\n",
        "contradiction",
        4,
        "task",
        "auto",
        "counts",
    ),
    (network("identity") + "loss: hinge\ntask: regression\n", "contradiction", 4, "task", "auto", "classes"),
    (
        "data: {train: a.csv, target: y, scale_target: standard}\nnetwork: {sizes: [2, 3, 1]}\nloss: poisson\n",
        "contradiction",
        1,
        "data.scale_target",
        "auto",
        "counts",
    ),
    (
        "data: {train: a.csv, target: y, scale_target: robust_clip}\nnetwork: {sizes: [2, 3, 1]}\nloss: huber\n",
        "contradiction",
        1,
        "data.scale_target",
        "robust",
        "for inputs",
    ),
    (
        network("softmax") + "loss: {name: cross_entropy, label_smoothing: 1}\n",
        "out_of_range",
        3,
        "loss.label_smoothing",
        None,
        "less than 1",
    ),
    (
        network("identity") + "loss: {name: quantile, tau: 0}\n",
        "out_of_range",
        3,
        "loss.tau",
        None,
        "greater than 0",
    ),
    (
        network("identity") + "loss: {name: huber, delta: 0}\n",
        "out_of_range",
        3,
        "loss.delta",
        None,
        "greater than 0",
    ),
    (network("softmax") + "loss: kld\n", "wrong_choice", 3, "loss", "kl_divergence", "kld"),
    (network("identity") + "loss: pinball\n", "wrong_choice", 3, "loss", "quantile", "pinball"),
    (network("identity") + "loss: mae\n", "wrong_choice", 3, "loss", "absolute_error", "mae"),
    (
        network("identity") + "loss: huber\nsilence: [growing_los]\n",
        "wrong_choice",
        4,
        "silence.0",
        "growing_loss",
        "",
    ),
]


@pytest.mark.parametrize(("text", "code", "line", "path", "suggestion", "words"), BAD)
def test_refused(
    text: str, code: str, line: int, path: str, suggestion: str | None, words: str, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, text)
    assert (problem.code, problem.line, problem.path, problem.suggestion) == (code, line, path, suggestion)
    assert words in problem.message


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        ("softplus", "poisson"),
        ("tanh", "hinge"),
        ("identity", "squared_hinge"),
        ("softmax", "kl_divergence"),
        ("softmax", "{name: cross_entropy, label_smoothing: 0.1}"),
        ("softmax", "half_squared_error"),
        ("relu", "{name: huber, delta: 2}"),
    ],
)
def test_allowed(last: str, loss: str, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(network(last) + f"loss: {loss}\nsilence: growing_loss\n")
    assert load_config(file).config.silence == ("growing_loss",)

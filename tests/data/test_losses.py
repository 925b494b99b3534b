"""How targets are read and coded for each loss: margins, counts, smoothed classes."""

import json
from pathlib import Path

import numpy as np
import pytest

from bptrain.build.network import activation_parts
from bptrain.config import load_config
from bptrain.data.prepare import encode_file
from bptrain.data.schema import Schema
from bptrain.data.settings import NetworkFacts
from bptrain.errors import DataError
from data.helpers import CROSS, SQUARED, prepared, problems, whole, write

HINGE = NetworkFacts("hinge", "margins")
POISSON = NetworkFacts("poisson", "positive")
SMOOTH = CROSS._replace(smoothing=0.1)
TWO = "x,y\n1,-1\n2,1\n3,1\n"
COUNTS = "x,y\n1,0\n2,3\n3,0.5\n"


def test_a_hinge_tells_two_classes_apart_with_one_output(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, TWO)), HINGE)
    assert p.notes[0] == "task: classification (the loss is hinge: 2 classes)"
    assert (p.schema.target.kind, p.schema.labels) == ("binary", (-1, 1))
    np.testing.assert_array_equal(p.splits["train"].T, [[0], [1], [1]])
    np.testing.assert_array_equal(p.schema.decode(np.array([[-0.1], [0.0], [0.4]])), [-1, 1, 1])


def test_a_hinge_with_an_output_for_each_class(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,y\n1,a\n2,b\n3,c\n")), HINGE)
    np.testing.assert_array_equal(p.splits["train"].T, np.eye(3))
    assert p.schema.decode(np.array([[-3.0, -1.0, -2.0]])).tolist() == ["b"]


def test_a_hinge_with_several_columns(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,a,b\n1,0,1\n2,1,0\n"), ("a", "b")), HINGE)
    assert (p.schema.target.kind, p.schema.labels) == ("multilabel", ("a", "b"))
    np.testing.assert_array_equal(p.schema.classes_of(np.array([[0.2, -0.2]])), [[1, 0]])


def test_counts_are_numbers_and_stay_as_they_are(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, COUNTS)), POISSON._replace(output_range=(0.0, np.inf)))
    assert p.schema.task == "regression"
    np.testing.assert_array_equal(p.splits["train"].T, [[0], [3], [0.5]])
    whole_numbers = write(tmp_path, "x,y\n1,0\n2,1\n3,2\n")
    [problem] = problems(whole(whole_numbers), POISSON._replace(n_outputs=3))  # no classes of 0, 1, 2
    assert problem.code == "n_outputs"


def test_counts_below_zero_are_named(tmp_path: Path) -> None:
    bad = write(tmp_path, "x,y\n1,0\n2,-3\n3,1\n")
    [problem] = problems(whole(bad), POISSON)
    assert (problem.code, problem.line) == ("negative_count", 3)
    assert "-3" in problem.message
    schema = prepared(whole(write(tmp_path, COUNTS, "good.csv")), POISSON).schema
    with pytest.raises(DataError) as caught:  # and in a file that is evaluated later
        encode_file(bad, Schema.from_json(json.loads(json.dumps(schema.to_json()))), np.float64)
    assert [problem.line for problem in caught.value.problems] == [3]


def test_classes_are_no_counts(tmp_path: Path) -> None:
    [problem] = problems(whole(write(tmp_path, "x,y\n1,a\n2,b\n")), POISSON)
    assert (problem.code, problem.path) == ("classes_for_counts", "loss")


def test_smoothed_classes(tmp_path: Path) -> None:
    source = write(tmp_path, "x,y\n1,a\n2,b\n3,c\n4,d\n")
    p = prepared(whole(source), SMOOTH)
    np.testing.assert_allclose(p.splits["train"].T, 0.9 * np.eye(4) + 0.025, rtol=1e-15)
    np.testing.assert_array_equal(p.splits["train"].y_true, range(4))  # what is right is not smoothed
    again = Schema.from_json(json.loads(json.dumps(p.schema.to_json())))
    rows, _ = encode_file(source, again, np.float32)  # as `eval` reads it
    assert rows.T.dtype == np.float32
    np.testing.assert_allclose(rows.T, p.splits["train"].T, rtol=1e-6)


def test_smoothed_probabilities(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,a,b\n1,0.25,0.75\n2,1,0\n"), ("a", "b")), SMOOTH)
    np.testing.assert_allclose(p.splits["train"].T, [[0.275, 0.725], [0.95, 0.05]], rtol=1e-15)


ANSWERS = NetworkFacts("binary_cross_entropy", "probabilities", smoothing=0.1)


@pytest.mark.parametrize(
    ("rows", "target", "n_outputs", "expected"),
    [
        ("1,no\n2,yes\n3,yes\n", "y", None, [[0.05], [0.95], [0.95]]),
        ("1,no\n2,yes\n3,yes\n", "y", 2, [[0.95, 0.05], [0.05, 0.95], [0.05, 0.95]]),
        ("1,a\n2,b\n3,c\n", "y", 3, 0.9 * np.eye(3) + 0.05),  # and not ε/3
        ("1,0,1\n2,1,0.25\n3,1,1\n", ("y", "z"), None, [[0.05, 0.95], [0.95, 0.275], [0.95, 0.95]]),
    ],
)
def test_smoothed_answers(
    rows: str,
    target: str | tuple[str, ...],
    n_outputs: int | None,
    expected: list[list[float]],
    tmp_path: Path,
) -> None:
    """Each output is a yes or no of its own, of two classes: t ← (1 − ε) t + ε/2, however many outputs there are."""
    names = ["x", *([target] if isinstance(target, str) else target)]
    source = write(tmp_path, f"{','.join(names)}\n{rows}")
    p = prepared(whole(source, target), ANSWERS._replace(n_outputs=n_outputs))
    np.testing.assert_allclose(p.splits["train"].T, expected, rtol=1e-15)
    plain = prepared(whole(source, target), ANSWERS._replace(n_outputs=n_outputs, smoothing=0.0))
    np.testing.assert_array_equal(p.splits["train"].y_true, plain.splits["train"].y_true)
    assert plain.schema.to_json()["target"].keys() == {"names", "kind", "labels", "center", "spread"}
    again = Schema.from_json(json.loads(json.dumps(p.schema.to_json())))
    np.testing.assert_array_equal(encode_file(source, again, np.float64)[0].T, p.splits["train"].T)


def test_a_schema_without_these_reads_as_it_always_did(tmp_path: Path) -> None:
    written = prepared(whole(write(tmp_path, TWO)), SQUARED).schema.to_json()
    assert written["target"].keys() == {"names", "kind", "labels", "center", "spread"}


@pytest.mark.parametrize(
    ("loss", "task", "last"),
    [
        ("poisson", "regression", "softplus"),
        ("hinge", "classification", "identity"),
        ("kl_divergence", "classification", "softmax"),
        ("binary_cross_entropy", "classification", "sigmoid"),
        ("mean_squared_error", "classification", "sigmoid"),
        ("huber", "regression", "identity"),
    ],
)
def test_the_output_that_suits_a_loss(loss: str, task: str, last: str, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"data: {{train: a.csv, target: y}}\nnetwork: {{sizes: [2, 3, 2]}}\nloss: {loss}\n")
    assert activation_parts(load_config(file).config, task)[-1].name == last

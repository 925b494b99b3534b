"""The decision table: what the data is taken for, by target, loss, sizes and `task`."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.data.settings import NetworkFacts
from data.helpers import BINARY, CROSS, SQUARED, prepared, problems, whole, write

TEXT = "x,y\n1,b\n2,a\n3,b\n"
BOOLEAN = "x,y\n1,true\n2,FALSE\n3,True\n"
THREE = "x,y\n1,3\n2,1\n3,2\n4,1\n"
TWO = "x,y\n1,5\n2,4\n3,5\n"
REAL = "x,y\n1,0.5\n2,1.5\n3,2.5\n"

# file, facts, options, task, kind, labels
TABLE = [
    (TEXT, SQUARED, {"task": "classification"}, "classification", "classes", ("a", "b")),
    (TEXT, SQUARED._replace(n_outputs=2), {}, "classification", "classes", ("a", "b")),
    (TEXT, SQUARED, {"columns": {"y": "categorical"}}, "classification", "classes", ("a", "b")),
    (TEXT, BINARY, {}, "classification", "binary", ("a", "b")),
    (
        TEXT,
        SQUARED._replace(n_outputs=1),
        {"task": "classification"},
        "classification",
        "binary",
        ("a", "b"),
    ),
    (TEXT, BINARY._replace(n_outputs=2), {}, "classification", "classes", ("a", "b")),
    (BOOLEAN, SQUARED, {}, "classification", "classes", (False, True)),
    (BOOLEAN, SQUARED, {"task": "regression"}, "regression", "values", ()),
    (THREE, SQUARED, {}, "regression", "values", ()),
    (THREE, SQUARED._replace(n_outputs=1), {}, "regression", "values", ()),
    (THREE, SQUARED._replace(n_outputs=3), {}, "classification", "classes", (1, 2, 3)),
    (THREE, CROSS, {}, "classification", "classes", (1, 2, 3)),
    (THREE, CROSS, {"task": "regression"}, "regression", "values", ()),
    (THREE, SQUARED, {"task": "classification"}, "classification", "classes", (1, 2, 3)),
    (THREE, SQUARED, {"columns": {"y": "categorical"}}, "classification", "classes", (1, 2, 3)),
    (
        "x,y\n1,01\n2,1\n",
        SQUARED,
        {"columns": {"y": "categorical"}},
        "classification",
        "classes",
        ("01", "1"),
    ),
    (TWO, BINARY, {}, "classification", "binary", (4, 5)),
    (REAL, SQUARED, {}, "regression", "values", ()),
    (REAL, CROSS, {}, "classification", "classes", (0.5, 1.5, 2.5)),
    ("x,y\n1,10\n2,9\n", CROSS, {}, "classification", "classes", (9, 10)),  # by value, not as texts
]


@pytest.mark.parametrize(("text", "facts", "options", "task", "kind", "labels"), TABLE)
def test_decision(
    tmp_path: Path,
    text: str,
    facts: NetworkFacts,
    options: dict[str, object],
    task: str,
    kind: str,
    labels: object,
) -> None:
    p = prepared(whole(write(tmp_path, text), **options), facts)
    assert (p.schema.task, p.schema.target.kind, p.schema.labels) == (task, kind, labels)
    assert [type(label) for label in p.schema.labels] == [type(label) for label in labels]  # type: ignore[attr-defined]
    assert p.notes[0].startswith(f"task: {task} (")
    assert p.splits["train"].T.shape[1] == p.schema.n_outputs


def test_the_note(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, TEXT)), CROSS)
    assert p.notes[0] == "task: classification (the target y is text: 2 classes)"


# file, target, facts, options, path, a word of the message
REFUSED = [
    (TEXT, "y", SQUARED, {"task": "regression"}, "task", "text"),
    (
        TEXT,
        "y",
        SQUARED,
        {},
        "loss",
        "half_squared_error needs numbers, but the target y is text ('a', 'b')",
    ),
    (TEXT, "y", SQUARED._replace(n_outputs=1), {}, "loss", "set task: classification"),
    (TEXT, "y", SQUARED._replace(n_outputs=3), {}, "loss", "set task: classification"),
    (THREE, "y", CROSS._replace(n_outputs=4), {}, "network.sizes", "3 classes"),
    (TWO, "y", CROSS._replace(n_outputs=1), {}, "network.sizes", "needs an output for each"),
    (REAL, "y", SQUARED._replace(n_outputs=2), {}, "network.sizes", "1 target column"),
    (REAL, "y", SQUARED._replace(n_inputs=2), {}, "network.sizes", "1 feature"),
    ("x,y\n1,a\n2,a\n", "y", CROSS, {}, "data.target", "one class"),
    ("x,y,z\n1,a,1\n2,b,2\n", ("y", "z"), CROSS, {}, "data.target", "text"),
    ("x,y,z\n1,2,1\n2,3,2\n", ("y", "z"), SQUARED, {"task": "classification"}, "task", "cross_entropy"),
]


@pytest.mark.parametrize(("text", "target", "facts", "options", "path", "word"), REFUSED)
def test_refused(
    tmp_path: Path,
    text: str,
    target: object,
    facts: NetworkFacts,
    options: dict[str, object],
    path: str,
    word: str,
) -> None:
    [problem] = problems(whole(write(tmp_path, text), target, **options), facts)
    assert (problem.path, problem.file, problem.line) == (path, "", None)
    assert word in problem.message


def test_class_probabilities(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,a,b\n1,0.25,0.7500005\n2,1,0\n"), ("a", "b")), CROSS)
    assert (p.schema.target.kind, p.schema.labels) == ("distribution", ("a", "b"))
    np.testing.assert_allclose(p.splits["train"].T.sum(axis=1), 1, rtol=0, atol=2.3e-16)
    np.testing.assert_allclose(p.splits["train"].T[0, 0], 0.25 / 1.0000005, rtol=1e-15)
    assert p.splits["train"].y_true.tolist() == [1, 0]
    assert p.schema.decode(np.array([[0.4, 0.6]])).tolist() == ["b"]
    bad = write(tmp_path, "x,a,b\n1,0.5,0.5\n2,0.5,0.500002\n3,-0.1,1.1\n")
    assert sorted((q.code, q.line) for q in problems(whole(bad, ("a", "b")), CROSS)) == [
        ("not_a_distribution", 3),
        ("not_a_distribution", 4),
    ]


def test_multilabel(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, "x,a,b\n1,0,1\n2,1,0.4\n3,0.5,0.6\n"), ("a", "b")), BINARY)
    assert (p.schema.target.kind, p.schema.labels) == ("multilabel", ("a", "b"))
    np.testing.assert_array_equal(p.splits["train"].T, [[0, 1], [1, 0.4], [0.5, 0.6]])
    np.testing.assert_array_equal(p.splits["train"].y_true, [[0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(p.schema.classes_of(np.array([[0.5, 0.49]])), [[1, 0]])
    [problem] = problems(whole(write(tmp_path, "x,a,b\n1,0,1\n2,1,2\n"), ("a", "b")), BINARY)
    assert (problem.code, problem.line) == ("not_a_probability", 3)


def test_suspicions(tmp_path: Path) -> None:
    rows = "".join(f"{k},name{k},{k + 0.5}\n" for k in range(30))
    p = prepared(whole(write(tmp_path, "x,name,y\n" + rows)), CROSS)
    assert [name for name, _ in p.warnings] == ["many_classes", "many_categories", "decimal_labels"]
    assert "data.exclude" in p.warnings[1][1]
    few = "".join(f"{k},name{k % 5},{k % 3}\n" for k in range(30))
    assert prepared(whole(write(tmp_path, "x,name,y\n" + few)), CROSS).warnings == ()

"""Names in the config that do not fit the file: the key of each, and the name that was probably meant."""

from pathlib import Path

import pytest

from data.helpers import prepared, problems, whole, write

TEXT = "age,height,weight\n1,2,3\n2,3,5\n3,5,6\n"

# target, options, [(path, suggestion)]
CASES = [
    ("weigth", {}, [("data.target", "weight")]),
    (None, {}, [("data.target", None)]),
    (("weight", "weight"), {}, [("data.target", None)]),
    ("weight", {"features": ("age", "hight")}, [("data.features.1", "height")]),
    ("weight", {"features": ("age", "weight")}, [("data.features.1", None)]),
    ("weight", {"features": ("age", "age")}, [("data.features.1", None)]),
    ("weight", {"features": ("age",), "exclude": ("age",)}, [("data.features.0", None)]),
    ("weight", {"exclude": ("height", "Agee")}, [("data.exclude.1", "age")]),
    ("weight", {"exclude": ("weight",)}, [("data.exclude.0", None)]),
    ("weight", {"exclude": ("age", "height")}, [("data.exclude", None)]),
    ("weight", {"columns": {"AGE": "numeric"}}, [("data.columns.AGE", "age")]),
    ("weight", {"missing": {"ag": "mean"}}, [("data.missing.ag", "age")]),
    (
        "x",
        {"features": ("y",), "exclude": ("zz",)},
        [("data.target", None), ("data.exclude.0", None), ("data.features.0", None)],
    ),
]


@pytest.mark.parametrize(("target", "options", "expected"), CASES)
def test_names(tmp_path: Path, target: object, options: dict[str, object], expected: object) -> None:
    found = problems(whole(write(tmp_path, TEXT), target, **options))
    assert [(p.path, p.suggestion) for p in found] == expected
    assert {(p.file, p.line) for p in found} == {("", None)}


def test_the_targets_are_no_features(tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, TEXT), ("height", "age")))
    assert [f.name for f in p.schema.features] == ["weight"]
    assert p.splits["train"].y_true.tolist() == [[2, 1], [3, 2], [5, 3]]


def test_an_excluded_column_is_not_looked_at(tmp_path: Path) -> None:
    text = "bad,x,y\n" + "1,1,2\n" * 20 + "oops,1,3\n"
    p = prepared(whole(write(tmp_path, text), exclude=("bad",)))
    assert p.splits["train"].X.shape == (21, 1)

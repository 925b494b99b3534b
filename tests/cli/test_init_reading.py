"""`bptrain init` on tables as people write them: the page says what was decided, and trains as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from command import Outcome, bptrain


def rows(n: int, line: Any) -> str:
    return "".join(f"{line(i)}\n" for i in range(n))


def init(*arguments: object) -> Outcome:
    return bptrain("init", *arguments)


def data_of(page: str = "config.yaml") -> dict[str, Any]:
    """The section `data` of a page."""
    section: dict[str, Any] = yaml.safe_load(Path(page).read_text())["data"]
    return section


def counted(page: str = "config.yaml") -> int:
    """The rows that a page reads, which must be valid."""
    found = bptrain("validate", page, "--json")
    assert found.code == 0, found.err
    return sum(found.json["rows"].values())


def yn(i: int) -> str:
    return "no" if i % 2 else "yes"


C1 = rows(46, lambda i: f"{5 + i / 10},{3 + i % 5 / 10},{'ab'[i % 2]}")
C2 = rows(46, lambda i: f"{i % 3},{i % 3},{'ab'[i % 2]}")
PLAIN = rows(60, lambda i: f"{i % 11},{i % 5},{yn(i)}")

# name, content, target, keys of the page, words that are told
PAGES = [
    ("c1.csv", C1, "3", {"header": False, "target": "x3"}, "data.header: false (the first line (5.0, 3.0, a)"),
    ("c1.data", C1, "x3", {"header": False, "target": "x3"}, "data.header: false"),
    ("c2.csv", C2, "3", {"header": False, "target": "x3"}, "data.header: false (the first line (0, 0, a)"),
    ("blank.data", C1.replace(",", "  "), "3", {"header": False, "target": "x3"}, "separated by blanks"),
    ("c23.csv", ",a,b,y\n" + rows(46, lambda i: f"{i},{i % 7},{i % 5},{yn(i)}"), "y", {}, "it is left out"),
    ("index.csv", ",a,b,y\n" + rows(46, lambda i: f"{i * 17 % 47},{i % 7},{i % 5},{yn(i)}"), "y", {"index": True},
     "data.index: true"),
    ("c24.csv", "# one\n# two\na,b,y\n" + PLAIN[:-8], "y", {}, ""),
    ("comment.csv", "# by me, you, them\na,b,y\n" + PLAIN, "y", {"comment": "#"}, 'data.comment: "#"'),
    ("title.csv", "Table 1\na,b,y\n" + PLAIN, "y", {"header": 2}, "data.header: 2 (the first line is a title)"),
    ("semicolons.csv", "a;b;y\n" + PLAIN.replace(",", ";"), "y", {}, "separated by semicolons"),
    ("c25.txt", "a,b,y\n" + PLAIN, "y", {}, ""),
    ("excel.csv", "sep=;\r\n" + "a;b;y\n" + PLAIN.replace(",", ";"), "y", {}, ""),
    ("latin.csv", ("a,b,größe\n" + PLAIN).encode("latin-1"), "größe", {"encoding": "latin-1"},
     "data.encoding: latin-1 (the file is not UTF-8 (line 1)"),
    ("utf16.csv", ("a\tb\ty\n" + PLAIN.replace(",", "\t")).encode("utf-16"), "y", {}, "separated by tabs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "target", "keys", "told"), PAGES, ids=[case[0] for case in PAGES]
)
def test_a_page_that_is_valid_as_it_is(
    workplace: Path, name: str, content: str | bytes, target: str, keys: dict[str, Any], told: str
) -> None:
    """C1, C2, C23, C24, C25."""
    (workplace / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    made = init("--data", name, "--target", target)
    assert made.code == 0, made.err
    assert told in made.err
    data = data_of()
    for key in ("format", "delimiter", "encoding", "header", "comment", "quote", "index"):
        assert data.get(key) == keys.get(key)
    assert data["target"] == keys.get("target", target)
    text = content.decode("latin-1") if isinstance(content, bytes) else content
    expected = {"c1": 46, "c2": 46, "blank": 46, "c23": 46, "index": 46}.get(name.partition(".")[0])
    assert counted() == (expected or {"c24.csv": 59}.get(name, 60)), text[:100]
    if keys.keys() - {"target"}:
        (key,) = keys.keys() - {"target"}
        line = next(line for line in Path("config.yaml").read_text().splitlines() if f"  {key}: " in line)
        assert "  # " in line


@pytest.mark.parametrize("command", ["fit", "validate"])
@pytest.mark.parametrize("content", [C1, C2])
def test_what_was_not_declared_stops(workplace: Path, command: str, content: str) -> None:
    (workplace / "d.csv").write_text(content)
    assert init("--data", "d.csv", "--target", "3").code == 0
    page = Path("config.yaml")
    page.write_text("".join(line for line in page.read_text().splitlines(True) if "header:" not in line))
    found = bptrain(command, page, "--set", "training.epochs=1")
    assert found.code == 3
    assert found.err.count("error:") == 1
    assert "data.header: false if this is a row; data.header: true if these are names" in found.err
    assert "d.csv:1: error: " in found.err


def test_a_name_in_a_line_that_looks_like_a_row(workplace: Path) -> None:
    """C1 as it was tried: no row is lost, and both ways out are named."""
    (workplace / "d.csv").write_text(C1)
    found = init("--data", "d.csv", "--target", "a")
    assert found.code == 3
    assert "there is no column 'a'; the file has x1, x2, x3" in found.err
    assert "--set data.header=true" in found.err
    assert init("--data", "d.csv", "--target", "a", "--set", "data.header=true").code == 0
    assert (data_of()["header"], data_of()["target"], counted()) == (True, "a", 45)


def test_declared_to_init(workplace: Path) -> None:
    text = "".join(f"{i % 7};{i % 5},5;{i % 3}\n" for i in range(60))
    (workplace / "d.csv").write_text("a;b;y\n" + text)
    ways = ["data.delimiter=;", "data.missing_markers=[default, '-1']", "data.quote=''"]
    made = init("--data", "d.csv", "--target", "y", *(word for way in ways for word in ("--set", way)))
    assert made.code == 0, made.err
    data = data_of()
    assert (data["delimiter"], data["missing_markers"], data["quote"]) == (";", ["default", "-1"], "")
    assert "--set data.delimiter=;" in Path("config.yaml").read_text().replace("'", "")
    tabs = init("--data", "d.csv", "--target", "y", "--set", "data.delimiter=tab", "--force")
    assert (tabs.code, "there is no column 'y'; the file has a;b;y" in tabs.err) == (3, True)
    for wrong, words in (
        ("training.epochs=1", "takes only the keys that say how the file is written: data.format"),
        ("header=false", "takes only the keys"),
        ("data.header=maybe", "must be true, false"),
    ):
        found = init("--data", "d.csv", "--target", "y", "--set", wrong, "--force")
        assert (found.code, words in found.err) == (2, True), found.err


def test_a_run_evaluates_files_that_are_written_alike(workplace: Path) -> None:
    """`eval --data` reads by what the run declared, and says what it decided."""
    (workplace / "d.csv").write_text(C1.replace(",", ";"))
    assert init("--data", "d.csv", "--target", "3").code == 0
    fit = bptrain("fit", "config.yaml", "--set", "training.epochs=1", "--json")
    assert fit.code == 0, fit.err
    (workplace / "e.txt").write_text("7.5|3.1|b\n" + C1.replace(",", "|"))
    found = bptrain("eval", fit.json["run"], "--data", "e.txt")
    assert found.code == 0, found.err
    assert "data, 47 rows" in found.out
    assert "reading: the cells of e.txt are separated by bars" in found.err
    again = bptrain("eval", fit.json["run"], "--data", "d.csv", "--json")
    assert again.json["rows"] == 46
    assert bptrain("gradcheck", fit.json["run"]).code == 0


def test_several_files_train(workplace: Path) -> None:
    parts = PLAIN.splitlines(True)
    (workplace / "a.csv").write_text("a,b,y\n" + "".join(parts[:30]))
    (workplace / "b.csv").write_text(
        "y;a;b\n" + "".join(f"{yn(i)};{i % 11};{i % 5}\n" for i in range(30, 60))
    )
    (workplace / "whole.csv").write_text("a,b,y\n" + PLAIN)
    assert init("--data", "whole.csv", "--target", "y").code == 0
    short = ("--set", "training.epochs=1", "--json")
    whole = bptrain("fit", "config.yaml", *short)
    both = bptrain("fit", "config.yaml", "--set", "data.train=[a.csv, b.csv]", *short)
    assert both.code == 0, both.err
    assert both.json["final"] == whole.json["final"]
    run = Path(both.json["run"])
    written = yaml.safe_load((run / "config.yaml").read_text())["data"]["train"]
    assert written == [str(workplace / "a.csv"), str(workplace / "b.csv")]
    assert bptrain("eval", run, "--split", "test").code == 0
    resumed = bptrain("fit", run / "config.yaml", "--resume", run, "--set", "training.epochs=2")
    assert resumed.code == 0, resumed.err


# --- arrays ---


def arrays(file: str, **named: str) -> None:
    """An NPZ of inputs ("X"), targets ("y") and of rows that are neither."""
    rng = np.random.default_rng(0)
    made = {"X": rng.normal(size=(60, 3)), "y": np.arange(60) % 3, "z": np.arange(4)}
    np.savez(file, **{name: made[kind] for name, kind in named.items()})  # type: ignore[arg-type]


def test_arrays_of_other_names(workplace: Path) -> None:
    """C19."""
    arrays("d.npz", A="X", B="y", other="z")
    found = init("--data", "d.npz")
    assert found.code == 3
    assert (
        "error: --features: which array holds the inputs? d.npz has A, B, other: give --features NAME"
        in found.err
    )
    assert (
        "error: --target: which array holds the targets? d.npz has A, B, other: give --target NAME"
        in found.err
    )
    assert "data.features" not in found.err
    wrong = init("--data", "d.npz", "--features", "a", "--target", "B")
    assert (wrong.code, "no array named a; it has A, B, other (did you mean A?)" in wrong.err) == (3, True)
    same = init("--data", "d.npz", "--features", "A", "--target", "A")
    assert (same.code, "both the array of the inputs and that of the targets" in same.err) == (3, True)
    assert init("--data", "d.npz", "--features", "A", "--target", "B").code == 0
    assert (data_of()["features"], data_of()["target"], counted()) == ("A", "B", 60)


@pytest.mark.parametrize(
    ("named", "features", "target"),
    [
        ({"X_train": "X", "y_train": "y", "X_test": "X", "y_test": "y"}, "X_train", "y_train"),
        ({"X": "X", "labels": "y"}, None, "labels"),
        ({"x_train": "X", "y_train": "y"}, "x_train", "y_train"),
        ({"X": "X", "y": "y", "names": "z"}, None, None),
        ({"inputs": "X", "targets": "y"}, "inputs", "targets"),
    ],
)
def test_arrays_of_usual_names(
    workplace: Path, named: dict[str, str], features: str | None, target: str | None
) -> None:
    """C27."""
    arrays("d.npz", **named)
    assert init("--data", "d.npz").code == 0
    assert (data_of().get("features"), data_of().get("target"), counted()) == (features, target, 60)
    assert ("X_test, y_test: not used" in Path("config.yaml").read_text()) == ("X_test" in named)


def test_an_array_is_named_for_arrays_only(workplace: Path) -> None:
    (workplace / "d.csv").write_text("a,b,y\n" + PLAIN)
    found = init("--data", "d.csv", "--target", "y", "--features", "a")
    assert (found.code, "--features names the array of the inputs" in found.err) == (2, True)

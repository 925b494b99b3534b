"""Several files as one table, and where they do not fit together."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.data.joined_files import JoinedFiles, source_of_paths
from bptrain.data.sources import FileSource
from command import bptrain
from data.helpers import CROSS, prepared, problems, whole, write

ROWS = [(k % 7, "rg"[k % 2], "ab"[k % 2]) for k in range(60)]
CONFIG = """data: {train: all.csv, target: kind}
network: {sizes: [auto, 4, auto]}
loss: cross_entropy
training: {epochs: 2}
"""


def table(rows: list[tuple[Any, ...]], order: tuple[int, ...] = (0, 1, 2)) -> str:
    """Some rows as CSV, with the columns in this order."""
    lines = [("size", "color", "kind"), *rows]
    return "\n".join(",".join(str(line[k]) for k in order) for line in lines) + "\n"


@pytest.fixture
def parts(workplace: Path) -> Path:
    """One table whole, and in three files: with columns in another order, packed, and as JSON lines."""
    (workplace / "all.csv").write_text(table(ROWS))
    (workplace / "parts").mkdir()
    (workplace / "parts" / "a.csv").write_text(table(ROWS[:20], (2, 0, 1)))
    (workplace / "parts" / "b.csv.gz").write_bytes(gzip.compress(table(ROWS[20:30]).encode(), mtime=0))
    lines = [json.dumps(dict(zip(("size", "color", "kind"), row, strict=True))) for row in ROWS[30:]]
    (workplace / "parts" / "c.jsonl").write_text("\n".join(lines))
    (workplace / "c.yaml").write_text(CONFIG)
    return workplace


@pytest.mark.parametrize("train", ["parts/*", "parts/[a-c].*", "p?rts/*", "{inputs: parts/*}"])
def test_like_one_file(parts: Path, train: str) -> None:
    like = bptrain("fit", "c.yaml", "--json").json
    fit = bptrain("fit", "c.yaml", "--set", f"data.train={train}", "--json")
    assert fit.code == 0, fit.err
    assert fit.json["final"] == like["final"]
    assert bptrain("validate", f"{fit.json['run']}/config.yaml").code == 0
    for arguments in (["--split", "train"], ["--data", "parts/*"]):
        assert bptrain("eval", fit.json["run"], *arguments).code == 0
    assert bptrain("gradcheck", fit.json["run"]).code == 0
    assert bptrain("config", "show", "c.yaml", "--set", f"data.train={train}").code == 0


def test_init_takes_a_pattern(parts: Path) -> None:
    assert bptrain("init", "--data", "parts/*", "--target", "kind").code == 0
    text = Path("config.yaml").read_text()
    assert "parts/*" in text
    assert "60 rows" in text
    assert bptrain("fit", "config.yaml", "--set", "training.epochs=1").code == 0


def test_a_run_notices_that_one_of_the_files_has_changed(parts: Path) -> None:
    run = bptrain("fit", "c.yaml", "--set", "data.train=parts/*", "--json").json["run"]
    (parts / "parts" / "b.csv.gz").write_bytes(gzip.compress(table(ROWS[20:31]).encode()))
    gone = bptrain("eval", run, "--split", "test")
    assert (gone.code, "has changed" in gone.err) == (3, True)
    (parts / "parts" / "b.csv.gz").write_bytes(gzip.compress(table(ROWS[20:30]).encode(), mtime=0))
    assert bptrain("eval", run, "--split", "test").code == 0
    (parts / "parts" / "d.csv").write_text(table(ROWS[:2]))
    assert bptrain("eval", run, "--split", "test").code == 3


def test_the_digest_is_over_all(tmp_path: Path) -> None:
    a, b = (write(tmp_path, f"x,y\n{k},{k}\n", f"{k}.csv").inputs for k in (1, 2))
    both, turned = JoinedFiles((a, b)).digests("train"), JoinedFiles((b, a)).digests("train")
    assert both.keys() == {"train"}
    assert both != turned
    assert JoinedFiles((tmp_path / "*.csv",)).digests("train") == both
    assert JoinedFiles((tmp_path / "1*.csv",)).digests("train") == FileSource(a).digests("train")


def test_errors_name_file_and_line(tmp_path: Path) -> None:
    a = write(tmp_path, "x,y\n" + "1,2\n" * 9, "a.csv").inputs
    b = write(tmp_path, "y,x\n1,2\n2,oops\n", "b.csv").inputs
    [problem] = problems(whole(JoinedFiles((a, b))))
    assert (problem.code, problem.file, problem.line) == ("not_a_number", str(b), 3)
    b.write_text("y,x\n1,2\n2,\n")
    [problem] = problems(whole(JoinedFiles((a, b))))
    assert (problem.code, problem.file, problem.line) == ("missing_cell", str(b), 3)
    rows = prepared(whole(JoinedFiles((b, a)), missing="drop")).splits["train"]
    np.testing.assert_array_equal(rows.y_true.ravel(), [1, *[2] * 9])
    b.write_text("y,x\n1,2\n2\n")
    assert [(p.file, p.line) for p in problems(whole(JoinedFiles((a, b))))] == [(str(b), 3)]


def test_columns_that_differ_are_listed(tmp_path: Path) -> None:
    files = [
        write(tmp_path, text, f"{k}.csv").inputs
        for k, text in enumerate(
            ["x,z,y\n1,1,2\n", "y,x,z\n1,2,3\n", "x,y\n1,2\n", "w,x,z,y\n1,1,1,1\n", "X,z,y\n1,2,3\n"]
        )
    ]
    found = problems(whole(JoinedFiles(tuple(files))))
    assert [(p.code, p.file) for p in found] == [("other_columns", str(file)) for file in files[2:]]
    ends = [p.message.partition(": ")[2] for p in found]
    assert ends == ["it lacks z", "it has also w", "it lacks x and it has also X"]
    assert str(files[0]) in found[0].message


def test_what_is_there_but_no_table(tmp_path: Path) -> None:
    a = write(tmp_path, "x,y\n1,a\n2,b\n", "a.csv").inputs
    np.save(tmp_path / "x.npy", np.eye(2))
    [none] = problems(whole(JoinedFiles((tmp_path / "*.tsv",))))
    assert (none.code, none.path, "no file matches" in none.message) == ("file_not_found", "data.train", True)
    [twice] = problems(whole(JoinedFiles((a, tmp_path / "*.csv"))))
    assert (twice.code, str(a) in twice.message) == ("duplicate_file", True)
    [array] = problems(whole(JoinedFiles((tmp_path / "*",))))
    assert (array.code, "x.npy is none" in array.message) == ("several_files", True)
    [missing] = problems(whole(JoinedFiles((a, tmp_path / "b.csv"))), CROSS)
    assert missing.code == "file_not_found"


def test_a_name_that_only_looks_like_a_pattern(tmp_path: Path) -> None:
    odd = write(tmp_path, "x,y\n1,a\n2,b\n", "table [1].csv").inputs
    assert source_of_paths([odd]) == FileSource(odd)

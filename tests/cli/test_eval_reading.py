"""`bptrain eval --data`: the columns of the model say how a file is read, and advice can be taken."""

from pathlib import Path

import pytest

from command import bptrain

CONFIG = """
data: {{train: [a.csv], target: y{more}}}
network: {{sizes: [auto, 2, auto], activations: [tanh, identity]}}
loss: half_squared_error
training: {{epochs: 1}}
"""


def rows(first: int, n: int = 30, index: bool = True) -> str:
    lines = [(i, f"{i * 7 % 11 / 7},{'pq'[i % 2]},{i * 5 % 13 / 3}\n") for i in range(first, first + n)]
    return "".join(f"{i},{line}" if index else line for i, line in lines)


def run_of(workplace: Path, content: str, more: str = "") -> str:
    (workplace / "a.csv").write_text(content)
    (workplace / "config.yaml").write_text(CONFIG.format(more=more))
    fit = bptrain("fit", "config.yaml", "--json")
    assert fit.code == 0, fit.err
    return str(fit.json["run"])


def test_what_the_columns_of_the_model_settle(workplace: Path) -> None:
    """An index that goes on, two separators, a comment above the names, names behind a number sign."""
    run = run_of(workplace, ",x,c,y\n" + rows(0))
    plain = rows(30, index=False)
    two = plain.replace(",", ";").replace("\n", ";1,2\n")
    for content in (
        ",x,c,y\n" + rows(30),
        "x,c,y\n" + plain,
        "x;c;y;i,j\n" + two,
        "# one, two, three\nx,c,y\n" + rows(30, index=False).replace("0.0", "0.5"),
        "# x,c,y\n" + plain,
    ):
        (workplace / "b.csv").write_text(content)
        found = bptrain("eval", run, "--data", "b.csv", "--json")
        assert found.code == 0, (content[:40], found.err)
        assert found.json["rows"] == 30


@pytest.mark.parametrize("index", [True, False])
def test_a_declared_index_that_the_file_lacks(workplace: Path, index: bool) -> None:
    """What the model reads is no index."""
    run = run_of(workplace, "id,x,c,y\n" + rows(100), ", index: true")
    (workplace / "b.csv").write_text(("id,x,c,y\n" if index else "x,c,y\n") + rows(30, index=index))
    found = bptrain("eval", run, "--data", "b.csv", "--json")
    assert (found.code, found.json["rows"]) == (0, 30), found.err


def test_advice_that_can_be_taken(workplace: Path) -> None:
    """A run's config is what it is, so a key of it is no advice by itself."""
    run = run_of(workplace, "x,c,y\n" + rows(0, index=False))
    (workplace / "b.csv").write_text(rows(30, index=False))
    found = bptrain("eval", run, "--data", "b.csv")
    assert found.code == 3
    assert "may be a row" in found.err
    assert "put a line with their names above it" in found.err
    assert "data.header" not in found.err
    (workplace / "b.csv").write_bytes(("x,c,y\n" + rows(30, index=False).replace("p", "é")).encode("latin-1"))
    found = bptrain("eval", run, "--data", "b.csv")
    assert found.code == 3
    assert "save the file as UTF-8" in found.err
    assert "train again with that key" in found.err


def test_the_separator_of_the_run(workplace: Path) -> None:
    run = run_of(workplace, "x,c,y\n" + rows(0, index=False), ', delimiter: ","')
    (workplace / "b.csv").write_text(("x,c,y\n" + rows(30, index=False)).replace(",", ";"))
    found = bptrain("eval", run, "--data", "b.csv")
    assert (found.code, "semicolons would separate it" in found.err) == (3, True), found.err


def test_a_declared_separator_that_separates_nothing(workplace: Path) -> None:
    (workplace / "a.csv").write_text("x,c,y\n" + rows(0, index=False))
    (workplace / "config.yaml").write_text(CONFIG.format(more=', delimiter: ";"'))
    found = bptrain("validate", "config.yaml")
    assert found.code == 3
    assert "there is no column 'y'; the data has x,c,y, as one name" in found.err
    assert 'commas would separate it (data.delimiter: ",")' in found.err
    found = bptrain("init", "--data", "a.csv", "--target", "y", "--set", "data.delimiter=tab", "--force")
    assert (found.code, 'data.delimiter: ","' in found.err) == (3, True), found.err


def test_validation_rows_are_read_alike(workplace: Path) -> None:
    (workplace / "v.csv").write_text(",x,c,y\n" + rows(30))
    run = run_of(workplace, ",x,c,y\n" + rows(0), ", validation: v.csv")
    assert bptrain("eval", run, "--split", "validation").code == 0


def test_files_are_compared_alike(workplace: Path) -> None:
    run = run_of(workplace, ",x,c,y\n" + rows(0))
    (workplace / "b.csv").write_text(",x,c,y\n" + rows(30))
    assert bptrain("data", "compare", run, "b.csv").code == 0

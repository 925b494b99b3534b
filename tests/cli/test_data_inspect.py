"""`bptrain data inspect`: what a file holds, as YAML that a config can have."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from command import bptrain

REST = (
    "network: {{sizes: [auto, 3, auto]}}\nloss: {loss}\ntraining: {{epochs: 1}}\noptimizer: {{name: adam}}\n"
)


def table(n: int, header: str, row: Callable[[int], str], name: str = "d.csv") -> Path:
    file = Path(name)
    file.write_text(f"{header}\n" + "".join(f"{row(k)}\n" for k in range(n)))
    return file


FILES: list[tuple[str, Callable[[int], str], str]] = [
    ("a,c,y", lambda k: f"{k % 7},{'pqr'[k % 3]},{'no' if k % 2 else 'yes'}", "cross_entropy"),
    ("a,c,flag,y", lambda k: f"{k / 7 if k % 9 else ''},{'pq'[k % 2]},{k % 3 == 0},{k % 11}.5", "half_squared_error"),
    ('id,"odd: name",same,y', lambda k: f"{k + 1},{k * 7 % 13},here,{'uv'[k % 2]}", "cross_entropy"),
    ("day,a,y", lambda k: f"2024-0{k % 9 + 1}-1{k % 9},{k % 5},{'uv'[k % 2]}", "cross_entropy"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(FILES)))
def test_its_output_is_the_section_of_a_config(case: int, workplace: Path) -> None:
    header, row, loss = FILES[case]
    table(120, header, row)
    shown = bptrain("data", "inspect", "d.csv", "--target", "y")
    assert shown.code == 0, shown.err
    Path("c.yaml").write_text(shown.out + REST.format(loss=loss))
    made = bptrain("fit", "c.yaml", "--json")
    assert made.code == 0, made.out
    # the columns are the inputs that `init` takes, whose quick page embeds none of them
    bptrain("init", "--data", "d.csv", "--target", "y", "--output", "i.yaml", "--effort", "quick")
    ours, its = (bptrain("validate", file, "--json").json for file in ("c.yaml", "i.yaml"))
    assert (ours["features"], ours["sizes"][0], ours["labels"]) == (
        its["features"],
        its["sizes"][0],
        its["labels"],
    )


def test_its_json(workplace: Path) -> None:
    table(120, FILES[2][0], FILES[2][1])
    found = bptrain("data", "inspect", "d.csv", "--json").json
    assert (found["rows"], found["inputs"]) == (120, 3)
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["id"]["excluded"] == "it is a row number, from 1 to 120"
    assert (columns["same"]["constant"], columns["same"]["excluded"]) == (True, "it is always here")
    assert (columns["odd: name"]["low"], columns["odd: name"]["high"]) == (0.0, 12.0)
    assert columns["y"]["levels"] == {"u": 60, "v": 60}
    assert "# target: …" in found["yaml"]


def test_arrays(workplace: Path) -> None:
    np.savez("d.npz", X=np.ones((30, 4)), y=np.arange(30) % 3)
    shown = bptrain("data", "inspect", "d.npz")
    assert "train: d.npz" in shown.out
    assert "30 rows of 4 inputs" in shown.out
    np.save("x.npy", np.ones((30, 4)))
    np.save("y.npy", np.arange(30.0))
    assert bptrain("data", "inspect", "x.npy").code == 3
    assert "{inputs: x.npy, target: y.npy}" in bptrain("data", "inspect", "x.npy", "--target", "y.npy").out


def test_mistakes(workplace: Path) -> None:
    table(9, "a,y", lambda k: f"{k},{k}")
    wrong = bptrain("data", "inspect", "d.csv", "--target", "z", "--json")
    assert (wrong.code, wrong.json["errors"][0]["code"]) == (3, "unknown_column")
    assert bptrain("data", "inspect", "none.csv").code == 3


def test_what_init_says_is_short_and_offers_a_way(workplace: Path) -> None:
    """F2, F4 and F5: no number of 31 digits, a line for 428 columns, and a config without the row of one text."""
    names = ",".join(f"x{k}" for k in range(428))
    zeros = ",".join(["0"] * 428)

    def row(k: int) -> str:
        return f"{zeros},{k % 7},{(k % 9) * 1e30:g},{'rotary' if k == 45 else k * 3},{'uv'[k % 2]}"

    table(60, f"{names},a,big,rpm,y", row)
    made = bptrain("init", "--data", "d.csv", "--target", "y")
    assert made.code == 0, made.err
    assert "excluded: 428 columns are constant: x0, x1, x2, x3, x4 and 423 more" in made.err
    assert len(made.err.splitlines()) < 12
    page = Path("config.yaml").read_text()
    assert "numbers from 0 to 8e+30" in page
    assert not any(len(word) > 25 and word.isdigit() for word in (page + made.err).replace(",", " ").split())
    (offer,) = [line for line in page.splitlines() if "to use it without such rows: " in line]
    assert offer.endswith('such rows: missing_markers: [default, "rotary"], missing: {"rpm": drop}')
    lines = [line for line in page.splitlines() if not line.startswith(("    - rpm", "  missing:"))]
    at = next(k for k, line in enumerate(lines) if line.startswith("  train:"))
    lines[at:at] = ['  missing_markers: [default, "rotary"]', '  missing: {"rpm": drop}']
    Path("c.yaml").write_text("\n".join(lines))
    told = bptrain("validate", "c.yaml", "--json")
    assert told.code == 0, told.out
    assert "rpm" in told.json["features"]
    assert sum(told.json["rows"].values()) == 59


def test_large_labels_are_short(workplace: Path) -> None:
    """F2: in the baseline and in the matrix, too."""
    np.savez(
        "d.npz", X=np.random.default_rng(0).normal(size=(60, 2)), y=np.where(np.arange(60) % 3, 1e30, 2e30)
    )
    made = bptrain("init", "--data", "d.npz", "--task", "classification")
    assert made.code == 0, made.err
    assert bptrain("fit", "config.yaml", "--set", "training.epochs=1", "--out", "run", "--quiet").code == 0
    shown = bptrain("eval", "run")
    assert "always 1e+30" in shown.out
    assert "0000000000" not in shown.out + made.err + Path("config.yaml").read_text()


def test_weights_of_rows(workplace: Path) -> None:
    """`init --weight`: of a table, and of arrays."""
    table(80, "a,w,y", lambda k: f"{k * 7 % 13},{k % 3 + 1},{'uv'[k % 2]}")
    made = bptrain("init", "--data", "d.csv", "--target", "y", "--weight", "w")
    assert made.code == 0, made.err
    page = Path("config.yaml").read_text()
    assert "  weight: w " in page
    assert "--weight w" in page.splitlines()[1]
    told = bptrain("validate", "config.yaml", "--json").json
    assert told["features"] == ["a"]
    for weight, said in (("z", "no column 'z'"), ("y", "y is the target"), ("a", None)):
        made = bptrain("init", "--data", "d.csv", "--target", "y", "--weight", weight, "--force")
        assert made.code == (0 if said is None else 3)
        assert said is None or said in made.err
    table(80, "a,w,y", lambda k: f"{k * 7 % 13},{k % 3 - 1},{'uv'[k % 2]}")
    made = bptrain("init", "--data", "d.csv", "--target", "y", "--weight", "w", "--force")
    assert (made.code, "weights are 0 or more" in made.err) == (3, True)
    np.savez("d.npz", X=np.random.default_rng(0).normal(size=(60, 2)), y=np.arange(60) % 2, w=np.ones(60))
    assert bptrain("init", "--data", "d.npz", "--weight", "w", "--force").code == 0
    assert bptrain("validate", "config.yaml").code == 0

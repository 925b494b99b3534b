"""The protocol of benchmarks/tables.py: sets, seeds and programs, and the rows of each part of a set."""

import csv
import gzip
import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).parent / "tables" / "protocol.toml"
GROUPS = ("reporting", "development", "rest")
OURS = ("today", "quick", "standard", "best")
PARTS = ("train", "validation", "test")
PART = "part_of_the_benchmark"  # the column that says which part a row belongs to
MISSING = {"", "?", "NA"}

Rows = NDArray[np.intp]


class Program(NamedTuple):
    """One program, and what it is given."""

    name: str
    title: str
    rows: str  # "fit and choose", "both", "train"
    small: bool = False  # for sets that are not large
    few_seeds: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is bptrain."""
        return self.name in OURS


class DataSet(NamedTuple):
    """One set of the folder of data."""

    name: str
    group: str
    file: str
    target: str
    task: str
    test: str = ""
    test_indices: str = ""  # numbers of test rows, a split in each line
    labels: str = ""  # of IDX files
    test_labels: str = ""
    row_count: int = 0  # of the rows of IDX files
    classes: int = 0  # and of their classes
    exclude: tuple[str, ...] = ()
    large: bool = False  # more than 25,000 rows
    all_splits: bool = False


class Table(NamedTuple):
    """The cells of a set; rows without a target have gone."""

    names: list[str]
    rows: list[list[str]]
    numbers: list[int]  # of the rows, in the file
    of_test: int  # the last so many rows are those of the test file

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]


class Protocol(NamedTuple):
    """What is measured."""

    sets: dict[str, DataSet]
    programs: dict[str, Program]
    seeds: dict[str, list[int]]
    shares: dict[str, float]

    def takes(self, program: Program, one: DataSet) -> bool:
        """Whether a program is fitted to a set."""
        takes_images = program.is_ours and program.name != "best"
        return not (program.small and one.large) and (takes_images or not one.labels)

    def seeds_of(self, one: DataSet, program: Program) -> list[int]:
        """The seeds with which a program is fitted to a set."""
        if program.few_seeds:
            return self.seeds["few"]
        return self.seeds["published" if one.all_splits else "usual"]


def protocol(file: Path = FILE) -> Protocol:
    """What the file says."""
    said: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    sets = {
        name: DataSet(name, group, **(keys | {"exclude": tuple(keys.get("exclude", ()))}))
        for group in GROUPS
        for name, keys in said[group].items()
    }
    programs = {name: Program(name, **keys) for name, keys in said["programs"].items()}
    return Protocol(sets, programs, said["seeds"], said["split"])


def table_of(one: DataSet, folder: Path) -> Table:
    """The rows of a set: those of its file, then those of its test file."""
    names, rows = cells(folder / one.name / one.file)
    tested: list[list[str]] = []
    if one.test:
        again, tested = cells(folder / one.name / one.test)
        assert again == names, f"{one.name}: the test file has other columns"
    place = names.index(one.target)
    kept = [(number, row) for number, row in enumerate(rows + tested) if row[place].strip() not in MISSING]
    of_test = sum(number >= len(rows) for number, _ in kept)
    return Table(names, [row for _, row in kept], [number for number, _ in kept], of_test)


def cells(file: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8-sig")
    header, *rows = list(csv.reader(text.splitlines()))
    return header, rows


def parts_of(
    one: DataSet, table: Table, seed: int, shares: dict[str, float], folder: Path
) -> dict[str, Rows]:
    """The rows of each part, by their places in the table."""
    n = len(table.rows)
    labels = table.column(one.target) if one.task == "classification" else [""] * n
    every = np.arange(n)
    if one.test:
        test = every[n - table.of_test :]
    elif one.test_indices:
        lines = (folder / one.name / one.test_indices).read_text(encoding="utf-8").splitlines()
        named = {int(word) for word in lines[seed - 1].split()}
        test = np.array([place for place, number in enumerate(table.numbers) if number in named])
    else:
        test = drawn(every, labels, shares["test"], np.random.default_rng([seed, 0]))
    rest = np.setdiff1d(every, test)
    published = bool(one.test or one.test_indices)
    share = shares["validation"] if published else shares["validation"] * n / len(rest)
    validation = drawn(rest, labels, share, np.random.default_rng([seed, 1]))
    return {"train": np.setdiff1d(rest, validation), "validation": validation, "test": test}


def drawn(rows: Rows, labels: Sequence[str], share: float, random: np.random.Generator) -> Rows:
    """A share of the rows, each class in proportion: of the shuffled rows, ordered by class, every (1/share)-th."""
    shuffled = rows[random.permutation(len(rows))]
    ordered = np.array(sorted(shuffled, key=lambda row: labels[row]))
    count = round(share * len(rows))
    places = ((np.arange(count) + random.random()) * len(rows) / count).astype(int)
    return np.sort(ordered[places])


def digest(parts: dict[str, Rows]) -> str:
    """What tells one division of the rows from others."""
    text = "\n".join(",".join(map(str, parts[part])) for part in PARTS)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_table(table: Table, parts: dict[str, Rows], file: Path) -> None:
    """The file that every program is given: the set's own cells, and the part of each row."""
    part_of = {int(row): part for part in PARTS for row in parts[part]}
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*table.names, PART])
        writer.writerows([*row, part_of[number]] for number, row in enumerate(table.rows))


def categories(table: Table, one: DataSet) -> list[str]:
    """The inputs whose cells are no numbers."""
    inputs = [name for name in table.names if name != one.target and name not in one.exclude]
    return [name for name in inputs if not all(map(is_number, set(table.column(name)) - MISSING))]


def is_number(cell: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True

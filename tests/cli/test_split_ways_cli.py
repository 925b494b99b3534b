"""Ways of splitting in commands: what fit does, validate, explain and config show tell, and eval and resume repeat."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import bptrain
from bptrain.build.data import prepare_data
from bptrain.config import load_config
from bptrain.model.load import load_run, training_data
from bptrain.store.run_directory import RunDirectory
from command import bptrain as command
from conftest import ROOT

CONFIG = """
data: {train: d.csv, target: y}
network: {sizes: [auto, 3, auto]}
loss: cross_entropy
training: {epochs: 2, engine: numpy}
"""
WAYS = {
    "group": "group: who",
    "time": "time: day",
    "hash": "hash: id",
    "hash, salted": "hash: id, seed: 3",
    "column": "column: part",
    "index": "index: test_indices.txt, line: 2",
    "index and group": "index: test_indices.txt, line: 1, group: who",
    "seed": "seed: 4",
}
of_each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


@pytest.fixture
def config(workplace: Path) -> Path:
    """A config and its data, without a way of splitting."""
    days = [f"{2000 + k // 12}-{1 + k % 12:02}-01" for k in range(60)]
    rows = [
        f"r{k},s{k // 6},{days[k]},{['test', 'val', 'train', 'train'][k % 4]},{k % 7},{'ab'[k % 2]}"
        for k in range(60)
    ]
    Path("d.csv").write_text("\n".join(["id,who,day,part,x,y", *rows]) + "\n")
    Path("test_indices.txt").write_text("0 1 2 3 4 5\n10 20 30\n")
    Path("c.yaml").write_text(CONFIG)
    return Path("c.yaml")


def split_of(path: Path | str) -> dict[str, list[int]]:
    run = RunDirectory(Path(path))
    prepared = training_data(load_run(run, "best"), run, np.float64)
    return {name: rows.row_index.tolist() for name, rows in prepared.splits.items()}


@of_each_way
def test_a_run_keeps_its_split(config: Path, way: str) -> None:
    """Its own config, eval, gradcheck and --resume give the same rows; the seed of the run is another in each."""
    setting = ["--set", f"data.split={{{way}}}"]
    fitted = command("fit", config, *setting, "--out", "run", "--json")
    assert fitted.code == 0, fitted.err
    first = split_of("run")
    prepared = prepare_data(load_config(config, [setting[1]]))
    assert {name: rows.row_index.tolist() for name, rows in prepared.splits.items()} == first
    assert command("eval", "run", "--split", "test", "--json").json["rows"] == len(first["test"])
    assert command("gradcheck", "run").code == 0
    more = command("fit", config, *setting, "--resume", "run", "--set", "training.epochs=3", "--json")
    assert (more.code, more.json["epochs"]) == (0, 3), more.err
    assert split_of("run") == first
    again = command("fit", "run/config.yaml", "--out", "again", "--json")
    assert again.code == 0, again.err
    assert split_of("again") == first
    assert again.json["best"] == more.json["best"]


@pytest.mark.parametrize("way", ["hash: id", "seed: 4", "group: who, seed: 4"])
def test_one_split_for_all_seeds(config: Path, way: str) -> None:
    done = command("fit", config, "--set", f"data.split={{{way}}}", "--seeds", "2", "--out", "s", "--json")
    assert done.code == 0, done.err
    one, other = (RunDirectory(Path(f"s/seed-{seed}")) for seed in (0, 1))
    assert split_of(one.path) == split_of(other.path)
    assert not np.array_equal(load_run(one, "best").w, load_run(other, "best").w)


def test_a_changed_index_file_is_noticed(config: Path) -> None:
    setting = ["--set", "data.split={index: test_indices.txt, line: 2}"]
    command("fit", config, *setting, "--out", "run")
    assert list(json.loads(Path("run/run.json").read_text())["data"]) == ["train", "split_index"]
    assert str(Path("test_indices.txt").absolute()) in Path("run/config.yaml").read_text()
    checkpoint = Path("run/best.safetensors").read_bytes()
    assert str(Path.cwd()).encode() not in checkpoint
    Path("test_indices.txt").write_text("0 1 2 3 4 5\n10 20 31\n")
    evaluated = command("eval", "run")
    assert evaluated.code == 3
    assert "the data of run has changed since it was trained" in evaluated.err
    resumed = command("fit", config, *setting, "--resume", "run", "--set", "training.epochs=3")
    assert resumed.code == 3
    assert "the split_index data has changed since run was trained" in resumed.err


def test_commands_say_how_rows_are_split(config: Path) -> None:
    setting = ["--set", "data.split={group: who}"]
    line = (
        "by groups, who: 48 train of 8 groups, 6 validation of 1 group, 6 test of 1 group; who is no input "
        "(data.features can name it)"
    )
    checked = command("validate", config, *setting)
    assert f"split        {line}\n" in checked.out
    assert command("validate", config, *setting, "--json").json["split"] == "by groups, who"
    assert "(at random, in proportion to the classes)" in command("validate", config).out
    fitted = command("fit", config, *setting)
    assert f"split: {line}\n" in fitted.err
    page = command("explain", config, *setting).out
    assert "the other rows are split off: by groups, who" in page
    shown = command("config", "show", config, *setting).out
    assert "group: who" in shown
    assert "stratify" not in shown
    assert "shuffle" not in shown.partition("training:")[0]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("groups", "group"), ("group_column", "group"), ("test_size", "test"), ("random_state", "seed"),
        ("split_column", "column"), ("date", "time"), ("hash_column", "hash"), ("indices", "index"), ("row", "line"),
        ("salt", "seed"),
    ],
)  # fmt: skip
def test_names_of_other_tools(config: Path, key: str, meant: str) -> None:
    refused = command("validate", config, "--set", f"data.split.{key}=1", "--json")
    assert refused.code == 2
    assert [error["suggestion"] for error in refused.json["errors"]] == [meant]


def test_several_files(config: Path) -> None:
    lines = Path("d.csv").read_text().splitlines()
    for k in range(2):
        Path(f"part-{k}.csv").write_text("\n".join([lines[0], *lines[1 + 30 * k : 31 + 30 * k]]) + "\n")
    settings = ["--set", "data.train=part-*.csv", "--set", "data.split={group: who}"]
    assert command("fit", config, *settings, "--out", "several").code == 0
    command("fit", config, "--set", "data.split={group: who}", "--out", "one")
    assert split_of("several") == split_of("one")
    Path("part-1.csv").write_text(Path("part-1.csv").read_text().replace(",s9,", ",,"))
    wrong = command("fit", config, *settings)
    assert wrong.code == 3
    assert "part-1.csv:26: error: split column who has no value here" in wrong.err


def test_a_frame_in_python(config: Path) -> None:
    rows = [line.split(",") for line in Path("d.csv").read_text().split()]
    frame = dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))
    settings = {"data": {"target": "y", "split": {"group": "who"}}, "network": {"sizes": ["auto", 3, "auto"]}}
    settings |= {"loss": "cross_entropy", "training": {"epochs": 2, "engine": "numpy"}}
    run = bptrain.fit(settings, data=frame)
    command("fit", config, "--set", "data.split={group: who}", "--out", "run")
    assert run.result["best"] == command("fit", "run/config.yaml", "--json").json["best"]


# SHA-256 over the numbers of the rows of each split, of the version before there were ways of splitting.
DIGESTS = {
    ("iris", "seed=0"): "4f4b76a754be146d",
    ("iris", "seed=7"): "5a7ba358d05c4462",
    ("iris", "data.split.stratify=false"): "b0024f3a37001346",
    ("iris", "data.split.shuffle=false"): "c1c9040b21896478",
    ("penguins", "seed=0"): "edd956a6831dd64a",
    ("linnerud", "seed=7"): "5d77d4ad06ef6485",
    ("xor", "seed=0"): "fea7a2ab1e6a970f",
}


@pytest.mark.parametrize(("name", "setting"), DIGESTS)
def test_existing_configs_keep_their_splits(name: str, setting: str) -> None:
    prepared = prepare_data(load_config(ROOT / f"configs/{name}.yaml", [setting]))
    found = hashlib.sha256()
    for split, rows in prepared.splits.items():
        found.update(f"{split} {rows.row_index.tolist()}\n".encode())
    assert found.hexdigest()[:16] == DIGESTS[name, setting]


def test_a_column_by_its_place(config: Path) -> None:
    """Without a header columns are x1 … xn, and a number is the place of one."""
    lines = Path("d.csv").read_text().splitlines()[1:]
    Path("bare.csv").write_text("\n".join(lines) + "\n")
    bare = ["--set", "data={train: bare.csv, header: false, target: 6, split: {group: 2}}"]
    assert command("fit", config, *bare, "--out", "bare").code == 0
    command("fit", config, "--set", "data.split={group: who}", "--out", "named")
    assert split_of("bare") == split_of("named")
    text = Path("bare/config.yaml").read_text()
    assert "group: x2" in text


def test_splits_travel_with_a_project(config: Path) -> None:
    """An index file that has moved with its run is found again, by its digest."""
    Path("old").mkdir()
    for name in ("d.csv", "test_indices.txt", "c.yaml"):
        Path(name).rename(Path("old", name))
    fitted = command(
        "fit", "old/c.yaml", "--set", "data.split={index: test_indices.txt, line: 2}", "--out", "old/run"
    )
    assert fitted.code == 0, fitted.err
    Path("old").rename("new")
    assert command("eval", "new/run", "--json").json["rows"] == 3
    Path("new/test_indices.txt").rename("new/elsewhere.txt")
    gone = command("eval", "new/run")
    assert gone.code == 3
    assert "the split_index data of new/run is gone" in gone.err

"""`bptrain runs`: the settings in which runs differ, filters, and the index that makes it quick."""

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.runs.differing import differing
from bptrain.commands.runs.run_reading import flat
from bptrain.commands.runs.run_rows import RunRow
from bptrain.commands.runs.runs import RunList
from bptrain.commands.runs.where import conditions, fulfilling
from bptrain.console.runs import short_names, show_runs
from bptrain.console.terminal.screen import Screen
from bptrain.store import run_index, run_places
from bptrain.store.plain import parsed
from bptrain.store.run_directory import RunDirectory
from bptrain.store.run_index import NAME, RunIndex, RunSettings
from bptrain.store.run_places import Entries, walk
from command import bptrain

SETTINGS: dict[str, dict[str, Any]] = {
    "one": {"optimizer": "adam"},
    "two": {"optimizer": {"name": "momentum", "learning_rate": 0.05}},
    "three": {"optimizer": "adam", "network": {"sizes": [4, 8, 3]}},
}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs of different settings, some time ago."""
    from conftest import ROOT

    folder = tmp_path_factory.mktemp("three")
    for number, (name, changes) in enumerate(SETTINGS.items()):
        config = {
            "data": {"train": f"{ROOT}/data/iris.csv", "target": "species"},
            "network": {"sizes": [4, 6, 3]},
            "loss": "cross_entropy",
            "training": {"epochs": 1 + number, "engine": "numpy"},
            **changes,
        }
        (folder / f"{name}.yaml").write_text(json.dumps(config))
        assert bptrain("fit", folder / f"{name}.yaml", "--out", folder / "runs" / name).code == 0
    settle(folder / "runs")
    return folder / "runs"


@pytest.fixture
def runs(three: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them in runs/, of which there are enough for an index."""
    shutil.copytree(three, workplace / "runs")
    monkeypatch.setattr(run_index, "LEAST", 3)
    return Path("runs")


def settle(folder: Path) -> None:
    """Makes all of a directory an hour older."""
    for file in [folder, *folder.rglob("*")]:
        status = file.stat()
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns - 3600 * 10**9))


def names(*arguments: str) -> list[str]:
    """The names of the runs that are listed."""
    done = bptrain("runs", *arguments, "--sort", "run", "--json")
    assert done.code == 0, done.err
    return [Path(row["run"]).name for row in done.json["runs"]]


def test_settings_that_differ(runs: Path) -> None:
    found = bptrain("runs", "--sort", "run", "--json").json
    assert found["differing"] == [
        "training.epochs",  # of which there are the most
        "network.sizes", "optimizer.learning_rate", "optimizer.name",
        "optimizer.beta1", "optimizer.beta2", "optimizer.epsilon", "optimizer.mu",  # which only some have
    ]  # fmt: skip
    one, three, two = (row["settings"] for row in found["runs"])
    assert (one["optimizer.name"], two["optimizer.name"]) == ("adam", "momentum")
    assert (one["network.sizes"], three["network.sizes"]) == ([4, 6, 3], [4, 8, 3])
    assert two["optimizer.mu"] == 0.9
    assert "optimizer.mu" not in one
    shown = bptrain("runs", "--sort", "run").out
    head = shown.splitlines()[0].split()
    assert {"optimizer", "learning_rate", "beta1", "sizes", "training.epochs"} <= set(head)
    assert "[4, 8, 3]" in shown
    assert bptrain("runs", "runs/one", "--json").json["differing"] == []


def test_columns_are_few_and_narrow(runs: Path) -> None:
    values = [{f"a.b{key:02d}": value * 50 for key in range(10)} for value in "xyz"]
    assert differing(values) == [f"a.b{key:02d}" for key in range(10)]
    from bptrain.console.runs import SETTINGS as MOST
    from bptrain.console.runs import WIDEST, setting

    assert MOST < 10
    assert len(setting(values[0], "a.b00")) == WIDEST
    keys = ["a.b", "c.b", "data.loss", "optimizer.name", "z"]
    assert short_names(keys, keys) == ["a.b", "c.b", "data.loss", "optimizer", "z"]


def test_what_else_differs_is_no_wall_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [f"a.b{key:02d}" for key in range(90)]
    show_runs(Screen("runs"), RunList(Path("runs"), [RunRow("runs/1", "finished")], keys))
    said = capsys.readouterr().err
    assert "the runs also differ in a.b06, a.b07, " in said
    assert "a.b17 and 72 more: --json has them" in said


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("optimizer.name=adam", ["one", "three"]),
        ("optimizer=adam", ["one", "three"]),
        ("optimizer.name!=adam", ["two"]),
        ("network.sizes=[4,8,3]", ["three"]),
        ("optimizer.learning_rate=0.05", ["two"]),
        ("optimizer.learning_rate=5e-2", ["two"]),
        ("optimizer.mu=0.9", ["two"]),
        ("optimizer.mu!=0.9", ["one", "three"]),
        ("training.epochs>1", ["three", "two"]),
        ("training.epochs>=2", ["three", "two"]),
        ("training.epochs<2", ["one"]),
        ("epochs<=2", ["one", "two"]),
        ("loss<100", ["one", "three", "two"]),
        ("loss>100", []),
        ("accuracy>=0", ["one", "three", "two"]),
        ("test.accuracy>2", []),
        ("state=finished", ["one", "three", "two"]),
        ("started>2020-01-01", ["one", "three", "two"]),
        ("optimizer.name<5", []),  # a text is not less than a number
        (" optimizer.name = adam", ["one", "three"]),
    ],
)
def test_where(condition: str, expected: list[str], runs: Path) -> None:
    assert names("--where", condition) == expected


def test_several_conditions_and_mistakes(runs: Path) -> None:
    assert names("--where", "optimizer=adam", "--where", "training.epochs=3") == ["three"]
    assert bptrain("runs", "--where", "loss>100").code == 0
    for wrong in ("optimizer.nam=adam", "optimizer", "=adam", "loss<{", ""):
        done = bptrain("runs", "--where", wrong, "--json")
        assert (done.code, done.json["ok"]) == (2, False), wrong
    assert (
        bptrain("runs", "--where", "optimizer.nam=adam", "--json").json["errors"][0]["suggestion"]
        == "optimizer.name"
    )


def test_conditions_of_true_and_of_numbers() -> None:
    (wanted,) = conditions(["network.bias=true"])
    values: list[dict[str, Any]] = [{"network.bias": bias} for bias in (True, 1.0, 1, "true")]
    assert fulfilling([wanted], values) == [True, False, False, False]


def test_settings_as_differences() -> None:
    base = {"a": 1, "b": True, "c": [1, 2]}
    for other in (
        {"a": 2, "b": True, "c": [1, 2]},
        {"a": 1, "c": [2]},
        {"a": 1, "b": 1, "d": None},
        {},
        base,
    ):
        kept = RunSettings.of(other, base)
        assert dict(kept) == other
        assert len(kept) == len(other)
        assert bool(kept) == bool(other)
        assert dict(RunSettings.of(kept, {"z": 0})) == other
    assert type(RunSettings.of({"b": 1}, base)["b"]) is int
    assert flat({"optimizer": "adam", "a": {"b": {}}, "c": {"d": 1}}) == {
        "optimizer.name": "adam",
        "a.b": {},
        "c.d": 1,
    }


def listing() -> Any:
    return bptrain("runs", "--json").json


def test_the_index_says_what_the_runs_say(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = listing()
    assert (runs / NAME).is_file()
    opened: list[str] = []
    from bptrain.commands.runs import run_reading

    of_run = run_reading.row_of

    def read(run: RunDirectory, found: Entries) -> RunRow:
        opened.append(run.path.name)
        return of_run(run, found)

    monkeypatch.setattr(run_reading, "row_of", read)
    written = (runs / NAME).stat().st_mtime_ns
    assert listing() == first
    assert opened == []
    assert (runs / NAME).stat().st_mtime_ns == written
    assert names("--where", "optimizer.mu!=0.9") == ["one", "three"]
    # a run.json that is written again, checkpoints that go, a run that goes
    record = runs / "one" / "run.json"
    record.write_text(record.read_text() + " ")
    assert listing() == first
    assert opened == ["one"]
    for file in (runs / "two" / "checkpoints").iterdir():
        file.unlink()
    assert {row["state"] for row in listing()["runs"]} == {"finished", "damaged"}
    shutil.rmtree(runs / "three")
    assert names() == ["one", "two"]
    (runs / "one").rename(runs / "two" / "four")
    assert names() == ["two", "four"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda index: index.write_bytes(index.read_bytes()[:-10]),
        lambda index: index.write_bytes(index.read_bytes().replace(b"finished", b"finishes", 1)),
        lambda index: index.write_text("{}\n{}"),
        lambda index: index.write_text(""),
        lambda index: index.write_bytes(b"\xff\n\xff"),
        lambda index: index.write_bytes(index.read_bytes().replace(b'"loss"', b'"lost"', 1)),  # of another version
        lambda index: (index.unlink(), index.mkdir()),
        lambda index: [index.unlink(), os.mkfifo(index)],  # type: ignore[func-returns-value]
    ],
)  # fmt: skip
def test_a_damaged_index_is_no_error(damage: Any, runs: Path) -> None:
    first = listing()
    damage(runs / NAME)
    done = bptrain("runs", "--json")
    assert (done.code, done.err, done.json) == (0, "", first)
    assert listing() == first


def test_a_directory_that_may_not_be_written_to(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_index, "written_beside", refuse)
    assert len(listing()["runs"]) == 3
    assert not (runs / NAME).exists()


def test_few_runs_leave_no_file(three: Path, workplace: Path) -> None:
    shutil.copytree(three, workplace / "runs")
    listing()
    assert not Path("runs", NAME).exists()


def test_what_was_written_a_moment_ago_is_read_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the resolution of a clock it may be written once more, and have the same time and size."""
    monkeypatch.setattr(run_index, "LEAST", 2)
    os.utime(runs / "one" / "run.json")
    listing()
    assert RunIndex(runs, run_fields()).get("one", stamp_of(runs / "one")) is None
    assert RunIndex(runs, run_fields()).get("two", stamp_of(runs / "two")) is not None


def run_fields() -> tuple[str, ...]:
    from bptrain.commands.runs.run_rows import INDEXED

    return INDEXED


def stamp_of(run: Path) -> Any:
    from bptrain.store.run_places import walk

    return run_index.Stamp.of(next(walk(run)))


def test_a_run_that_is_not_over_is_read_again(runs: Path) -> None:
    record = runs / "one" / "run.json"
    kept = json.loads(record.read_text())
    del kept["result"]
    record.write_text(json.dumps({**kept, "status": "running"}))
    settle(runs)
    assert {row["state"] for row in listing()["runs"]} == {"finished", "killed"}
    assert RunIndex(runs, run_fields()).get("one", stamp_of(runs / "one")) is None


def test_a_run_without_figures_is_indexed_too(runs: Path) -> None:
    record = runs / "one" / "run.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "status": "interrupted", "result": None}))
    settle(runs)
    first = listing()
    assert {row["state"] for row in first["runs"]} == {"finished", "interrupted"}
    assert RunIndex(runs, run_fields()).get("one", stamp_of(runs / "one")) is not None
    assert listing() == first


def test_many_write_it_at_once(runs: Path) -> None:
    from bptrain.commands.runs.runs import list_runs

    expected = listing()["runs"]
    found: list[int] = []

    def again() -> None:
        for _ in range(5):
            (runs / NAME).unlink(missing_ok=True)
            found.append(len(list_runs(runs).rows))

    threads = [threading.Thread(target=again) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [len(expected)] * 20
    assert [file.name for file in runs.iterdir() if file.name.startswith(".")] in ([], [NAME])
    listing()
    assert listing()["runs"] == expected


def test_links_are_followed_once(runs: Path) -> None:
    (runs / "two" / "again").symlink_to(runs.absolute())
    (runs / "loop").symlink_to("loop")
    shutil.move(runs / "one", "elsewhere")
    (runs / "one").symlink_to(Path("elsewhere").absolute())
    assert names() == ["one", "three", "two"]
    assert names("--where", "training.epochs=1") == ["one"]


def test_a_directory_is_looked_into_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan, looked_into = os.scandir, []

    def counted(path: Any) -> Any:
        looked_into.append(os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", counted)
    few = names()  # opens the runs
    below = [one for one in looked_into if one != "runs"]
    assert sorted(below) == sorted(f"runs/{name}{end}" for name in few for end in ("", "/checkpoints"))
    monkeypatch.setattr(run_index, "SETTLED", 0.0)
    names()
    looked_into.clear()
    assert names() == few  # from the index
    assert not any(one.endswith("checkpoints") for one in looked_into)


@pytest.mark.parametrize("link", ["a", "z"])  # met before what it leads to, and after
@pytest.mark.parametrize("are_seen", [True, False])
def test_a_link_and_what_it_leads_to_are_one(
    link: str, are_seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_places, "LINKS_ARE_SEEN", are_seen)
    if not are_seen:
        monkeypatch.setattr(run_places, "_is_link", lambda entry: False)
    (tmp_path / "m" / "inner").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / link).symlink_to(tmp_path / "m")
    (tmp_path / "m" / "back").symlink_to(tmp_path)
    found = [os.path.relpath(folder.path, tmp_path) for folder in walk(tmp_path)]
    first = "a" if link == "a" else "m"
    assert sorted(found) == sorted([".", "b", first, f"{first}/inner"])


def test_half_a_pair_in_json_is_read() -> None:
    assert parsed(b'{"path": "\\udcff", "loss": NaN}')["path"] == "\udcff"
    with pytest.raises(ValueError, match="Expecting property name"):
        parsed("{")

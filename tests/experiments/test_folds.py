"""Cross-validation in one process: its runs, its directory, and how it goes on."""

import csv
import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.runs import run_reading
from bptrain.errors import Interrupted
from bptrain.experiments import folds
from bptrain.experiments.folds import fit_folds
from bptrain.experiments.news import FitEnds, News
from bptrain.store import run_index
from bptrain.store.run_directory import RunDirectory, locked
from bptrain.store.run_group import RunGroup
from command import bptrain
from conftest import ROOT

SMALL = ("--set", "training.epochs=2", "--set", "training.engine=numpy", "--jobs", 1)


def scores(record: dict[str, Any], split: str = "test") -> list[float]:
    """The accuracy of each run."""
    return [run["best"]["metrics"][split]["accuracy"] for run in record["runs"]]


def test_each_fold_is_an_ordinary_run(iris: Path) -> None:
    record = bptrain("fit", iris, "--folds", 3, *SMALL, "--json").json
    assert record["directory"] == "runs/iris/001"
    assert [(run["fold"], run["run"]) for run in record["runs"]] == [
        (k, f"runs/iris/001/fold-{k}") for k in (1, 2, 3)
    ]
    assert record["mean"]["test"]["accuracy"] == pytest.approx(statistics.fmean(scores(record)))
    assert record["sd"]["validation"]["accuracy"] == pytest.approx(
        statistics.stdev(scores(record, "validation"))
    )
    evaluated = bptrain("eval", "runs/iris/001/fold-2", "--json").json
    assert (evaluated["split"], evaluated["rows"]) == ("test", 50)
    again = bptrain("fit", "runs/iris/001/fold-2/config.yaml", "--out", "again", "--json").json
    assert again["best"] == record["runs"][1]["best"]  # its config says all


def test_repeats_have_other_folds_and_other_weights(iris: Path) -> None:
    outcome = bptrain("fit", iris, "--folds", 2, "--repeat", 2, *SMALL, "--out", "cv")
    assert outcome.out.splitlines()[-1] == "cv"
    assert "best models of 2 folds, 2 times" in outcome.out
    places = [f"repeat-{r}/fold-{k}" for r in (1, 2) for k in (1, 2)]
    assert RunGroup(Path("cv")).read().runs == tuple(places)
    seeds = [bptrain("config", "show", f"cv/{place}/config.yaml", "--json").json for place in places]
    assert [one["config"]["seed"] for one in seeds] == [0, 0, 1, 1]


def rows_of(file: str) -> list[dict[str, str]]:
    """A CSV file by the names of its columns."""
    with Path(file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_row_is_predicted_by_the_model_that_has_not_seen_it(iris: Path) -> None:
    record = bptrain("fit", iris, "--folds", 3, *SMALL, "--json").json
    assert record["out_of_fold"] == "runs/iris/001/out_of_fold.csv"
    rows = rows_of(record["out_of_fold"])
    classes = ["setosa", "versicolor", "virginica"]
    assert [*rows[0]] == ["row", "fold", "species", "prediction", *(f"p_{name}" for name in classes)]
    assert [int(row["row"]) for row in rows] == list(range(150))
    data = rows_of(str(ROOT / "data" / "iris.csv"))
    assert [row["species"] for row in rows] == [row["species"] for row in data]
    for k in (1, 2, 3):
        of_fold = [row for row in rows if row["fold"] == str(k)]
        bptrain("predict", f"runs/iris/001/fold-{k}", "--split", "test", "--proba", "--out", f"{k}.csv")
        assert [{"fold": str(k), **row} for row in rows_of(f"{k}.csv")] == of_fold
        right = sum(row["species"] == row["prediction"] for row in of_fold) / len(of_fold)
        assert right == pytest.approx(record["runs"][k - 1]["best"]["metrics"]["test"]["accuracy"])


def test_out_of_fold_of_a_regression_with_dropped_rows(line: Path) -> None:
    text = Path("line.csv").read_text().replace("\n7,", "\n,")
    Path("line.csv").write_text(text)
    more = ("--set", "data.missing=drop", "--set", "training.engine=numpy", "--set", "training.epochs=2")
    record = bptrain("fit", line, "--folds", 2, "--repeat", 2, *more, "--jobs", 1, "--json").json
    rows = rows_of(record["out_of_fold"])
    assert [*rows[0]] == ["row", "repeat", "fold", "y", "prediction"]
    kept = [k for k in range(40) if k != 7]
    assert [(int(row["repeat"]), int(row["row"])) for row in rows] == [(r, k) for r in (1, 2) for k in kept]
    assert [float(row["y"]) for row in rows] == [1000 + 500 * k for k in kept] * 2
    squares = [(float(row["y"]) - float(row["prediction"])) ** 2 for row in rows if row["repeat"] == "1"]
    of_runs = [run["best"]["metrics"]["test"]["rmse"] for run in record["runs"][:2]]
    sizes = [sum(row["repeat"] == "1" and row["fold"] == str(k) for row in rows) for k in (1, 2)]
    total = sum(n * rmse**2 for n, rmse in zip(sizes, of_runs, strict=True))
    assert sum(squares) == pytest.approx(total, rel=1e-6)


def test_groups_stay_whole_and_classes_even(workplace: Path) -> None:
    lines = [f"{g},{k % 7},{'ab'[g % 3 == 0]}" for g in range(12) for k in range(4)]
    Path("g.csv").write_text("\n".join(["subject,x,y", *lines]) + "\n")
    Path("g.yaml").write_text(
        "data: {train: g.csv, target: y, split: {group: subject, seed: 5}}\n"
        "network: {sizes: [auto, auto]}\nloss: cross_entropy\n"
    )
    record = bptrain("fit", "g.yaml", "--folds", 4, "--repeat", 2, *SMALL, "--json").json
    rows = rows_of(record["out_of_fold"])
    folds = [[row["fold"] for row in rows if row["repeat"] == r] for r in ("1", "2")]
    for of_repeat in folds:
        assert all(len({*of_repeat[4 * g : 4 * g + 4]}) == 1 for g in range(12))
        for k in "1234":
            assert sum(fold == k for fold in of_repeat) == 12
            assert sum(fold == k and i // 4 % 3 == 0 for i, fold in enumerate(of_repeat)) == 4
    assert folds[0] != folds[1]  # data.split.seed is another one, too
    shown = bptrain("config", "show", f"{record['directory']}/repeat-2/fold-1/config.yaml", "--json").json[
        "config"
    ]
    assert (shown["seed"], shown["data"]["split"]["seed"]) == (1, 6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--folds", 1), "give 2 or more"),
        (("--folds", 3, "--repeat", 0), "--repeat 0: give 1 or more"),
        (("--folds", 3, "--jobs", 0), "--jobs 0: give 1 or more"),
        (("--folds", 3, "--seeds", 3), "--folds and --seeds exclude each other"),
        (("--repeat", 3), "--repeat needs --folds"),
        (("--jobs", 2), "--jobs needs --folds, --seeds or an ensemble"),
        (
            ("--folds", 3, "--set", "ensemble.members=2"),
            "trains several networks, and --folds trains one at a time",
        ),
        (
            ("--seeds", 3, "--set", "ensemble.members=2"),
            "trains several networks, and --seeds trains one at a time",
        ),
        (("--folds", 3, "--dry-run"), "--dry-run makes no run"),
        (("--folds", 3, "--set", "data.test=iris.csv"), "a fold is the test set"),
        (("--folds", 3, "--set", "data.split.hash=x"), "--folds: error: data.split.hash says already"),
        (("--folds", 3, "--out", "."), "--out . is not empty"),
    ],
)
def test_what_makes_no_sense(iris: Path, arguments: tuple[object, ...], words: str) -> None:
    outcome = bptrain("fit", iris, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert not Path("runs").exists()


def test_more_folds_than_rows_leave_no_directory(iris: Path) -> None:
    outcome = bptrain("fit", iris, "--folds", 151, *SMALL)
    assert outcome.code == 3
    assert "--folds: error: fold 1: 151 folds need 151 rows at least, but there are 150" in outcome.err
    assert not any(Path("runs/iris").iterdir())


def test_no_command_takes_a_fold_for_the_newest_run(iris: Path) -> None:
    alone = bptrain("fit", iris, *SMALL[:-2], "--json").json["run"]
    bptrain("fit", iris, "--folds", 2, *SMALL)
    assert bptrain("eval", "--json").json["run"] == alone
    assert bptrain("fit", iris, *SMALL[:-2], "--resume", "auto", "--json").json["run"] == alone
    outcome = bptrain("eval", "runs/iris/002")
    assert outcome.code == 5
    assert (
        "runs/iris/002 is a group of runs: name one of those that `bptrain runs runs/iris/002` lists"
        in outcome.err
    )


def test_where_all_runs_are_in_groups(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 2, *SMALL)
    for command in (("eval",), ("predict", ROOT / "data" / "iris.csv")):
        outcome = bptrain(*command)
        assert outcome.code == 5
        assert "outside of groups; one in a group must be named" in outcome.err
        assert "`bptrain runs runs/iris/001` lists them" in outcome.err


def test_a_group_is_one_line_among_the_runs(iris: Path) -> None:
    record = bptrain("fit", iris, "--folds", 2, *SMALL, "--json").json
    [row] = bptrain("runs", "--json").json["runs"]
    assert (row["run"], row["state"]) == ("runs/iris/001", "finished")
    assert row["test"]["accuracy"] == record["mean"]["test"]["accuracy"]
    assert row["group"] == {"kind": "folds", "runs": 2, "finished": 2, "sd": record["sd"]}
    bptrain("fit", iris, *SMALL[:4], "--set", "data.split.folds=2", "--set", "data.split.fold=1")
    # its settings are resolved, as those of a run are
    assert set(bptrain("runs", "--json").json["differing"]) == {"training.threads", "data.split.fold"}
    shown = bptrain("runs").out
    assert "folds 2/2" in shown
    assert "±" in shown
    inside = bptrain("runs", "runs/iris/001", "--json").json["runs"]
    assert sorted(one["run"] for one in inside) == ["runs/iris/001/fold-1", "runs/iris/001/fold-2"]


def test_a_finished_group_is_in_the_index(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_index, "LEAST", 1)
    monkeypatch.setattr(run_index, "SETTLED", 0.0)
    stopped_in(0, iris)
    first = bptrain("runs", "--json").json["runs"]
    assert first[0]["group"]["finished"] == 1
    assert not (Path("runs") / run_index.NAME).exists()  # its runs may go on by themselves
    bptrain("fit", iris, "--folds", 3, *SMALL, "--resume", "auto")
    [row] = bptrain("runs", "--json").json["runs"]
    assert (Path("runs") / run_index.NAME).exists()
    with monkeypatch.context() as patch:
        patch.setattr(run_reading, "row_of_group", None)  # nobody reads it again
        assert bptrain("runs", "--json").json["runs"] == [row]
    file = Path("runs/iris/001/group.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "started": "2026-01-01T00:00:00+00:00"}))
    assert bptrain("runs", "--json").json["runs"][0]["started"].startswith("2026-01-01")


def stopped_in(fit: int, iris: Path, **options: Any) -> Interrupted:
    """A cross-validation of three folds that is stopped when one of them has ended."""

    def show(news: News) -> None:
        if isinstance(news, FitEnds) and news.fit == fit:
            raise KeyboardInterrupt

    overrides = ["training.epochs=2", "training.engine=numpy"]
    with pytest.raises(Interrupted) as caught:
        fit_folds(iris, overrides, 3, jobs=1, show=show, **options)
    return caught.value


def test_what_is_unfinished_goes_on(iris: Path) -> None:
    whole = bptrain("fit", iris, "--folds", 3, *SMALL, "--out", "whole", "--json").json
    stopped = stopped_in(1, iris)
    assert stopped.exit_code == 130
    assert str(stopped).endswith(
        "stopped and saved; 2 of 3 runs are finished; to continue, add --resume runs/iris/001"
    )
    [row] = bptrain("runs", "--json").json["runs"]
    assert (row["state"], row["group"]["finished"]) == ("interrupted", 2)
    assert "folds 2/3 interrupted" in bptrain("runs").out
    first = Path("runs/iris/001/fold-1/run.json")
    before = first.read_bytes()
    on = bptrain("fit", iris, "--folds", 3, *SMALL, "--resume", "auto", "--json").json
    assert on["directory"] == "runs/iris/001"
    assert [run["best"] for run in on["runs"]] == [run["best"] for run in whole["runs"]]
    assert (on["mean"], on["sd"]) == (whole["mean"], whole["sd"])
    assert first.read_bytes() == before  # a finished fold is left
    again = bptrain("fit", iris, *SMALL, "--resume", "runs/iris/001")  # how many folds it has is known
    assert again.code == 0
    assert again.err.count("was finished before") == 3


def test_another_group_does_not_go_on(iris: Path) -> None:
    stopped_in(0, iris)
    other = bptrain("fit", iris, "--folds", 3, *SMALL, "--set", "seed=1", "--resume", "auto")
    assert other.out.splitlines()[-1] == "runs/iris/002"
    assert (
        "not continued: runs/iris/001 was trained with other settings: seed: 0 -> 1; these are new runs"
        in other.err
    )
    for arguments, words in (
        (("--folds", 4), "number of folds: 3 -> 4"),
        (("--folds", 3, "--set", "seed=2"), "seed: 0 -> 2"),
    ):
        refused = bptrain("fit", iris, *arguments, *SMALL, "--resume", "runs/iris/001")
        assert refused.code == 5
        assert f"was trained with other settings: {words}" in refused.err


def test_a_group_may_be_replaced(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 3, *SMALL, "--out", "cv")
    Path("cv/fold-3/mine.txt").write_text("notes")
    assert bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv").code == 2
    outcome = bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv", "--overwrite")
    assert outcome.code == 0, outcome.err
    assert sorted(path.name for path in Path("cv/fold-3").iterdir()) == ["mine.txt"]  # what is not ours stays
    assert RunGroup(Path("cv")).read().runs == ("fold-1", "fold-2")


def test_nothing_is_removed_where_a_new_run_would_find_its_place_taken(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv")
    Path("cv/fold-2/mine.txt").write_text("notes")
    Path("cv/fold-3").mkdir()
    Path("cv/fold-3/other.txt").write_text("notes")
    for folds_now, named in ((2, "cv/fold-2/mine.txt"), (3, "cv/fold-2/mine.txt")):
        outcome = bptrain("fit", iris, "--folds", folds_now, *SMALL, "--out", "cv", "--overwrite")
        assert outcome.code == 2
        assert (
            outcome.err == f"error: --out cv: {named} is not bptrain's: move it, or give another directory\n"
        )
    Path("cv/fold-2/mine.txt").unlink()
    outcome = bptrain("fit", iris, "--folds", 3, *SMALL, "--out", "cv", "--overwrite")
    assert (outcome.code, "cv/fold-3/other.txt is not" in outcome.err) == (2, True)
    assert RunGroup(Path("cv")).read().status == "finished"
    assert bptrain("eval", "cv/fold-2").code == 0


@pytest.mark.parametrize("kind", ["--folds", "--seeds"])
def test_a_mistake_costs_no_group(kind: str, iris: Path) -> None:
    bptrain("fit", iris, kind, 2, *SMALL, "--out", "cv")
    before = sorted(Path("cv").rglob("*"))
    for mistake in ("data.train=none.csv", "network.sizes=[9, 3]"):
        outcome = bptrain("fit", iris, kind, 2, *SMALL, "--out", "cv", "--overwrite", "--set", mistake)
        assert outcome.code in (2, 3)
        assert sorted(Path("cv").rglob("*")) == before


def test_what_a_link_in_a_group_leads_to_is_not_overwritten(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv")
    Path("cv/fold-2").rename("precious")
    Path("cv/fold-2").symlink_to(Path("precious").absolute())
    outcome = bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv", "--overwrite")
    assert outcome.code == 2
    assert "cv/fold-2 is a symbolic link, and what it leads to is not overwritten" in outcome.err
    assert Path("precious/best.safetensors").exists()
    assert Path("cv/fold-1/best.safetensors").exists()


def test_seeds_in_a_directory_are_a_group(iris: Path) -> None:
    first = bptrain("fit", iris, "--seeds", 2, *SMALL, "--out", "runs/many", "--json").json
    assert [run["seed"] for run in first["runs"]] == [0, 1]
    [row] = bptrain("runs", "--json").json["runs"]
    assert (row["run"], row["group"]["kind"]) == ("runs/many", "seeds")
    again = bptrain("fit", iris, *SMALL, "--resume", "runs/many", "--json").json
    assert (again["mean"], again["sd"]) == (first["mean"], first["sd"])


def test_a_record_that_names_other_places_is_refused(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv")
    record = json.loads(Path("cv/group.json").read_text())
    damages: tuple[dict[str, Any], ...]
    damages = ({"runs": ["../elsewhere"]}, {"runs": []}, {"mean": [1]}, {"config": "text"})
    for damage in damages:
        Path("cv/group.json").write_text(json.dumps({**record, **damage}))
        outcome = bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv", "--overwrite")
        assert outcome.code == 5
        assert "could not read cv/group.json" in outcome.err
        assert bptrain("runs", ".", "--json").json["runs"][0]["state"] == "damaged"


def test_a_group_that_is_in_use_is_not_replaced(iris: Path) -> None:
    bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv")
    with locked(RunDirectory(Path("cv/fold-2"))):
        outcome = bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv", "--overwrite")
    assert outcome.code == 7
    assert "cv/fold-2 is busy" in outcome.err
    assert Path("cv/fold-1/best.safetensors").exists()
    with locked(RunDirectory(Path("cv"))):
        assert bptrain("fit", iris, "--folds", 2, *SMALL, "--resume", "cv").code == 7


def test_ctrl_c_after_the_last_fold(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folds, "write_out_of_fold", interrupted)
        outcome = bptrain("fit", iris, "--folds", 2, *SMALL, "--out", "cv")
    assert outcome.code == 130
    assert "stopped and saved; 2 of 2 runs are finished; to continue, add --resume cv" in outcome.err
    assert not Path("cv/out_of_fold.csv").exists()
    assert bptrain("fit", iris, *SMALL, "--resume", "cv").code == 0
    assert len(rows_of("cv/out_of_fold.csv")) == 150

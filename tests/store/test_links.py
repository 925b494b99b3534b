"""Links that somebody has put into a run directory: nothing of the user is overwritten or deleted through one."""

import os
from pathlib import Path

import pytest

import bptrain as package
from bptrain.caches import VARIABLE
from bptrain.cli.completing import keep
from bptrain.errors import CheckpointError, StorageError
from bptrain.store.atomic import write_atomically
from bptrain.store.run_directory import RunDirectory, locked
from command import bptrain

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links of Unix")
ONE_MORE = ["--set", "checkpoint.every={epochs: 1}"]
# Every name of ours in a run, the temporary names of version 0.1 among them.
NAMES = ("config.yaml", "run.json", "metrics.jsonl", "best.safetensors", ".lock")


@pytest.fixture
def stopped(iris: Path) -> Path:
    """A run that was closed after its third epoch."""
    from bptrain.commands.fit.fit import fit_events

    events = fit_events(iris, {"checkpoint.every": {"epochs": 1}}, Path("run"))
    for _ in range(4):  # Started, and three epochs
        next(events)
    events.close()
    return Path("run")


def everything(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder: the bytes of files, None for others."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def planted(run: Path, name: str) -> Path:
    """Puts a link in the place of a file of the run, to a file of the user's that says the same; that file."""
    own, theirs = run / name, Path("home", Path(name).name)
    theirs.parent.mkdir(exist_ok=True)
    if own.exists():
        own.rename(theirs)
    else:
        theirs.write_text("precious")
    own.symlink_to(theirs.absolute())
    return theirs


@pytest.mark.parametrize("name", NAMES)
def test_a_run_whose_file_is_a_link_is_refused(stopped: Path, iris: Path, name: str) -> None:
    theirs = planted(stopped, name)
    before = everything(Path())
    done = bptrain("fit", iris, "--resume", "run", *ONE_MORE)
    assert done.code == 5
    assert f"run/{name} is a symbolic link to {theirs.absolute()}" in done.err
    assert everything(Path()) == before


@pytest.mark.parametrize("command", ["eval", "inspect", "gradcheck"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused_by_every_command(stopped: Path, command: str, name: str) -> None:
    planted(stopped, name)
    done = bptrain(command, "run")
    assert done.code == 5
    assert "is a symbolic link to" in done.err
    with pytest.raises(CheckpointError, match="is a symbolic link to"):
        package.load("run")


def test_linked_checkpoints(stopped: Path, iris: Path) -> None:
    (stopped / "checkpoints").rename("elsewhere")
    (stopped / "checkpoints").symlink_to(Path("elsewhere").absolute())
    before = everything(Path())
    done = bptrain("fit", iris, "--resume", "run", *ONE_MORE)
    assert done.code == 5
    assert f"run/checkpoints is a symbolic link to {Path('elsewhere').absolute()}" in done.err
    assert everything(Path()) == before


def test_a_linked_checkpoint(stopped: Path, iris: Path) -> None:
    name = RunDirectory(stopped).checkpoints()[-1].name
    planted(stopped / "checkpoints", name)
    before = everything(Path())
    done = bptrain("fit", iris, "--resume", "run", *ONE_MORE)
    assert done.code == 5
    assert f"run/checkpoints/{name} is a symbolic link" in done.err
    assert everything(Path()) == before


@pytest.mark.parametrize("name", [*NAMES, "checkpoints"])
@pytest.mark.parametrize("dangling", [True, False])
def test_a_new_run_does_not_follow_one(iris: Path, name: str, dangling: bool) -> None:
    home = Path("home")
    home.mkdir()
    if not dangling:
        (home / name).mkdir() if name == "checkpoints" else (home / name).write_text("precious")
    Path("run").mkdir()
    Path("run", name).symlink_to((home / name).absolute())
    before = everything(Path())
    for options in ([], ["--overwrite"]):
        assert bptrain("fit", iris, "--out", "run", *options).code in (2, 5)
        assert everything(Path()) == before


def test_a_run_of_links_is_not_overwritten(stopped: Path, iris: Path) -> None:
    planted(stopped, "metrics.jsonl")
    before = everything(Path())
    assert bptrain("fit", iris, "--out", "run", "--overwrite").code == 5
    assert everything(Path()) == before


def test_it_is_listed_as_damaged_and_passed_over(stopped: Path, iris: Path) -> None:
    planted(stopped, ".lock")
    Path("home/.lock").write_text("precious")
    (row,) = bptrain("runs", ".", "--json").json["runs"]
    assert row["state"] == "damaged"
    assert "is a symbolic link to" in row["reason"]
    assert Path("home/.lock").read_text() == "precious"
    Path("runs/iris").mkdir(parents=True)
    stopped.rename("runs/iris/001")
    assert bptrain("fit", iris, "--resume", "auto", *ONE_MORE, "--json").json["run"] == "runs/iris/002"
    assert bptrain("eval", "--json").json["run"] == "runs/iris/002"


def test_the_lock_is_never_opened_through_a_link(tmp_path: Path) -> None:
    """To take a lock is to empty its file."""
    letter = tmp_path / "letter"
    letter.write_text("dear")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(letter)
    with pytest.raises(CheckpointError, match="is a symbolic link"), locked(RunDirectory(tmp_path / "run")):
        pass
    assert letter.read_text() == "dear"


@pytest.mark.parametrize(
    "name",
    [".metrics.jsonl.tmp", ".run.json.tmp", ".config.yaml.tmp", ".best.safetensors.tmp"],
)
def test_no_temporary_name_can_be_guessed(stopped: Path, iris: Path, name: str) -> None:
    """The names of version 0.1 are nobody's now: a link there is neither followed nor removed."""
    Path("letter").write_text("dear")
    link = stopped / name
    link.symlink_to(Path("letter").absolute())
    assert bptrain("fit", iris, "--resume", "run", *ONE_MORE).code == 0
    assert Path("letter").read_text() == "dear"
    assert link.is_symlink()


def test_the_run_itself_and_runs_may_be_links(iris: Path) -> None:
    for name in ("scratch", "scratch/one"):
        Path(name).mkdir()
    Path("runs").symlink_to(Path("scratch").absolute())
    Path("one").symlink_to(Path("scratch/one").absolute())
    assert bptrain("fit", iris, "--json").json["run"] == "runs/iris/001"
    assert Path("scratch/iris/001/best.safetensors").is_file()
    assert bptrain("fit", iris, "--out", "one").code == 0
    assert bptrain("fit", iris, "--resume", "one", "--set", "training.epochs=8").code == 0
    assert bptrain("eval", "one").code == 0
    assert [row["state"] for row in bptrain("runs", "--json").json["runs"]] == ["finished"] * 2


@pytest.mark.parametrize("linked", ["runs/iris", "runs/iris/001"])
def test_runs_behind_a_link_are_found(linked: str, iris: Path) -> None:
    """By `runs`, by `eval` without a run, and by --resume auto: a run moved to a scratch disk goes on."""
    assert bptrain("fit", iris).code == 0
    Path("scratch").mkdir()
    Path(linked).rename("scratch/moved")
    Path(linked).symlink_to(Path("scratch/moved").absolute())
    Path("scratch/moved/again").symlink_to(Path("scratch").absolute())  # a link that leads back
    assert [row["run"] for row in bptrain("runs", "--json").json["runs"]] == ["runs/iris/001"]
    assert bptrain("eval", "--json").json["run"] == "runs/iris/001"
    more = bptrain("fit", iris, "--resume", "auto", "--set", "training.epochs=8", "--json").json
    assert (more["run"], more["epochs"]) == ("runs/iris/001", 8)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_in_the_place_of_a_file_is_refused(name: str, stopped: Path) -> None:
    """Which would have been read without an end."""
    (stopped / name).unlink(missing_ok=True)
    os.mkfifo(stopped / name)
    found = bptrain("inspect", stopped)
    assert found.code == 5
    assert f"{stopped / name} is not a plain file" in found.err


def test_a_link_that_comes_while_it_trains(iris: Path) -> None:
    from bptrain.commands.fit.fit import fit_events

    Path("home").mkdir()
    for name, target in (("metrics.jsonl", "letter"), ("checkpoints", "")):
        run = Path(f"run_{name}")
        events = fit_events(iris, {"checkpoint.every": {"epochs": 1}}, run)
        for _ in range(3):
            next(events)
        (run / name).rename(f"moved_{name}")
        Path("home/letter").write_text("dear")
        (run / name).symlink_to(Path("home", target).absolute())
        with pytest.raises((CheckpointError, StorageError)):
            list(events)
        assert [path.name for path in Path("home").iterdir()] == ["letter"]
        assert Path("home/letter").read_text() == "dear"


def test_a_temporary_file_is_new_and_has_the_users_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened with O_EXCL and O_NOFOLLOW under a name that nobody knows before."""
    opened: list[tuple[str, int]] = []
    of_system = os.open

    def note(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        opened.append((Path(path).name, flags))
        return of_system(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", note)
    for _ in range(2):
        write_atomically(tmp_path / "file", [b"content"])
    names = [name for name, flags in opened if flags & os.O_CREAT]
    assert len(set(names)) == 2
    wanted = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    assert all(flags & wanted == wanted for _, flags in opened if flags & os.O_CREAT)
    (tmp_path / "other").touch()
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_the_cache_of_words_follows_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    letter = tmp_path / "letter"
    letter.write_text("dear")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / f"0.1-00000000.{os.getpid()}").symlink_to(letter)
    keep(tmp_path / "words" / "0.1-00000000.json", {"commands": {}})
    assert (tmp_path / "words" / "0.1-00000000.json").read_text() == '{"commands": {}}'
    assert letter.read_text() == "dear"

"""`--resume auto` that starts anew says why, in one line."""

from pathlib import Path

from command import Outcome, bptrain


def lines(outcome: Outcome) -> list[str]:
    """What is said about a run that is not continued."""
    return [line for line in outcome.err.splitlines() if line.startswith("not continued")]


def test_a_changed_setting_is_named(iris: Path) -> None:
    first = bptrain("fit", iris, "--set", "optimizer.learning_rate=0.01", "--json").json["run"]
    changed = ["--set", "optimizer.learning_rate=0.5", "--set", "seed=3"]
    again = bptrain("fit", iris, "--resume", "auto", *changed, "--json")
    assert again.code == 0
    assert again.json["run"] != first
    assert lines(again) == [
        f"not continued: {first} was trained with other settings: optimizer.learning_rate: 0.01 -> 0.5; "
        "seed: 0 -> 3; this is a new run"
    ]


def test_fewer_epochs_than_it_has_done(iris: Path) -> None:
    first = bptrain("fit", iris, "--json").json["run"]
    again = bptrain("fit", iris, "--resume", "auto", "--set", "training.epochs=2", "--json")
    assert lines(again) == [
        f"not continued: {first} has done 6 epochs, more than training.epochs: 2; this is a new run"
    ]


def test_a_run_without_a_sound_checkpoint(iris: Path) -> None:
    first = bptrain("fit", iris, "--json").json["run"]
    for file in Path(first, "checkpoints").iterdir():
        file.write_bytes(b"")
    again = bptrain("fit", iris, "--resume", "auto", "--json")
    assert lines(again) == [
        f"not continued: {first} cannot be resumed: all its checkpoints are corrupt; this is a new run"
    ]


def test_nothing_is_said_where_it_goes_on_or_is_the_first(iris: Path) -> None:
    assert not lines(bptrain("fit", iris, "--resume", "auto"))
    assert not lines(bptrain("fit", iris, "--resume", "auto", "--set", "training.epochs=8"))
    assert not lines(bptrain("fit", iris, "--set", "seed=9"))

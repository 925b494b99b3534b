"""A command line that does not parse says what was probably meant, in one line."""

import pytest

from bptrain.cli.completion import SCRIPTS
from command import bptrain


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--epochs", "5"], "--set training.epochs=5"),
        (["--epochs=5"], "--set training.epochs=5"),
        (["--lr", "0.1"], "--set optimizer.learning_rate=0.1"),
        (["--batch-size", "16"], "--set training.batch_size=16"),
        (["--training.epochs", "5"], "--set training.epochs=5"),
        (["--loss", "hinge"], "--set loss=hinge"),
        (["--momentum", "0.9"], "--set optimizer=momentum"),
        (["--learning-rate"], "--set optimizer.learning_rate=VALUE"),
        (["training.epochs=5"], "--set training.epochs=5"),
        (["--set", "training.epochs", "5"], "--set training.epochs=5"),
        # as a shell hands over --set optimizer={name: adam, learning_rate: 0.1}
        (
            ["--set", "optimizer={name:", "adam,", "learning_rate:", "0.1}"],
            "quote it: --set 'optimizer={name: adam, learning_rate: 0.1}'",
        ),
        (["--set", "network.sizes=[4,", "8,", "3]", "--json"], "quote it: --set 'network.sizes=[4, 8, 3]'"),
        # and --set schedule={name:cosine,floor:0.1}, which bash expands
        (
            ["--set", "schedule=name:cosine", "schedule=floor:0.1"],
            "braces that are not quoted: --set 'schedule={name: cosine, floor: 0.1}'",
        ),
        (["--set=network.sizes=4", "network.sizes=8"], "--set 'network.sizes=[4, 8]'"),
    ],
)
@pytest.mark.parametrize("command", ["fit", "validate", "explain"])
def test_what_was_meant(command: str, words: list[str], meant: str) -> None:
    for arguments in ([command, "c.yaml", *words], [command, *words, "c.yaml"]):
        wrong = bptrain(*arguments)
        assert wrong.code == 2
        line = next(line for line in wrong.err.splitlines() if "error: " in line)
        if words[-1] == "--learning-rate" and arguments[-1] == "c.yaml":
            continue  # then the file is its value
        assert meant in line, line
        assert line.endswith(f"Try 'bptrain {command} --help'.")


def test_there_is_no_hint_where_there_is_no_idea() -> None:
    assert bptrain("fit", "c.yaml", "--xyzzy", "5").err == (
        "error: No such option: --xyzzy. Try 'bptrain fit --help'.\n"
    )


def test_a_command_without_settings_has_no_hint_of_them() -> None:
    assert "--set" not in bptrain("eval", "--epochs", "5").err
    assert "--set" not in bptrain("list", "a=b", "c=d").err


@pytest.mark.parametrize("words", [[], ["csh"]])
def test_a_choice_that_is_missing_or_wrong_is_one_sentence(words: list[str]) -> None:
    wrong = bptrain("completion", *words)
    assert wrong.code == 2
    assert "\\n" not in wrong.err
    assert "\\t" not in wrong.err
    assert "Value error" not in wrong.err
    assert all(shell in wrong.err for shell in SCRIPTS)
    (problem,) = bptrain("completion", *words, "--json").json["errors"]
    assert "\n" not in problem["message"]

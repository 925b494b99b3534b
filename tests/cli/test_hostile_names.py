"""Labels, columns, files and parts with names that would write to the terminal: shown escaped, by every command.

Text in other scripts stays as it is, the joiners in it too.
"""

import csv
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import bptrain as package
from bptrain.cli.application import COMMANDS
from bptrain.cli.completing import answer
from bptrain.config.yaml.reader import parse, read_text
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import cells
from bptrain.errors import Interrupted, printable
from command import bptrain
from data.converted_helpers import added, made, mixed
from submission_files import RIGHT, written
from terminal import in_terminal

EVIL = "\x1b[31mred\x1b[0m\x9b1m\x07\r\n\t\x85\u2028\u202egnol\u2066iso\u200f"
HEBREW, ARABIC, PERSIAN, FAMILY = "שלום", "مرحبا", "می\u200cخواهم", "\U0001f468\u200d\U0001f469"
MARKUP = "[red]not red[/red]"
KEPT = "\u200c\u200d"
LABELS = [f"a{EVIL}", f"b {HEBREW} {ARABIC}", f"c {PERSIAN} {FAMILY}", MARKUP]
COLUMNS = [f"x{EVIL}", f"y {HEBREW} {PERSIAN}", MARKUP, f"kind{EVIL}"]
TARGET = f"target{EVIL}"
NAME = "run\x1b[31m\u202e\n.yaml"  # of a file
PLUGIN = f'''
from bptrain.plugins import Activation, activations


@activations.add({f"cube{EVIL}"!r})
def cube():
    """z³, with {"".join(f"{chr(92)}u{ord(c):04x}" for c in EVIL)}."""
    def f(z):
        return z * z * z
    def df(z, x):
        return 3.0 * z * z
    return Activation(f, df)
'''


def unprintable(text: str) -> list[str]:
    """What no command may send to a terminal."""
    return [c for c in text if c != "\n" and not c.isprintable() and c not in KEPT]


@pytest.fixture
def hostile(workplace: Path) -> Path:
    """A config in a file with such a name, with such columns and labels, and a plug-in with such a part."""
    rng = np.random.default_rng(0)
    with open("data\x1b[31m.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, TARGET])
        for k in range(80):
            label = LABELS[k % 4]
            numbers = [round(float(x), 3) for x in rng.normal(size=3)]
            writer.writerow([*numbers, [f"u{EVIL}", f"v {HEBREW}"][k % 2], label])
    (workplace / "parts.py").write_text(PLUGIN, encoding="utf-8")
    config = workplace / NAME
    config.write_text(
        f"data: {{train: {json.dumps('data' + chr(27) + '[31m.csv')}, target: {json.dumps(TARGET)}}}\n"
        f"network: {{sizes: [auto, 4, auto], activations: [{json.dumps('cube' + EVIL)}, softmax]}}\n"
        "loss: cross_entropy\nmetrics: [accuracy, {name: f1, average: per_class}, confusion_matrix]\n"
        "training: {epochs: 2}\n"
    )
    return config


@pytest.fixture
def trained(hostile: Path) -> str:
    """A run of it."""
    run: str = bptrain("fit", hostile, "--plugin", "parts.py", "--json").json["run"]
    return run


def kept() -> str:
    """A directory of converted data."""
    cache = "kept\x1b[31m\u202e\n"
    added(Path(cache), lambda place: made(mixed(Path())), "0" * 32, None, f"data{EVIL}.csv")
    return cache


PLUG = ("--plugin", "parts.py")


def another(config: Path) -> str:
    """A second run of a config."""
    run: str = bptrain("fit", config, *PLUG, "--set", "seed=2", "--json").json["run"]
    return run


# What each command is given; `run` is a run, `config` its config.
GIVEN: dict[str, Callable[[str, Path], list[tuple[object, ...]]]] = {
    "init": lambda run, config: [
        ("--data", "data\x1b[31m.csv", "--target", TARGET, "--output", "new\x1b[31m\u202e.yaml")
    ],
    "validate": lambda run, config: [(config, *PLUG), ("nowhere\x1b[31m\u202e.yaml",)],
    "fit": lambda run, config: [(config, *PLUG), (config, *PLUG, "--verbose"),
                                (config, *PLUG, "--seeds", 2, "--jobs", 1),
                                (config, *PLUG, "--folds", 2, "--jobs", 1),
                                (config, *PLUG, "--set", "ensemble.members=2", "--jobs", 1),
                                (config, *PLUG, "--dry-run"), (config, *PLUG, "--resume", run)],
    "ensemble": lambda run, config: [(run, another(config), "--out", "both\x1b[31m\u202e", *PLUG),
                                     (run, "no\x1b[31m", "--out", "both", *PLUG)],
    "eval": lambda run, config: [(run, *PLUG), (run, *PLUG, "--data", "data\x1b[31m.csv"),
                                 (run, *PLUG, "--fail-under", "accuracy=2"), (run, run, *PLUG),
                                 (run, *PLUG, "--by", TARGET), (run, *PLUG, "--by", EVIL)],
    "predict": lambda run, config: [(run, "data\x1b[31m.csv", *PLUG, "--out", "p\x1b[31m.csv", "--keep", "all"),
                                    (run, "no\x1b[31m.csv", *PLUG), (run, *PLUG, "--split", EVIL)],
    "gradcheck": lambda run, config: [(config, *PLUG), (run, *PLUG)],
    "check-backward": lambda run, config: [
        ("mine.py", config, *PLUG, "--set", "network.activations=[tanh,softmax]"),
        ("loud.py", config, *PLUG, "--set", "network.activations=[tanh,softmax]"),
    ],
    "explain": lambda run, config: [(config, *PLUG), (config, "--kernel", *PLUG)],
    "list": lambda run, config: [PLUG, ("activations", *PLUG), ("no\x1b[31m",)],
    "inspect": lambda run, config: [(run, *PLUG)],
    "runs": lambda run, config: [(), ("--sort", "\x1b[31m"), ("no\x1b[31m",)],
    "runs prune": lambda run, config: [("--keep", 1, "--dry-run"), ("no\x1b[31m",)],
    "config show": lambda run, config: [(config, *PLUG)],
    "data inspect": lambda run, config: [("data\x1b[31m.csv",), ("data\x1b[31m.csv", "--target", TARGET)],
    "data compare": lambda run, config: [(run, "data\x1b[31m.csv", *PLUG, "--fail-on-drift", "0")],
    "data cache list": lambda run, config: [("--cache", kept()), ("--cache", "no\x1b[31m")],
    "data cache clear": lambda run, config: [("--all", "--cache", kept()), ("no\x1b[31m",)],
    "schema": lambda run, config: [()],
    "doctor": lambda run, config: [()],
    "completion": lambda run, config: [("bash",), ("\x1b[31m",)],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_sends_them_to_the_terminal(
    trained: str, hostile: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new command is added to GIVEN, with arguments that make it show such names."""
    written(Path(), RIGHT)
    Path("loud.py").write_text(
        f"print({EVIL!r})\n{RIGHT.replace('return x, z', f'raise ValueError({EVIL!r})')}"
    )
    words: str = getattr(import_module(f"bptrain.cli.{name}"), f"{name}_command").name
    if words == "doctor":
        (Path() / "d\x1b[31m\u202e").mkdir()
        monkeypatch.chdir(Path() / "d\x1b[31m\u202e")
    for arguments in GIVEN[words](trained, hostile):
        done = bptrain(*words.split(), *arguments)
        assert "bug in bptrain" not in done.err
        assert not unprintable(done.out + done.err), (done.out, done.err)


def test_other_scripts_and_markup_stay_as_they_are(trained: str, hostile: Path) -> None:
    for words in (("fit", hostile), ("eval", trained), ("inspect", trained), ("validate", hostile)):
        done = bptrain(*words, *PLUG)
        assert done.code == 0
        for text in (HEBREW, PERSIAN, MARKUP):
            assert text in done.out + done.err, words
        assert repr(EVIL)[1:-1] in done.out + done.err, words
    report = bptrain("eval", trained, *PLUG).out
    assert f"b {HEBREW} {ARABIC}" in report
    assert f"c {PERSIAN} {FAMILY}" in report


def test_json_has_them_as_they_are(trained: str) -> None:
    assert set(bptrain("eval", trained, *PLUG, "--json").json["labels"]) == set(LABELS)
    assert set(bptrain("inspect", trained, *PLUG, "--json").json["schema"]["features"]["names"]) == set(
        COLUMNS
    )


def test_what_init_and_config_show_write_is_the_same_config(trained: str, hostile: Path) -> None:
    options = ("--data", "data\x1b[31m.csv", "--target", TARGET, "--output", "new.yaml")
    assert bptrain("init", *options).code == 0
    assert parse(read_text("new.yaml"), "new.yaml")[0]["data"]["target"] == TARGET
    assert bptrain("fit", "new.yaml").code == 0
    shown = bptrain("config", "show", hostile, *PLUG).out
    assert parse(shown, "shown")[0]["data"]["target"] == TARGET


def test_warnings_in_python(trained: str) -> None:
    with Path("parts.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.warns(UserWarning, match="other_plugin") as caught:
        package.load(trained, plugins=["parts.py"])
    assert repr(EVIL)[1:-1] in str(caught[0].message)
    assert not unprintable(str(caught[0].message))


@pytest.mark.parametrize("columns", [100, 40])
@pytest.mark.slow
def test_on_a_terminal(trained: str, hostile: Path, columns: int) -> None:
    """The bar too; what the terminal draws is whole at every width."""
    for words in (("fit", hostile), ("eval", trained), ("inspect", trained), ("validate", hostile), ("runs",),
                  ("list", "activations")):  # fmt: skip
        plug = () if words == ("runs",) else PLUG
        seen = in_terminal(*words, *plug, columns=columns, env={"NO_COLOR": "1"})
        assert seen.code == 0
        raw = re.sub(r"\x1b\[(?:\?25[lh]|2K|1A|\d*m)", "", seen.raw.decode())  # the bar's own
        assert not unprintable(raw.replace("\r", "")), words


def test_an_interrupted_run_names_its_directory_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    Screen("fit").error(Interrupted(f"stopped; add --resume runs/{EVIL}", 2))
    assert not unprintable(capsys.readouterr().err)


def test_every_way_to_print_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen("any")
    screen.result(EVIL)
    screen.result(EVIL, whole=True, style="1;31")
    screen.note(EVIL)
    screen.warn(EVIL, EVIL)
    screen.table(EVIL, [EVIL, "b"], [[EVIL, EVIL]])
    screen.text(f"{EVIL}\nsecond")
    seen = capsys.readouterr()
    assert not unprintable(seen.out + seen.err)
    assert seen.out.count("\n") == 2 + 3 + len(EVIL.split("\n")) + 1


def test_completion_offers_no_such_run(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("good", "bad\x1b[31m", "two\nlines"):
        (workplace / "runs" / name / "001").mkdir(parents=True)
        (workplace / "runs" / name / "001" / "run.json").touch()
    for shell in ("zsh", "bash"):
        answer(shell, ["bptrain eval runs/"] if shell == "bash" else ["bptrain", "eval", "runs/"])
        assert capsys.readouterr().out == "runs/good/001\n"


def test_what_is_escaped() -> None:
    """Everything that is not printed, but for the joiners; in results, spaces of other kinds stay."""
    assert printable(EVIL) == repr(EVIL)[1:-1]
    for text in (HEBREW, ARABIC, PERSIAN, FAMILY, MARKUP):
        assert printable(text) == text
    assert printable("1\xa0000\u3000") == "1\\xa0000\\u3000"
    assert printable("1\xa0000\u3000", spaces=True) == "1\xa0000\u3000"
    assert printable("\u061c\u200e\u202a\u202d\u2069\ufeff\u00ad\udc80") == "".join(
        repr(c)[1:-1] for c in "\u061c\u200e\u202a\u202d\u2069\ufeff\u00ad\udc80"
    )
    assert cells(PERSIAN) == len(PERSIAN) - 1

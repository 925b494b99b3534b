"""Warnings: each has a name that is known, is given when it should be, and is silenced by that name."""

import ast
import re
from pathlib import Path

import pytest

import bptrain as package
from bptrain.build.warnings import is_proportional
from bptrain.commands.fit.fit import FitEvent, Started, fit_events
from bptrain.commands.fit.follow import run_to_end
from bptrain.errors import WARNINGS, Warned, not_silenced
from bptrain.parts.optimizers import optimizers
from bptrain.training.learning_checks import LEARNING_CHECKS
from command import bptrain

GIVES = re.compile(
    r"Warned|Warned|warnings?\b"
)  # elsewhere such pairs are other things, as are tables in console/
SOURCES = [
    file
    for file in sorted(Path(package.__file__).parent.rglob("*.py"))
    if GIVES.search(file.read_text(encoding="utf-8")) and "console" not in file.parts
]


def warned_of(file: Path) -> set[str]:
    """The names in a source's pairs (name, message), and in its events of a warning."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Tuple(
                elts=[ast.Constant(value=str() as name), ast.JoinedStr() | ast.Name(id="message")]
            ):
                names.add(name)
            case ast.Call(func=ast.Name(id="Warned"), args=[ast.Constant(value=str() as name), *_]):
                names.add(name)
    return names


def test_every_warning_has_a_name_that_is_known() -> None:
    given = {check.name for check in LEARNING_CHECKS}.union(*(warned_of(file) for file in SOURCES))
    assert given == set(WARNINGS)


BASE = (
    "data: {{train: d.csv, target: y, split: {{validation: 0, test: 0}}{data}}}\n"
    "training: {{epochs: 2, mode: batch}}\n"
)


def config(folder: Path, rows: str, rest: str, data: str = "") -> Path:
    (folder / "d.csv").write_text("x,y\n" + rows)
    file = folder / "c.yaml"
    file.write_text(BASE.format(data=data) + rest)
    return file


SIGNS = "".join(f"{k},{-1 if k % 2 else 1}\n" for k in range(10))
NUMBERS = "".join(f"{k},{k % 7}.5\n" for k in range(200))
LETTERS = "".join(f"{k},{'ab'[k % 2]}\n" for k in range(10))

# name, rows, the rest of the config, data; and what does not warn
CASES = [
    (
        "softmax_loss",
        LETTERS,
        "network: {sizes: [1, 2], activations: softmax}\nloss: half_squared_error\n",
        "",
    ),
    (
        "target_range",
        SIGNS,
        "network: {sizes: [1, 1], activations: sigmoid}\nloss: half_squared_error\n",
        ", scale_target: none",
    ),
    (
        "large_first_step",
        NUMBERS,
        "network: {sizes: [1, 1]}\nloss: {name: half_squared_error, reduction: sum}\n",
        "",
    ),
]
QUIET = [
    (LETTERS, "network: {sizes: [1, 2], activations: softmax}\nloss: cross_entropy\n", ""),
    (
        SIGNS,
        "network: {sizes: [1, 1], activations: tanh}\nloss: half_squared_error\n",
        ", scale_target: none",
    ),
    (SIGNS, "network: {sizes: [1, 1], activations: sigmoid}\nloss: half_squared_error\n", ""),
    (NUMBERS, "network: {sizes: [1, 1]}\nloss: half_squared_error\n", ""),
    (
        NUMBERS,
        "network: {sizes: [1, 1]}\nloss: {name: half_squared_error, reduction: sum}\noptimizer: adam\n",
        "",
    ),
    (
        NUMBERS,
        "network: {sizes: [1, 1]}\nloss: {name: half_squared_error, reduction: sum}\n"
        "optimizer: {name: gradient_descent, learning_rate: 0.05}\n",
        "",
    ),
]


@pytest.mark.parametrize(("name", "rows", "rest", "data"), CASES)
def test_a_warning_is_printed_and_can_be_silenced(
    name: str, rows: str, rest: str, data: str, workplace: Path
) -> None:
    file = config(workplace, rows, rest, data)
    dry = bptrain("fit", file, "--dry-run")
    assert dry.code == 0
    assert [line for line in dry.err.splitlines() if line.endswith(f"[{name}]")]
    for more in (("--dry-run",), ("--quiet", "--json")):
        silent = bptrain("fit", file, *more, "--set", f"silence=[{name}]")
        assert name not in silent.err + silent.out
    assert f"[{name}]" in bptrain("fit", file, "--quiet").err


@pytest.mark.parametrize(("rows", "rest", "data"), QUIET)
def test_no_warning_without_a_reason(rows: str, rest: str, data: str, workplace: Path) -> None:
    assert "warning:" not in bptrain("fit", config(workplace, rows, rest, data), "--dry-run").err


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.05, None),  # of 200 rows: just 10
        (0.06, "the gradients of 200 rows, so the learning rate 0.06 acts like 12 on their mean"),
        (0.06, "or a rate of about 0.0003"),
        ("[0.01, 0.06]", "the learning rate 0.06 acts like 12"),
    ],
)
def test_from_which_rate_the_first_step_is_large(rate: object, words: str | None, workplace: Path) -> None:
    rest = (
        "network: {sizes: [1, 2, 1]}\nloss: {name: half_squared_error, reduction: sum}\n"
        f"optimizer: {{name: gradient_descent, learning_rate: {rate}}}\n"
    )
    said = bptrain("fit", config(workplace, NUMBERS, rest), "--dry-run").err
    assert ("large_first_step" in said) == (words is not None)
    assert (words or "") in " ".join(said.split())


@pytest.mark.parametrize(
    ("y", "outside"), [(1.0, 0), (1.0000005, 0), (1.001, 1), (-0.0000005, 0), (-0.001, 1)]
)
def test_from_where_a_target_is_out_of_range(y: float, outside: int, workplace: Path) -> None:
    """A millionth is rounding."""
    rest = "network: {sizes: [1, 1], activations: sigmoid}\nloss: half_squared_error\n"
    said = bptrain("fit", config(workplace, f"0,0.5\n1,{y}\n", rest, ", scale_target: none"), "--dry-run").err
    assert ("target_range" in said) == bool(outside)
    assert not outside or "1 of 2 training rows have targets outside the range of" in " ".join(said.split())


def growing(workplace: Path) -> Path:
    return config(
        workplace,
        "".join(f"{k},{k}\n" for k in range(20)),
        "network: {sizes: [1, 1]}\nloss: half_squared_error\n"
        "optimizer: {name: gradient_descent, learning_rate: 2.5}\n",
    )


@pytest.mark.parametrize("silenced", [False, True])
def test_a_warning_in_mid_training(silenced: bool, workplace: Path) -> None:
    """Silenced, it reaches no event either, and so nobody who follows the run."""
    events: list[FitEvent] = []
    run_to_end(fit_events(growing(workplace), ["silence=growing_loss"] if silenced else []), events.append)
    assert any(isinstance(event, Started) for event in events)
    assert [e.name for e in events if isinstance(e, Warned)] == ([] if silenced else ["growing_loss"])


def test_of_an_evaluated_file(workplace: Path) -> None:
    file = config(
        workplace, NUMBERS, "network: {sizes: [1, 1]}\nloss: half_squared_error\n", ", missing: {y: drop}"
    )
    (workplace / "new.csv").write_text("x,y\n1,2\n2,\n")
    for silence, told in (("[]", True), ("dropped_rows", False)):
        run = bptrain("fit", file, "--json", "--set", f"silence={silence}").json["run"]
        assert ("[dropped_rows]" in bptrain("eval", run, "--data", "new.csv").err) is told


def test_what_is_silenced_may_change_in_a_resumed_run(workplace: Path) -> None:
    file = growing(workplace)
    run = bptrain("fit", file, "--json").json["run"]
    more = bptrain(
        "fit", file, "--resume", run, "--set", "silence=[growing_loss]", "--set", "training.epochs=3"
    )
    assert more.code == 0, more.err


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("growing_los", "growing_loss"),
        ("[nonsense]", "schedule_span"),
        ("[small_split, 3]", "the name of a warning"),
        ("{a: 1}", "a list of names of warnings"),
    ],
)
def test_an_unknown_name_is_an_error(value: str, words: str, workplace: Path) -> None:
    wrong = bptrain("fit", growing(workplace), "--set", f"silence={value}")
    assert wrong.code == 2
    assert words in wrong.err


def test_which_first_steps_grow_with_the_gradient() -> None:
    grows = {name for name in optimizers if is_proportional(optimizers.get(name)())}
    assert {"gradient_descent", "momentum"} <= grows
    assert "adam" not in grows


def test_not_silenced() -> None:
    two = (Warned("a", "1"), Warned("b", "2"))
    assert not_silenced(two, ("a",)) == (Warned("b", "2"),)

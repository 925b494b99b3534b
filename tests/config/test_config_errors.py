"""How errors are printed: all at once, in order, in the compiler's form."""

from pathlib import Path

import pytest

from bptrain.errors import UsageError
from bptrain.parts.methods import methods
from config.helpers import GOOD, load, problems

NO_NETWORK = "data: {train: a.csv, target: y}\nloss: half_squared_error\n"


def test_all_problems_are_said_at_once_from_the_top_down(tmp_path: Path) -> None:
    text = GOOD + "training: {mode: batch, batch_size: 8}\nseed: -1\nepochs: 3\ntask: regression\n"
    found = problems(tmp_path, text, ["checkpoint.keep=0"])
    assert [(p.line, p.path) for p in found] == [
        (9, "training.batch_size"), (10, "seed"), (11, "epochs"), (12, "task"), (None, "checkpoint.keep"),
    ]  # fmt: skip


def test_one_value_for_all_layers_is_complained_of_once(tmp_path: Path) -> None:
    text = NO_NETWORK + "network: {sizes: [2, 3, 3, 1], activations: {name: leaky_relu, slope: -1}}\n"
    assert [p.path for p in problems(tmp_path, text)] == ["network.activations.slope"]


def test_the_message_has_the_form_of_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(GOOD.replace("adam", "adamm"))
    from bptrain.config import load_config

    with pytest.raises(UsageError) as caught:
        load_config("c.yaml")
    assert str(caught.value) == (
        f'c.yaml:8:19: error: optimizer.name: "adamm" is not an optimizer: {", ".join(methods)}'
        " (did you mean adam?)"
    )
    assert caught.value.exit_code == 2


def test_a_problem_keeps_a_long_value_short(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD + f"task: {'x' * 5000}\n")
    assert len(problem.message) < 200


def test_load_raises(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be given"):
        load(tmp_path, "seed: 1\n")


@pytest.mark.parametrize(("wrong", "told"), [(49, 49), (50, 50), (51, 51), (80, 51)])
def test_the_first_fifty_problems_are_told(wrong: int, told: int, tmp_path: Path) -> None:
    text = GOOD + "".join(f"unknown_{k}: 1\n" for k in range(wrong))
    found = problems(tmp_path, text)
    assert len(found) == told
    assert [p.path for p in found[:50]] == [f"unknown_{k}" for k in range(min(wrong, 50))]
    assert (found[-1].code == "more") == (wrong > 50)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("zzzzzz=1", "the config has no such key; it has "),
        ("data.split.zzzzzz=1", "data.split has no such key; it has validation, test"),
        ("optimizer.zzzzzz=1", "optimizer adam has no such key; it has name, learning_rate"),
        ("seed=one", "must be a whole number, but is one"),
        ("network.activations=[tanh, softmaxx]", "softmaxx is not an activation: "),
        ("metrics=[softmaxx]", "softmaxx is not a metric: "),
        ("network.dtype=float16", "float16 is not one of the choices: float32, float64"),
        ("training.epochs=0", "must be at least 1, but is 0"),
        ("data.split.validation=1", "must be less than 1, but is 1"),
        ("network.sizes=[4]", "must have at least 2 entries, but has 1"),
    ],
)
def test_of_what_and_what_instead(setting: str, said: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, [setting])
    assert problem.message.replace('"', "").startswith(said)

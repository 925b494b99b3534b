"""Adding an option to all parts of a kind needs one entry of BESIDE: everything else finds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import parts_docs
from bptrain.build.training import build_schedule
from bptrain.cli.completion_words import make_words
from bptrain.config import load_config
from bptrain.parts.describe import BESIDE, Beside
from bptrain.parts.schedules import Schedule, schedules
from bptrain.parts.types import Unit
from command import bptrain


def with_floor(schedule: Schedule, floor: float) -> Schedule:
    """The schedule, but never less than `floor`."""
    return lambda step, epoch, steps_per_epoch, epochs: max(
        floor, schedule(step, epoch, steps_per_epoch, epochs)
    )


@pytest.fixture
def floor() -> Iterator[None]:
    """An option of every schedule."""
    option = Beside(
        "floor",
        schedules,
        Unit,
        "the smallest factor on the learning rate",
        0.0,
        wrap=with_floor,
        explain=lambda value: f"no α falls below {value:g} of its start",
    )
    BESIDE.append(option)
    yield
    BESIDE.remove(option)


@pytest.fixture
def config(iris: Path) -> Path:
    """A config with it."""
    text = iris.read_text().rstrip() + "\nschedule: {name: exponential, gamma: 0.1, floor: 0.25}\n"
    iris.write_text(text)
    return iris


@pytest.mark.usefixtures("floor")
def test_a_config_has_it_and_it_works(config: Path) -> None:
    loaded = load_config(config)
    assert loaded.config.schedule.floor == 0.25
    schedule = build_schedule(loaded.config)
    assert [schedule(10 * epoch, epoch + 1, 10, 6) for epoch in range(3)] == [1.0, 0.25, 0.25]
    fitted = bptrain("fit", config, "--out", "run", "--json")
    assert fitted.code == 0, fitted.err
    assert "floor: 0.25" in Path("run/config.yaml").read_text()
    assert bptrain("fit", config, "--set", "training.epochs=8", "--resume", "run").code == 0
    assert "floor" in bptrain("config", "show", config).out
    assert "no α falls below 0.25 of its start" in bptrain("explain", config).out


@pytest.mark.usefixtures("floor")
def test_it_is_validated(config: Path) -> None:
    text = config.read_text()
    config.write_text(text.replace("0.25", "2"))
    wrong = bptrain("fit", config)
    assert wrong.code == 2
    assert "must be at most 1, but is 2" in wrong.err
    config.write_text(text.replace("floor", "flor"))
    assert "it has name, gamma, warmup, floor" in bptrain("fit", config).err.replace("\n", " ")


def test_it_is_gone_when_it_is_removed(config: Path) -> None:
    assert bptrain("fit", config).code == 2


@pytest.mark.usefixtures("floor")
def test_list_schema_docs_and_completion_have_it() -> None:
    listed = bptrain("list", "schedules", "--json").json["schedules"]
    assert {
        "name": "floor",
        "type": "number",
        "bounds": "≥ 0, ≤ 1",
        "required": False,
        "default": 0.0,
    } in listed[0]["options"]
    assert '"floor"' in bptrain("schema").out
    assert "`floor`: the smallest factor on the learning rate" in parts_docs.documents()["schedules.md"]
    assert "schedule.floor" in make_words()["keys"]


@pytest.mark.usefixtures("floor")
def test_a_plug_in_cannot_have_an_option_of_that_name(config: Path) -> None:
    Path("mine.py").write_text(
        "from bptrain.plugins import Schedule, schedules\n\n\n"
        "@schedules.add('mine')\ndef mine(floor: float = 0.0) -> Schedule:\n"
        '    """1."""\n    return lambda step, epoch, steps_per_epoch, epochs: 1.0\n'
    )
    wrong = bptrain("fit", config, "--plugin", "mine.py")
    assert wrong.code == 2
    assert "has an option floor, which is a key that bptrain reads itself" in wrong.err.replace("\n", " ")

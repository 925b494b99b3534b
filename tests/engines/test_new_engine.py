"""Adding an engine needs one file: config, fit, resume, gradcheck, schema and messages find it.

The file lies in a folder of the test's own, which processes of their own look into as well.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bptrain.engine_names import engine_descriptions, engine_names

TOY = '''"""The engine `toy`: NumPy under another name."""

from bptrain.engines.numpy_engine import ENTRY as NUMPY, NumpyEngine
from bptrain.engines.registry import EngineEntry


class ToyEngine(NumpyEngine):
    """NumPy's updates."""

    name = "toy"


ENTRY = EngineEntry(
    make=lambda plan, dtype, threads, evaluates: ToyEngine(plan),
    forward=NUMPY.forward,
    costs=NUMPY.costs,
    numerics=lambda: {"toy": "1.0"},
)
'''
WRONG = TOY.replace("updates.", "updates, and a gradient that is wrong by a millionth.").replace(
    '    name = "toy"\n',
    '    name = "toy"\n\n    def gradient(self, w, X, T, context):\n'
    "        return super().gradient(w, X, T, context) * 1.000001\n",
)
MISSING = TOY.replace("    numerics=", '    needs=("no_such_module",),\n    numerics=')
UNCOVERED = TOY.replace(
    "    numerics=", '    uncovered=lambda plan, dtype: "toys are not for this",\n    numerics='
)
WORTHWHILE = TOY.replace("    numerics=", "    seconds_saved=lambda plan: 1e9,\n    numerics=")

# What a process runs: the folder joined to the engines', then the command line or a statement.
PROCESS = """
import sys, bptrain.engines
bptrain.engines.__path__.append(sys.argv[1])
from bptrain.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


class Ended(NamedTuple):
    """A process that has ended."""

    code: int
    out: str
    err: str


def bptrain_with(folder: Path, *arguments: object) -> Ended:
    """Runs `bptrain ARGUMENTS` in a process of its own, with the engines of a folder."""
    command = [sys.executable, "-W", "error", "-c", PROCESS, str(folder), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the new engine's one file."""
    made = tmp_path / "engines"
    made.mkdir()
    (made / "toy_engine.py").write_text(TOY)
    return made


def test_the_engines_by_name() -> None:
    assert engine_names()[0] == "numpy"
    assert engine_descriptions()["numba"] == "a loop compiled for the network (the extra `fast`)"
    assert all(engine_descriptions().values())


def test_a_new_engine_trains_and_its_run_goes_on(iris: Path, folder: Path) -> None:
    ask = ("--set", "training.engine=toy")
    first = bptrain_with(folder, "fit", iris, *ask, "--out", "run", "--json")
    assert first.code == 0, first.err
    assert json.loads(first.out)["engine"] == "toy"
    assert "engine: toy (as the config says)" in first.err
    resumed = bptrain_with(
        folder, "fit", iris, *ask, "--set", "training.epochs=8", "--resume", "run", "--json"
    )
    assert resumed.code == 0, resumed.err
    assert json.loads(resumed.out)["engine"] == "toy"
    assert "other_bits" not in resumed.err
    assert json.loads(Path("run/run.json").read_text())["engine"] == "toy"
    checked = bptrain_with(folder, "gradcheck", "run", "--json")
    assert json.loads(checked.out)["engines"] == ["toy"]
    validated = bptrain_with(folder, "validate", iris, *ask, "--json")
    assert json.loads(validated.out)["engine"] == "toy"


def test_auto_takes_a_new_engine_that_saves_time_and_stays_with_it(iris: Path, folder: Path) -> None:
    (folder / "toy_engine.py").write_text(WORTHWHILE)
    first = bptrain_with(folder, "fit", iris, "--out", "run")
    assert first.code == 0, first.err
    assert "engine: toy (auto: compiling pays off for" in first.err
    (folder / "toy_engine.py").write_text(TOY)
    resumed = bptrain_with(folder, "fit", iris, "--set", "training.epochs=8", "--resume", "run")
    assert resumed.code == 0, resumed.err
    assert "engine: toy (auto: the engine that the run was started with)" in resumed.err
    without = folder.parent
    gone = bptrain_with(without, "fit", iris, "--set", "training.epochs=9", "--resume", "run")
    assert gone.code == 0, gone.err
    assert "engine: numpy (auto: the run was started with toy, which is not an engine here)" in gone.err
    assert "other_bits" in gone.err
    assert bptrain_with(without, "eval", "run").code == 0


@pytest.mark.slow
def test_gradcheck_judges_a_new_engine(iris: Path, folder: Path) -> None:
    one = bptrain_with(folder, "gradcheck", iris, "--engine", "toy", "--json")
    assert one.code == 0, one.err
    assert json.loads(one.out)["engines"] == ["toy"]
    both = json.loads(bptrain_with(folder, "gradcheck", iris, "--engine", "all", "--json").out)
    assert {"numpy", "toy"} <= set(both["engines"])
    assert {"numpy", "toy"} <= both["layers"][0]["errors"].keys()
    unasked = json.loads(bptrain_with(folder, "gradcheck", iris, "--json").out)
    assert "engine toy was not checked: --engine all checks every installed engine" in unasked["notes"]
    (folder / "toy_engine.py").write_text(WRONG)
    wrong = json.loads(bptrain_with(folder, "gradcheck", iris, "--engine", "all", "--json").out)
    assert not wrong["ok"]
    assert {layer["worst"]["engine"] for layer in wrong["layers"] if not layer["passed"]} == {"toy"}
    (folder / "toy_engine.py").write_text(UNCOVERED)
    left_out = json.loads(bptrain_with(folder, "gradcheck", iris, "--engine", "all", "--json").out)
    assert "the engine toy is not checked: toys are not for this" in left_out["notes"]


def test_messages_help_and_schema_list_a_new_engine(iris: Path, folder: Path) -> None:
    wrong = bptrain_with(folder, "fit", iris, "--set", "training.engine=toi")
    assert wrong.code == 2
    assert ", toy" in wrong.err
    assert "toy" in bptrain_with(folder, "gradcheck", "--help").out
    schema = json.loads(bptrain_with(folder, "schema").out)
    engine = schema["properties"]["training"]["properties"]["engine"]
    assert "toy" in engine["enum"]
    assert "toy: NumPy under another name" in engine["description"]
    assert bptrain_with(folder, "gradcheck", iris, "--engine", "toi").code == 2


def test_an_engine_that_cannot_be_had_or_cannot_run_the_plan(iris: Path, folder: Path) -> None:
    ask = ("fit", iris, "--set", "training.engine=toy")
    (folder / "toy_engine.py").write_text(MISSING)
    missing = bptrain_with(folder, *ask)
    assert missing.code == 2
    assert "no_such_module is not installed" in missing.err
    (folder / "toy_engine.py").write_text(UNCOVERED)
    uncovered = bptrain_with(folder, *ask)
    assert uncovered.code == 2
    assert "toys are not for this; choose numpy, or auto" in uncovered.err

"""What `check-backward` prints, where, and with which exit code."""

from pathlib import Path

import pytest

from bptrain import check_backward
from bptrain.commands.check_backward.findings import FunctionFinding
from bptrain.commands.check_backward.user_functions import Fault
from bptrain.errors import UsageError
from command import bptrain
from conftest import ROOT
from submission_files import BACKWARD, FORWARD, RIGHT, ending, written

pytestmark = pytest.mark.slow  # a process per submission

POST = ROOT / "configs" / "derivation.yaml"
NO_SLOPE = RIGHT.replace("df[i].product(z[i], W[i + 1].T @ delta[i + 1])", "W[i + 1].T @ delta[i + 1]")
FIELDS = {"file", "config", "tolerance", "remarks", "functions", "quantities", "findings"}


def test_right_code(workplace: Path) -> None:
    done = bptrain("check-backward", written(workplace, RIGHT), POST)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[1].split() == ["quantity", "shape", "14", "instances", "1", "instance", "verdict"]
    quantities = [line.split()[0] for line in lines[2:-1]]
    assert quantities[:4] == ["x[0]", "z[1]", "x[1]", "z[2]"]
    assert quantities[7:] == ["delta[3]", "dW[3]", "delta[2]", "dW[2]", "delta[1]", "dW[1]"]
    assert all(line.endswith("right") for line in lines[2:-1])
    assert lines[-1] == "pass: forward and backward are right"
    assert done.err == "note: the initial weights, 14 training rows\n"


def test_wrong_code(workplace: Path) -> None:
    file = written(
        workplace,
        NO_SLOPE,
    )
    done = bptrain("check-backward", file, POST, "--quiet")
    assert done.code == 1
    assert done.err == ""
    *table, first, worst, slip, also, follows, look, empty, verdict = done.out.splitlines()
    assert [line.split()[-1] for line in table if line.strip().startswith("delta")] == [
        "right",
        "WRONG",
        "WRONG",
    ]
    assert first == "backward: the first error is in delta[2], on 14 instances"
    assert worst.startswith("  the worst entry is [")
    assert "yours is " in worst
    assert slip == "  it matches the pattern of: every hidden δ_i without the factor f_i'(z_i)"
    assert also == "  also wrong by itself: delta[1]"
    assert follows == "  dW[2], dW[1] follow from an earlier error; fix that first"
    assert (
        " ".join(look.split()) == "look at the line δ_2 = (W_3ᵀ δ_3) ∘ f_2'(z_2) 3×14 = (3×2 · 2×14) ∘ 3×14"
    )
    assert empty == ""
    assert verdict == "WRONG: backward from delta[2] on"


def test_an_exception_is_shown_with_its_line_and_no_traceback(workplace: Path) -> None:
    file = written(workplace, ending("1 / 0"))
    done = bptrain("check-backward", file, POST)
    assert done.code == 1
    assert (
        f"{file}:20: backward raised ZeroDivisionError: division by zero, with i = 3\n      1 / 0\n"
        in done.out
    )
    assert "Traceback" not in done.out + done.err


def test_json_has_all_of_it(workplace: Path) -> None:
    record = bptrain("check-backward", written(workplace, ending("dW[2][0, 1] = 0.5")), POST, "--json").json
    assert set(record) == {"schema_version", "command", "ok"} | FIELDS
    assert record["command"] == "check-backward"
    assert record["ok"] is False
    assert record["functions"] == ["forward", "backward"]
    assert len(record["quantities"]) == 2 * 13
    assert {one["instances"] for one in record["quantities"]} == {14, 1}
    (finding,) = record["findings"]
    assert set(finding) == {*FunctionFinding._fields, "problem", "equation", "shapes"} - {"fault", "look"}
    assert (finding["quantity"], finding["layer"], finding["problem"]) == ("dW", 2, None)
    assert finding["judgment"]["worst"] == [0, 1]
    assert finding["judgment"]["theirs"] == 0.5
    assert finding["equation"] == "∂E/∂W_2 = δ_2 x_1ᵀ"
    problem = bptrain("check-backward", written(workplace, ending("1 / 0")), POST, "--json").json["findings"][
        0
    ]["problem"]
    assert set(problem) == set(Fault._fields) - {"computing"}
    assert problem["line"] == 20


def test_json_stays_one_object_whatever_they_print(workplace: Path) -> None:
    file = written(workplace, "print('loading')\n" + ending("print('backward')"))
    done = bptrain("check-backward", file, POST, "--json")
    assert done.code == 0
    assert done.json["ok"] is True
    assert "loading" in done.err
    assert "backward" in done.err


@pytest.mark.parametrize(
    "text", ["def forward(:\n", FORWARD, "raise RuntimeError('x')\n", RIGHT + "step = 1\n"]
)
def test_a_file_that_cannot_be_used_is_exit_2(workplace: Path, text: str) -> None:
    done = bptrain("check-backward", written(workplace, text), POST, "--json")
    assert done.code == 2
    assert done.json["errors"][0]["file"].endswith("mine.py")


def test_a_wrong_config_is_exit_2(workplace: Path) -> None:
    file = written(workplace, RIGHT)
    assert bptrain("check-backward", file, "nowhere.yaml").code == 2
    assert bptrain("check-backward", file, POST, "--set", "loss=nothing").code == 2
    assert bptrain("check-backward", file).code == 2


def test_set_changes_the_network(workplace: Path) -> None:
    options = [
        "--set",
        "network.sizes=[4,6,2]",
        "--set",
        "optimizer.learning_rate=0.1",
        "--set",
        "network.bias=true",
    ]
    done = bptrain("check-backward", written(workplace, RIGHT), POST, *options, "--json")
    assert done.code == 0
    shapes = {(one["name"], one["layer"]): one["shape"] for one in done.json["quantities"]}
    assert shapes["dW", 1] == [6, 4]
    assert shapes["db", 2] == [2, 1]
    assert "biases drawn at random, since biases of 0 would hide a forgotten one" in done.json["remarks"]


def test_what_the_objective_leaves_out_is_told(workplace: Path) -> None:
    options = [
        "--set",
        "training.penalty.l2=0.1",
        "--set",
        "network.dropout=0.2",
        "--set",
        "loss.reduction=mean",
    ]
    done = bptrain("check-backward", written(workplace, RIGHT), POST, *options)
    assert done.code == 0
    told = "the objective is the plain sum of the losses; left out: the mean over the instances, penalties, dropout"
    assert told in done.err


def test_weights_that_are_all_alike_are_drawn(workplace: Path) -> None:
    """At zero weights every δ below the output is 0, and forgetting f' would go unseen."""
    file = written(
        workplace,
        NO_SLOPE,
    )
    done = bptrain("check-backward", file, POST, "--set", "network.initializer=zeros", "--json")
    assert done.code == 1
    assert done.json["findings"][0]["layer"] == 2
    assert "W_2 drawn at random, since equal weights would hide mistakes" in done.json["remarks"]


def test_a_single_training_row(workplace: Path) -> None:
    """One row is scaled to 0; there is no second trial to compare with."""
    (workplace / "one.csv").write_text("a,b,y\n1,2,3\n4,5,6\n")
    config = workplace / "one.yaml"
    config.write_text(
        "data: {train: one.csv, target: y, split: {validation: 0, test: 0.5}}\n"
        "network: {sizes: [2, 3, 1]}\nloss: half_squared_error\n"
    )
    done = bptrain("check-backward", written(workplace, RIGHT), config)
    assert done.code == 0
    assert done.out.splitlines()[1].split() == ["quantity", "shape", "1", "instance", "verdict"]
    assert "all inputs are 0 on these rows, so mistakes in dW[1] do not show" in done.err


def test_a_network_that_is_not_finite_is_nobodys_fault(workplace: Path) -> None:
    options = [
        "--set",
        "network.activations=identity",
        "--set",
        "network.initializer={name: normal, std: 1e200}",
    ]
    done = bptrain("check-backward", written(workplace, RIGHT), POST, *options)
    assert done.code == 4
    assert "the network itself is not finite" in done.err


def test_a_plugin_whose_own_slope_is_wrong_is_not_held_against_the_submission(workplace: Path) -> None:
    """What a submission is given, and what it is held against, come from f alone."""
    plugin = workplace / "my_parts.py"
    plugin.write_text(
        "from bptrain.plugins import Activation, activations\n\n"
        '@activations.add("cube")\n'
        "def cube():\n"
        '    """z³."""\n'
        "    def f(z):\n        return z * z * z\n"
        "    def df(z, x):\n        return 2.0 * z * z\n"
        "    return Activation(f, df)\n"
    )
    options = ["--plugin", plugin, "--set", "network.activations=[cube, tanh, sigmoid]"]
    assert bptrain("check-backward", written(workplace, RIGHT), POST, *options).code == 0
    assert bptrain("gradcheck", POST, *options).code == 1


def test_not_finished(workplace: Path) -> None:
    todo = "def backward(*given):\n    raise NotImplementedError('delta first')\n"
    done = bptrain("check-backward", written(workplace, FORWARD + todo), POST)
    assert done.code == 1
    assert "backward is not finished: delta first" in done.out
    assert done.out.splitlines()[-1] == "NOT FINISHED: backward"
    assert BACKWARD not in done.out


def test_what_is_read_is_never_overwritten(workplace: Path) -> None:
    """Not by another name either."""
    file = written(workplace, RIGHT)
    config = workplace / "mine.yaml"
    config.write_bytes(POST.read_bytes())
    Path("link.csv").symlink_to(file)
    for where in (file, workplace):
        for out in (file, config, "mine.yaml", "link.csv", "../" + workplace.name + "/mine.py"):
            refused = bptrain("check-backward", where, config, "--out", out, "--overwrite")
            assert refused.code == 2, (where, out)
            assert f"--out {out} is a file that is read" in refused.err
    assert file.read_text(encoding="utf-8") == RIGHT
    assert config.read_bytes() == POST.read_bytes()


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--time-limit", ["inf", "nan", "1e12", "1e300", "86400.5", "0.05"]),
        ("--memory-limit", ["100000000000000000000", "1048577", "0"]),
    ],
)
def test_limits_that_no_system_has_are_exit_2(workplace: Path, option: str, values: list[str]) -> None:
    file = written(workplace, RIGHT)
    for value in values:
        done = bptrain("check-backward", file, POST, option, value)
        assert done.code == 2, value
        assert "limit" in done.err
        assert "Traceback" not in done.err
        name, number = option[2:].replace("-", "_"), float(value) if option == "--time-limit" else int(value)
        with pytest.raises(UsageError, match=f"{name} is .*, not from "):
            check_backward(file, POST, **{name: number})  # type: ignore[arg-type]


def test_the_largest_limits_are_taken(workplace: Path) -> None:
    options = ("--time-limit", "86400", "--memory-limit", 2**20)
    assert bptrain("check-backward", written(workplace, RIGHT), POST, *options).code == 0


@pytest.mark.parametrize("name", ["nowhere", "nowhere.txt", "no/where", "x" * 300])
def test_a_path_that_is_not_there(workplace: Path, name: str) -> None:
    done = bptrain("check-backward", name, POST)
    assert done.code == 2
    assert f"{name}: error: there is no such file or directory" in " ".join(done.err.split())
    assert "named something.py" not in done.err
    assert bptrain("gradcheck", POST, "--plugin", name).code == 2

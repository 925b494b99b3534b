"""A class of students: for every submission the first wrong quantity is named, and the slip where it has a pattern."""

from pathlib import Path
from typing import NamedTuple

import pytest

from bptrain import check_backward
from conftest import ROOT

pytestmark = pytest.mark.slow  # a process per submission

HERE = Path(__file__).parent
POST = ROOT / "configs" / "derivation.yaml"
IRIS = ROOT / "configs" / "iris.yaml"
SQUARE = f"""
data: {{train: {ROOT}/data/linnerud.csv, features: [Chins, Situps, Jumps], target: [Waist, Pulse, Weight]}}
network: {{sizes: [3, 3, 3, 3], activations: [tanh, sigmoid, identity]}}
loss: half_squared_error
"""


@pytest.fixture
def square(tmp_path: Path) -> Path:
    """A config whose layers have equal sizes, so that a wrong matrix often fits; with biases."""
    config = tmp_path / "square.yaml"
    config.write_text(SQUARE)
    return config


class Case(NamedTuple):
    """A submission, the network that it is graded on, and what is to be found."""

    name: str
    config: Path | None  # None: the square one
    function: str
    first: tuple[str, int] | None
    slip: str | None = None  # its code; None: it has no pattern
    says: str = ""  # part of what is said beside it


B, D, W, DB = "backward", "delta", "dW", "db"
CASES = [
    Case("no_slope", POST, B, (D, 2), "f_prime_missing"),
    Case("no_output_slope", POST, B, (D, 3), "f_prime_missing"),
    Case("slope_at_x", POST, B, (D, 3), "f_prime_at_x"),
    Case("slope_of_next_layer", None, B, (D, 2), "f_prime_above"),
    Case("sigmoid_slope", IRIS, B, (D, 1), "sigmoid_slope"),
    Case("not_transposed", POST, B, (D, 2), says="there W[i + 1] is 2×3, delta[i + 1] is 2×14"),
    Case("not_transposed_square", None, B, (D, 2), "carry_not_transposed"),
    Case("weights_of_this_layer", None, B, (D, 2), "carry_other_w"),
    Case("own_output", None, B, (W, 3), "weight_by_x_i"),
    Case("sign", POST, B, (D, 3), "sign"),
    Case("factor_two", POST, B, (D, 3), "times_2"),
    Case("no_loss_slope", POST, B, (D, 3), "no_loss_slope"),
    Case("mean", None, B, (W, 3), "factor_one_by_rows", "it is right for one instance"),
    Case("mean_of_biases", None, B, (DB, 3), "bias_mean", "it is right for one instance"),
    Case("last_instance", None, B, (W, 3), "last_instance", "it is right for one instance"),
    Case("one_instance", POST, B, (W, 3), says="np.outer flattens"),
    Case("bias_axis", None, B, (DB, 3), says="summed over the units (axis=0)"),
    Case("bias_flat", None, B, (DB, 3), says="keepdims=True"),
    Case("bias_not_summed", None, B, (DB, 3), says="not summed over the 14 instances"),
    Case("loop_too_short", POST, B, (D, 1), says="it is None"),
    Case("nearly", POST, B, (W, 2), "factor"),
    Case("z_overwritten", POST, B, (D, 3), says="backward changed its arguments: z[1], z[2], z[3]"),
    Case("weights_updated_inside", POST, B, (D, 2), "updated_weights", "changed its arguments: W[1]"),
    Case("softmax_element_wise", IRIS, B, (D, 2), "softmax_element_wise"),
    Case("softmax_called", IRIS, B, (D, 2), says="softmax is not element-wise"),
    Case("gradient_alone", POST, B, None, says="it returned a list of 4"),
    Case("no_bias", None, "forward", ("z", 1), "no_bias"),
    Case("not_activated", POST, "forward", ("z", 2), "z_for_x"),
    Case("linear_output", POST, "forward", ("x", 3), "no_activation"),
    Case("updated_too_early", POST, "step", ("W", 2), "updated_weights"),
    Case("uphill", None, "step", ("W", 3), "ascent"),
    Case("biases_stay", None, "step", ("b", 3), "no_biases"),
]


def test_every_submission_is_a_case() -> None:
    assert {case.name for case in CASES} == {file.stem for file in (HERE / "submissions").glob("*.py")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_first_wrong_quantity_and_the_slip(case: Case, square: Path) -> None:
    grade = check_backward(HERE / "submissions" / f"{case.name}.py", case.config or square)
    assert [finding.function for finding in grade.findings] == [case.function]
    (finding,) = grade.findings
    found = None if finding.quantity is None else (finding.quantity, finding.layer)
    assert found == case.first
    assert (finding.slip.code if finding.slip else None) == case.slip
    said = [*finding.notes]
    said += [finding.fault.message] if finding.fault is not None else []
    said += [finding.judgment.complaint or ""] if finding.judgment is not None else []
    assert case.says in " ".join(said)


@pytest.mark.parametrize("name", [file.stem for file in sorted((HERE / "right").glob("*.py"))])
@pytest.mark.parametrize("config", ["derivation", "iris", "square"])
def test_right_code_in_any_style_passes(name: str, config: str, square: Path) -> None:
    file = square if config == "square" else ROOT / "configs" / f"{config}.yaml"
    grade = check_backward(HERE / "right" / f"{name}.py", file)
    assert grade.passed

"""Whatever a function returns, raises or changes is a verdict in words, with the line of the file."""

from pathlib import Path

import pytest

from bptrain.commands.check_backward.findings import FunctionFinding
from bptrain.commands.check_backward.grade import Grade
from conftest import ROOT
from submission_files import BACKWARD, FORWARD, RIGHT, ending, graded_here, written

POST = ROOT / "configs" / "derivation.yaml"


def grade(folder: Path, text: str) -> Grade:
    return graded_here(written(folder, text), POST)


def only(folder: Path, text: str) -> FunctionFinding:
    (finding,) = grade(folder, text).findings
    return finding


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_right_one_is_right(tmp_path: Path) -> None:
    assert grade(tmp_path, RIGHT).passed


@pytest.mark.parametrize(
    ("line", "quantity", "complaint"),
    [
        ("delta[2] = None", ("delta", 2), "it is None"),
        ("delta[2] = delta[2].tolist()", ("delta", 2), "it is a list of 3, not an array"),
        ("delta[2] = 'right'", ("delta", 2), "it is a value of type str, not an array"),
        ("delta[2] = 0.5", ("delta", 2), "it is a value of type float, not an array"),
        ("dW[1] = dW[1] + 0j", ("dW", 1), "its numbers are of type complex128, not float64"),
        ("dW[1] = dW[1].astype(object)", ("dW", 1), "its numbers are of type object, not float64"),
        ("dW[2] = dW[2].T", ("dW", 2), "its shape is 5×3, not 3×5: it is transposed"),
        ("dW[3] = dW[3].ravel()", ("dW", 3), "its shape is (6,), not 2×3"),
        ("delta[3] = delta[3].T", ("delta", 3), "its shape is 14×2, not 2×14: it is transposed"),
    ],
)
def test_an_entry_that_is_no_array_of_the_shape(
    tmp_path: Path, line: str, quantity: tuple[str, int], complaint: str
) -> None:
    finding = only(tmp_path, ending(line))
    assert (finding.quantity, finding.layer) == quantity
    assert finding.judgment is not None
    assert finding.judgment.complaint == complaint


def test_an_array_of_another_library(tmp_path: Path) -> None:
    """What NumPy can read is read; what it cannot is reported."""
    library = """
class Tensor:
    def __init__(self, array):
        self.array = array
    def __array__(self, dtype=None, copy=None):
        if self.array is None:
            raise RuntimeError("detach it first")
        return self.array
"""
    assert grade(tmp_path, library + ending("dW[2] = Tensor(dW[2])")).passed
    finding = only(tmp_path, library + ending("dW[2] = Tensor(None)"))
    assert finding.judgment is not None
    assert finding.judgment.complaint is not None
    assert "which NumPy cannot read: RuntimeError: detach it first" in finding.judgment.complaint


@pytest.mark.parametrize("value", ["np.nan", "np.inf", "-np.inf"])
def test_what_is_not_finite_is_wrong_and_pointed_at(tmp_path: Path, value: str) -> None:
    finding = only(tmp_path, ending(f"dW[2][1, 3] = {value}"))
    assert (finding.quantity, finding.layer) == ("dW", 2)
    assert finding.judgment is not None
    assert finding.judgment.worst == (1, 3)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("", "it returned None: is its return missing?"),
        ("return None", "it returned None"),
        ("return dW", "it returned a list of 4"),
        ("return delta, dW", "it returned a tuple of 2"),
        ("return 3", "it returned a value of type int"),
        ("return delta[1:], dW, db", "delta should be a list of 4 entries, 0 … 3; it is a list of 3"),
        (
            "return delta, {1: dW[1]}, db",
            "dW should be a list of 4 entries, 0 … 3; it is a value of type dict",
        ),
    ],
)
def test_something_else_returned(tmp_path: Path, returned: str, message: str) -> None:
    finding = only(tmp_path, FORWARD + BACKWARD.replace("return delta, dW, db", returned or "pass"))
    assert finding.fault is not None
    assert finding.fault.code == "wrong_return"
    assert message in finding.fault.message


def test_an_exception_has_its_line_the_quantity_and_the_shapes(tmp_path: Path) -> None:
    text = RIGHT.replace("W[i + 1].T @", "W[i + 1] @")
    finding = only(tmp_path, text)
    assert (finding.quantity, finding.layer) == ("delta", 2)
    assert finding.fault is not None
    assert finding.fault.line == line_of(text, "W[i + 1] @")
    assert (
        "while computing delta[2]; there z[i] is 3×14, W[i + 1] is 2×3, delta[i + 1] is 2×14"
        in finding.fault.message
    )
    assert [one.verdict for one in grade(tmp_path, text).trials[0].judged["backward"]][:2] == [
        "right",
        "missing",
    ]


def test_a_wrong_quantity_before_the_exception_comes_first(tmp_path: Path) -> None:
    finding = only(
        tmp_path, RIGHT.replace("dE(x[L], t))", "2 * dE(x[L], t))").replace("W[i + 1].T @", "W[i + 1] @")
    )
    assert (finding.quantity, finding.layer) == ("delta", 3)
    assert finding.fault is not None


def test_zeros_put_there_to_be_filled_in_are_not_wrong(tmp_path: Path) -> None:
    text = RIGHT.replace("W[i + 1].T @", "W[i + 1] @").replace(
        "    delta[L] = ", "    dW = [np.zeros_like(w) for w in W]\n    delta[L] = "
    )
    finding = only(tmp_path, text)
    assert (finding.quantity, finding.layer) == ("delta", 2)


@pytest.mark.parametrize(
    "statement",
    ["delta[-2] = W[3] @ delta[3]", "delta[L - 1] = W[3] @ delta[3]", "delta[1 + 1] += W[3] @ delta[3]"],
)
def test_the_quantity_is_read_from_the_statement(tmp_path: Path, statement: str) -> None:
    text = RIGHT.replace(
        "    for i in range(L - 1, 0, -1):", f"    delta[2] = 0\n    {statement}\n    for i in ():"
    )
    finding = only(tmp_path, text)
    assert (finding.quantity, finding.layer) == ("delta", 2)
    assert finding.fault is not None
    assert "while computing delta[2]" in finding.fault.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (RIGHT.replace("W[i] @ x[-1]", "W[i - 1] @ x[-1]"), "Entry 0 of W, b, f, df and z is unused"),
        (RIGHT.replace("f[i](z[-1])", "f[i - 1](z[-1])"), "f[0] does not exist: layers count from 1"),
        (
            RIGHT.replace("W[i] @ x[-1]", "W[i + 1] @ x[-1]").replace("range(1, len(W))", "range(3, 5)"),
            "Lists count",
        ),
        (RIGHT.replace("f[i](z[-1])", "f[i](None)"), "f takes arrays of n_i × N, but was given None"),
    ],
)
def test_what_it_most_often_comes_from(tmp_path: Path, text: str, hint: str) -> None:
    finding = grade(tmp_path, text).findings[0]
    assert finding.function == "forward"
    assert finding.fault is not None
    assert hint in finding.fault.message


@pytest.mark.parametrize(
    "statement", ["raise SystemExit", "raise KeyError('W')", "backward(W, b, df, dE, x, z, t)"]
)
def test_whatever_is_raised_is_part_of_the_verdict(tmp_path: Path, statement: str) -> None:
    finding = only(tmp_path, ending(statement))
    assert finding.fault is not None
    assert finding.fault.code == "raised"
    assert finding.fault.line is not None


def test_an_exception_comes_before_what_was_changed(tmp_path: Path) -> None:
    finding = only(tmp_path, ending("W[2] *= 2", "raise KeyError"))
    assert finding.fault is not None
    assert finding.fault.code == "raised"


def test_ctrl_c_is_not_theirs(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        grade(tmp_path, ending("raise KeyboardInterrupt"))


@pytest.mark.parametrize(
    ("line", "changed", "placed"),
    [
        ("W[2] *= 2", "W[2]", True),
        ("x[1][:] = 0", "x[1]", True),
        ("t -= x[L]", "t", True),
        ("z[3].sort()", "z[3]", True),
        ("W[2] = 2 * W[2]", "W[2]", False),
        ("x.pop()", "the length of x", False),
        ("df[1] = None", "df[1]", False),
        ("W[2] = W[2].astype(object)", "W[2]", False),
    ],
)
def test_a_changed_input_is_told_with_its_line(tmp_path: Path, line: str, changed: str, placed: bool) -> None:
    """All values are right; what it was given is not as it was."""
    text = ending(line)
    finding = only(tmp_path, text)
    assert finding.fault is not None
    assert finding.fault.code == "changed_input"
    assert f"backward changed its arguments: {changed}." in finding.fault.message
    assert finding.fault.line == (line_of(text, line) if placed else None)
    assert finding.quantity is None


def test_a_forward_that_changes_its_input(tmp_path: Path) -> None:
    finding = grade(
        tmp_path, RIGHT.replace("x, z = [x_0], [None]", "x_0 -= 1; x, z = [x_0], [None]")
    ).findings[0]
    assert finding.fault is not None
    assert "forward changed its arguments: x_0" in finding.fault.message


def test_a_step_may_change_what_it_is_given(tmp_path: Path) -> None:
    step = """
def step(W, b, f, df, dE, x_0, t, rate):
    x, z = forward(W, b, f, x_0)
    _, dW, _ = backward(W, b, df, dE, x, z, t)
    for i in range(1, len(W)):
        W[i] -= rate[i] * dW[i]
    return W, b
"""
    done = grade(tmp_path, RIGHT + step)
    assert done.passed
    assert list(done.trials[0].judged) == ["forward", "backward", "step"]


def test_a_function_that_is_not_finished(tmp_path: Path) -> None:
    finding = only(tmp_path, FORWARD + "def backward(*given):\n    raise NotImplementedError('later')\n")
    assert finding.fault is not None
    assert (finding.fault.code, finding.fault.message) == ("unfinished", "backward is not finished: later")
    finding = only(tmp_path, FORWARD + "def backward(*given):\n    raise NotImplementedError\n")
    assert finding.fault is not None
    assert finding.fault.message == "backward is not finished: it raises NotImplementedError"


def test_delta_by_another_name_with_a_right_gradient(tmp_path: Path) -> None:
    finding = only(tmp_path, ending("delta[2] = W[3].T @ delta[3]"))
    assert (finding.quantity, finding.layer) == ("delta", 2)
    assert "dW and db are all right: only delta is not what the derivation calls δ" in finding.notes


def test_a_wrong_forward_says_nothing_of_delta(tmp_path: Path) -> None:
    finding = grade(
        tmp_path,
        RIGHT.replace("W[i] @ x[-1] +", "1.5 * W[i] @ x[-1] +").replace(
            "W[i] @ x[-1] if", "1.5 * W[i] @ x[-1] if"
        ),
    ).findings[0]
    assert (finding.function, finding.quantity, finding.layer) == ("forward", "z", 1)
    assert not any("only delta" in note for note in finding.notes)


@pytest.mark.parametrize("index", ["len(W) - 2", "2 + int(0)", "-int(2)", "int(2)", "+2"])
def test_an_index_that_cannot_be_read_is_no_quantity(tmp_path: Path, index: str) -> None:
    text = RIGHT.replace(
        "    for i in range(L - 1, 0, -1):", f"    delta[{index}] = W[3] @ delta[3]\n    for i in ():"
    )
    fault = only(tmp_path, text).fault
    assert fault is not None
    assert fault.code == "raised"
    assert "while computing" not in fault.message


def test_what_is_handed_down_is_not_wrong_by_itself(tmp_path: Path) -> None:
    text = RIGHT.replace(
        "        delta[i] = df[i]",
        "        if i == 2: delta[i] = W[3].T @ delta[3]; continue\n        delta[i] = df[i]",
    )
    verdicts = {one.key: one.verdict for one in grade(tmp_path, text).trials[0].judged["backward"]}
    assert verdicts == {
        ("delta", 3): "right",
        ("dW", 3): "right",
        ("delta", 2): "wrong",
        ("dW", 2): "inherited",
        ("delta", 1): "inherited",
        ("dW", 1): "inherited",
    }


@pytest.mark.parametrize(
    ("line", "hinted"),
    [
        ("dW[2] = dW[2].round(7)", True),  # 6.6e-7 of its size
        ("dW[2] = dW[2].round(6)", False),  # 7.3e-6
        ("dW[2] = dW[2] * (1 + 5e-7)", False),  # a slip with a pattern is named instead
    ],
)
def test_an_error_that_may_be_rounding_is_said_to_be(tmp_path: Path, line: str, hinted: bool) -> None:
    finding = only(tmp_path, ending(line))
    assert (finding.quantity, finding.layer) == ("dW", 2)
    assert any("look for float32" in note for note in finding.notes) == hinted

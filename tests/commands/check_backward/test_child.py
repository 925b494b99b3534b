"""Each submission runs in a process of its own: whatever it does, there is a verdict from its results, or none."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bptrain.commands.check_backward.class_grades import verdict_of
from bptrain.commands.check_backward.grade import Grade
from bptrain.commands.check_backward.grade_file import Limits, check_backward, grade_file
from bptrain.commands.check_backward.grading_task import GradingTask, grading_task
from bptrain.commands.check_backward.user_functions import Fault
from bptrain.errors import UsageError
from command import SCRIPT, bptrain
from conftest import ROOT
from submission_files import FORWARD, RIGHT, ending, graded_here, written

pytestmark = pytest.mark.slow  # a process per submission

POST = ROOT / "configs" / "derivation.yaml"
RIGHT_WORDS = "pass: forward and backward are right"
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits that Linux has")
unix = pytest.mark.skipif(os.name == "nt", reason="processes of Unix")


@pytest.fixture(scope="module")
def task() -> GradingTask:
    return grading_task(POST)


def fault(folder: Path, task: GradingTask, text: str, limits: Limits = Limits(20.0, 256)) -> Fault:
    """Why there is no verdict on a submission."""
    grade = grade_file(written(folder, text), task, limits)
    assert not grade.passed
    assert grade.stopped is not None
    assert grade.trials == ()
    assert grade.record()["quantities"] == []
    return grade.stopped


def same(one: Grade, other: Grade) -> bool:
    """Whether two grades say the same."""
    return repr(one.record()) == repr(other.record())


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        ending("dW[2] = dW[2].T"),
        ending("1 / 0"),
        ending("delta[2] = None"),
        ending("dW[2] = dW[2].astype('f4')"),
        ending("W[2] *= 2"),
        ending("dW[2][0, 0] = np.nan"),
        RIGHT + "def step(*given):\n    raise NotImplementedError\n",
        RIGHT.replace("W[i + 1].T @", "W[i + 1] @"),
    ],
)
def test_the_verdict_is_the_one_that_the_code_has_in_this_process(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    assert same(check_backward(file, POST), graded_here(file, POST))


@pytest.mark.parametrize("config", ["iris", "penguins", "xor"])
def test_other_networks(tmp_path: Path, config: str) -> None:
    file = written(tmp_path, RIGHT)
    there = ROOT / "configs" / f"{config}.yaml"
    assert check_backward(file, there).passed
    assert same(check_backward(file, there), graded_here(file, there))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"print('{RIGHT_WORDS}')\nimport os; os._exit(0)\n" + RIGHT, "loading the file"),
        (ending(f"print('{RIGHT_WORDS}', flush=True)", "import os; os._exit(0)"), "backward on 14 instances"),
        (ending("import os; os._exit(3) if x[0].shape[1] == 1 else None"), "backward on one instance"),
        (
            ending("import atexit, os; atexit.register(print, 1); os.kill(os.getpid(), 9)"),
            "backward on 14 instances",
        ),
        (ending("import os; os.closerange(0, 99)"), "backward on 14 instances"),
        (ending("import os; os.abort()"), "backward on 14 instances"),
        (ending("raise KeyboardInterrupt"), "backward on 14 instances"),
    ],
)
@unix
def test_no_verdict_without_results(tmp_path: Path, task: GradingTask, text: str, where: str) -> None:
    found = fault(tmp_path, task, text)
    assert found.code == "ended"
    assert found.message.startswith(f"{where} ended the process, ")
    assert found.message.endswith(", before all results were there")


def test_what_is_written_between_the_results(tmp_path: Path, task: GradingTask) -> None:
    """To the pipe itself: it is no message, so there is no verdict."""
    loud = "import os\nfor number in range(3, 20):\n    try: os.write(number, b'pass' * 20)\n    except OSError: pass\n"
    assert fault(tmp_path, task, loud + RIGHT).code == "ended"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("while True: pass\n" + RIGHT, "loading the file"),
        (ending("while True: pass"), "backward on 14 instances"),
        (ending("import time; time.sleep(1e6)"), "backward on 14 instances"),
        ("import signal\nfor n in (2, 14, 15, 24): signal.signal(n, signal.SIG_IGN)\n" + ending("while True: pass"),
         "backward on 14 instances"),
        (ending("while True:", "    try:", "        while True: pass", "    except BaseException: pass"),
         "backward on 14 instances"),
        ("import os\nos.close(1); os.closerange(3, 99)\nwhile True: pass\n", "loading the file"),
    ],
)  # fmt: skip
@unix
def test_the_time_is_limited(tmp_path: Path, task: GradingTask, text: str, where: str) -> None:
    found = fault(tmp_path, task, text, Limits(1.0, 256))
    assert found.code == "time_limit"
    assert found.message == f"{where} did not finish within 1 s (--time-limit)"


@linux
@pytest.mark.parametrize(
    "text",
    [
        ending("hog = np.ones(10**9)"),
        ending("hog = [bytes(10**6) for _ in range(10**6)]"),
        "hog = bytes(10**10)\n" + RIGHT,
    ],
)
def test_memory_is_limited(tmp_path: Path, task: GradingTask, text: str) -> None:
    grade = grade_file(written(tmp_path, text), task, Limits(20.0, 64))
    assert verdict_of(grade) == "limit"
    found = grade.findings[0].fault
    assert found is not None
    assert found.code == "memory_limit"
    assert "more memory than" in found.message
    assert "--memory-limit" in found.message
    assert grade_file(written(tmp_path, ending("hog = np.ones(10**6)")), task, Limits(20.0, 64)).passed


@linux
def test_processes_are_limited(tmp_path: Path, task: GradingTask) -> None:
    """And all of them are gone."""
    text = ending(
        "import os, time", "for _ in range(99):", "    os.fork() or time.sleep(1e6)", "time.sleep(1e6)"
    )
    found = fault(tmp_path, task, text)
    assert (found.code, found.message) == (
        "process_limit", "backward on 14 instances started more than 64 processes"
    )  # fmt: skip


@unix
def test_a_process_that_is_left_behind_is_ended(tmp_path: Path, task: GradingTask) -> None:
    mark = tmp_path / "pid"
    text = "import os, time\n" + ending(
        "if not os.path.exists('pid'):",
        "    pid = os.fork()",
        "    if not pid: time.sleep(1e6)",
        f"    open({str(mark)!r}, 'w').write(str(pid))",
    )
    assert grade_file(written(tmp_path, text), task).passed
    assert not is_there(int(mark.read_text()))


@unix
def test_the_one_that_is_forked_does_not_answer(tmp_path: Path, task: GradingTask) -> None:
    """A copy of the process goes on with the same code: it is not the one to speak."""
    assert grade_file(written(tmp_path, ending("import os; os.fork()")), task).passed
    text = ending("import os", "if not os.fork(): dW[2] = None")
    assert grade_file(written(tmp_path, text), task).passed


def is_there(pid: int) -> bool:
    """Whether a process goes on; one that has ended and that nobody has asked for is not there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            status = Path("/proc", str(pid), "stat")
            if status.exists() and status.read_bytes().rpartition(b")")[2].split()[0] == b"Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.05)
    return True


def test_streams_may_be_closed_and_prints_may_be_huge(tmp_path: Path, task: GradingTask) -> None:
    for text in (
        "import sys; sys.stdout.close()",
        "import sys; sys.stderr.close()",
        "import os; x[0].shape[1] > 1 and os.close(1)",
        "import sys; sys.stdout = sys.stderr = None",
    ):
        assert grade_file(written(tmp_path, ending(text)), task).passed, text
    grade = grade_file(written(tmp_path, ending("print('x' * 5_000_000)")), task)
    assert grade.passed
    assert len(grade.output) < 11_000
    assert grade.output.endswith("bytes more")


def test_sys_exit_is_theirs(tmp_path: Path, task: GradingTask) -> None:
    grade = grade_file(written(tmp_path, ending("import sys; sys.exit(0)")), task)
    assert grade.findings[0].fault is not None
    assert grade.findings[0].fault.message.startswith("backward raised SystemExit: 0")
    with pytest.raises(UsageError, match="could not be loaded: SystemExit"):
        grade_file(written(tmp_path, "raise SystemExit(0)\n"), task)


def test_the_file_has_its_folder_its_name_and_no_input(tmp_path: Path, task: GradingTask) -> None:
    (tmp_path / "beside_it.py").write_text("TWO = 2\n")
    text = (
        "import sys\nfrom beside_it import TWO\nassert sys.argv == [__file__], sys.argv\n"
        "assert sys.stdin.read() == ''\n"
    )
    assert grade_file(written(tmp_path, text + RIGHT), task).passed


def test_a_file_of_the_folder_does_not_take_the_place_of_a_module(workplace: Path, task: GradingTask) -> None:
    """What bptrain itself needs in the child is loaded before the folder is looked into."""
    for name in ("json", "numpy", "bptrain", "resource"):
        (workplace / f"{name}.py").write_text("raise RuntimeError('not mine')\n")
    assert grade_file(written(workplace, RIGHT.replace("import numpy as np\n", "")), task).passed


def test_what_it_prints_is_shown_apart(workplace: Path) -> None:
    file = written(workplace, "print('loading')\n" + ending(f"print('{RIGHT_WORDS}')", "dW[2] *= 2"))
    done = bptrain("check-backward", file, POST)
    assert done.code == 1
    assert RIGHT_WORDS not in done.out
    assert done.err.startswith(f"output of {file}:\n  loading\n  {RIGHT_WORDS}\n")
    quiet = bptrain("check-backward", file, POST, "--quiet")
    assert quiet.err == ""


def test_the_command_line_says_what_stopped_it(workplace: Path) -> None:
    file = written(workplace, f"print('{RIGHT_WORDS}')\nimport os; os._exit(0)\n")
    done = bptrain("check-backward", file, POST)
    assert done.code == 1
    assert done.out == (
        "NO VERDICT: loading the file ended the process, with exit code 0, before all results were there\n"
    )
    record = bptrain("check-backward", file, POST, "--json").json
    assert (record["ok"], record["functions"], record["quantities"]) == (False, [], [])
    (finding,) = record["findings"]
    assert (finding["function"], finding["problem"]["code"]) == ("file", "ended")
    file = written(workplace, ending("while True: pass"))
    limited = bptrain("check-backward", file, POST, "--time-limit", "0.5")
    assert limited.code == 1
    assert limited.out == (
        "NO VERDICT: backward on 14 instances did not finish within 0.5 s (--time-limit)\n"
    )
    for option in ("--time-limit", "--memory-limit"):
        assert bptrain("check-backward", file, POST, option, "0").code == 2


@unix
@pytest.mark.parametrize("number", [getattr(signal, n, 0) for n in ("SIGTERM", "SIGINT", "SIGHUP")])
@pytest.mark.parametrize(
    "line",
    [
        "while True: pass",
        "while True:\n        try: time.sleep(1e6)\n        except BaseException: pass",
    ],
)
def test_a_signal_ends_both(workplace: Path, number: int, line: str) -> None:
    """It is never taken for an exception of the submission's own."""
    text = FORWARD + (
        "import os, time\n"
        "def backward(W, b, df, dE, x, z, t):\n"
        "    open('pid.new', 'w').write(str(os.getpid()))\n"
        "    os.rename('pid.new', 'pid')\n"
        f"    {line}\n"
    )
    command = [sys.executable, "-c", SCRIPT, "check-backward", str(written(workplace, text)), str(POST)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not Path("pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "nothing was changed" in err
    assert "raised" not in out + err
    assert not is_there(int(Path("pid").read_text()))


@linux
def test_a_child_whose_parent_is_killed_ends_at_once(workplace: Path) -> None:
    text = ending("import os", "open('pid.new', 'w').write(str(os.getpid()))", "os.rename('pid.new', 'pid')",
                  "while True: pass")  # fmt: skip
    command = [sys.executable, "-c", SCRIPT, "check-backward", str(written(workplace, text)), str(POST)]
    process = subprocess.Popen(
        [*command, "--time-limit", "600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not Path("pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not is_there(int(Path("pid").read_text()))


@unix
def test_a_command_that_ignores_the_end_of_its_terminal_goes_on(workplace: Path) -> None:
    """As nohup starts it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        file = written(workplace, ending("import os, signal", "os.kill(os.getppid(), signal.SIGHUP)"))
        assert bptrain("check-backward", file, POST).code == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

"""What is wrong with a plug-in is reported with its line, and exit code 2; never with a traceback, never as our bug."""

from pathlib import Path

import pytest

from bptrain.parts.describe import KINDS, beside
from bptrain.plugins import activations, losses
from bptrain.plugins.kinds import KINDS as PLUGGABLE
from command import Outcome, bptrain
from plugins.files import HEAD, LOG_COSH, naming, write

# What a plug-in says below its three lines of head, the line that is reported, and the words.
WRONG = [
    # read
    ("def f(:\n    pass\n", 4, "not valid Python"),
    ("x = 'a\0b'\n", None, "not valid Python"),
    # run
    ("x = 1\ny = x / 0\n", 5, "ZeroDivisionError: division by zero"),
    ("def helper():\n    raise KeyError('k')\n\nhelper()\n", 5, "KeyError: 'k'"),
    ("raise SystemExit(3)\n", 4, "SystemExit: 3"),
    ("import nonsense_that_is_nowhere\n", 4, "No module named 'nonsense_that_is_nowhere'"),
    ("from bptrain.plugins import Activaton\n", 4, "cannot import name 'Activaton'"),
    # what it registers
    ("x = 1\n", None, "registers no part"),
    (
        '@activations.add("tanh")\ndef tanh():\n    return 1\n',
        4,
        "the activation tanh is one of bptrain's own",
    ),
    ('@optimizers.add("lbfgs")\ndef o():\n    return 1\n', 4, "the optimizer lbfgs is one of bptrain's own"),
    (
        '@losses.add("own")\ndef a():\n    return 1\n\n@losses.add("own")\ndef b():\n    return 1\n',
        8,
        "the loss own is registered twice",
    ),
    (
        'activations.remove("relu")\n@activations.add("relu")\ndef a():\n    return 1\n',
        None,
        "the activation relu cannot be removed or replaced",
    ),
    ('activations.add("own")(Activation(np.tanh))\n', None, "the activation own is not a function"),
    # its options
    ('@activations.add("own")\ndef a(b=1.0):\n    return 1\n', 4, "has an option b without a type"),
    (
        '@activations.add("own")\ndef a(*b: float):\n    return 1\n',
        4,
        "has *b, and options are given by name",
    ),
    (
        '@activations.add("own")\ndef a(**b: int):\n    return 1\n',
        4,
        "has **b, and options are given by name",
    ),
    (
        '@activations.add("own")\ndef a(b: int = 1, /):\n    return 1\n',
        4,
        "has b, and options are given by name",
    ),
    ('@activations.add("own")\ndef a(b: float):\n    return 1\n', 4, "has an option b without a default"),
    (
        '@activations.add("own")\ndef a(b: list[int] = []):\n    return 1\n',
        4,
        "has an option b of a type that YAML cannot give",
    ),
    ('@activations.add("own")\ndef a(b: "Nothing" = 1):\n    return 1\n', 4, "name 'Nothing' is not defined"),
    (
        '@activations.add("own")\ndef a(name: str = ""):\n    return 1\n',
        4,
        "has an option name, which is a key",
    ),
    (
        '@losses.add("own")\ndef a(reduction: str = ""):\n    return 1\n',
        4,
        "has an option reduction, which is a key",
    ),
]


def refused(outcome: Outcome, file: Path, line: int | None, words: str) -> None:
    assert outcome.code == 2, outcome.err
    where = f"{file}: error: " if line is None else f"{file}:{line}:"
    assert outcome.err.startswith(where), outcome.err
    assert words in outcome.err
    assert "Traceback" not in outcome.err
    assert "bug in bptrain" not in outcome.err


@pytest.mark.parametrize(("text", "line", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_plugin_that_cannot_be_had(text: str, line: int | None, words: str, workplace: Path) -> None:
    before = [(kind.name, name) for kind in PLUGGABLE for name in kind.registry]
    file = write(workplace, text)
    refused(bptrain("list", "--plugin", file), file, line, words)
    assert [(kind.name, name) for kind in PLUGGABLE for name in kind.registry] == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.py", "there is no such plug-in"),
        ("mine.txt", "is a Python file"),
        ("d.py", "cannot be read"),
    ],
)
def test_a_file_that_is_none(name: str, words: str, workplace: Path) -> None:
    (workplace / "d.py").mkdir()
    (workplace / "mine.txt").write_text("")
    refused(bptrain("list", "--plugin", name), Path(name), None, words)


def test_a_syntax_error_has_its_column_and_a_caret(workplace: Path) -> None:
    file = write(workplace, "x = = 1\n")
    outcome = bptrain("list", "--plugin", file)
    assert outcome.err.splitlines()[0].startswith(f"{file}:4:5: error: not valid Python: ")
    assert outcome.err.splitlines()[1:] == ["    x = = 1", "        ^"]


def test_no_utf8(workplace: Path) -> None:
    file = workplace / "mine.py"
    file.write_bytes(b"x = '\xff'\n")
    refused(bptrain("list", "--plugin", file), file, None, "not text")


def test_two_plugins_with_one_name(workplace: Path) -> None:
    one, other = write(workplace, LOG_COSH), write(workplace, LOG_COSH + "\n", "other.py")
    for _ in range(2):  # when they are run, and when they are registered once more
        outcome = bptrain("list", "--plugin", one, "--plugin", other)
        refused(outcome, other, 4, f"the activation ln_cosh already belongs to the plug-in {one}")
    assert bptrain("list", "--plugin", other).code == 0  # by itself there is nothing wrong with it
    refused(bptrain("list", "--plugin", one, "--plugin", other), other, 4, f"belongs to the plug-in {one}")
    assert "ln_cosh" not in activations


def factory(kind: str, returned: str, body: str = "") -> str:
    return f'@{kind}.add("own")\ndef own():\n{body}    return {returned}\n'


# What a factory returns, and the words.
NOT_A_PART = [
    ("activations", "None", "returns None and not an Activation"),
    ("activations", "(np.tanh, np.tanh)", "returns 2 values and not an Activation"),
    ("activations", "Activation(np.tanh)", "should have either df, or the product"),
    ("activations", "Activation(None, np.tanh)", "has None where the function f should be"),
    (
        "activations",
        "Activation(lambda z: z.sum(axis=1), lambda z, x: z)",
        "has f that gives an array of float32",
    ),
    ("activations", "Activation(lambda z: z, lambda z, x: 1.0)", "has df that gives a value of type float"),
    ("activations", "Activation(lambda z: z.astype(float), lambda z, x: z)", "should keep the dtype"),
    ("activations", "Activation(np.tanh, lambda z, x: 1 - x * x, range=(1, 0))", "has the range (1, 0)"),
    ("activations", "Activation(np.tanh, lambda z, x: 1 - x * x, kinks=(None,))", "has the kinks (None,)"),
    ("losses", "Loss(lambda x, t: x, lambda x, t: x)", "has E that gives an array"),
    ("losses", "Loss(lambda x, t: x[:, 0], lambda x, t: x[:, :1])", "has dE that gives an array"),
    ("losses", "Loss(lambda x, t: x[:, 0], lambda x, t: x, outputs='any')", "has outputs='any'"),
    ("losses", "Loss(lambda x, t: x[:, 0], lambda x, t: x, output='nil')", "there is no such activation"),
    ("optimizers", "Optimizer(0.1, lambda g, *rest: g)", "has step that gives an array"),
    ("optimizers", "Optimizer(0.1, lambda g, s, *rest: (g[:1], s))", "has step that gives an array"),
    ("optimizers", "Optimizer(0.1, lambda g, s, *rest: (g, (g,)))", "as slots"),
    ("optimizers", "Optimizer('fast', lambda g, s, *rest: (g, s))", "as its learning rate"),
    (
        "optimizers",
        "Optimizer(0.1, lambda g, s, *rest: (g, s), slots={'m': 'none'})",
        "a slot of kind 'none'",
    ),
    ("optimizers", "Optimizer(0.1, lambda g, s, *rest: (g, s), slots=('m',))", "slots that are no mapping"),
    ("solvers", "Solver(lambda *a: a, {'m': 'none'})", "a slot of kind 'none'"),
    ("solvers", "Solver(lambda *a: a, {})", "has step that gives 4 values, and should give an Iteration"),
    ("solvers", "Solver(lambda o, w, s, t: Iteration(w, (), 1.0, True), {'m': 2})", "as slots"),
    ("schedules", "1.0", "returns a value of type float and not a schedule"),
    ("schedules", "lambda *position: None", "gives None, and should give a number"),
    (
        "initializers",
        "Initializer(lambda rng, a, b: np.zeros((b, a)))",
        "and should give an array of shape (3, 2)",
    ),
    ("metrics", "Metric(lambda *a: 1.0, 'ranking', 'higher')", "has task='ranking'"),
    ("scalers", "lambda rows: rows", "should give an Affine"),
    (
        "scalers",
        "lambda rows: Affine(rows[0], rows[1], 'sqrt')",
        "has function='sqrt', which should be one of",
    ),
]


@pytest.mark.parametrize(("kind", "returned", "words"), NOT_A_PART, ids=[words for _, _, words in NOT_A_PART])
def test_a_factory_that_makes_something_else(kind: str, returned: str, words: str, iris: Path) -> None:
    file = write(iris.parent, factory(kind, returned))
    keys = {
        "activations": (
            "network: {sizes: [4, 6, 3]",
            "network: {sizes: [4, 6, 3], activations: [own, softmax]",
        ),
        "initializers": ("network: {sizes: [4, 6, 3]", "network: {sizes: [4, 6, 3], initializer: own"),
        "losses": ("loss: cross_entropy", "loss: own"),
        "optimizers": ("loss:", "optimizer: own\nloss:"),
        "solvers": ("training: {", "optimizer: own\ntraining: {mode: batch, "),
        "schedules": ("loss:", "schedule: own\nloss:"),
        "metrics": ("loss:", "metrics: [own]\nloss:"),
        "scalers": ("target: species", "target: species, scale: own"),
    }
    iris.write_text(iris.read_text().replace(*keys[kind]))
    for command in ("fit", "explain"):
        refused(bptrain(command, iris, "--plugin", file), file, 4, words)


# What stands in a formula, the line of it, and the words.
RAISING = [
    ("        return z[:, 99]\n", 9, "f raised IndexError: index 99 is out of bounds"),
    ("        return np.linalg.inv(z)\n", 9, "f raised LinAlgError:"),  # deep in NumPy
    ("        return open('nowhere').read()\n", 9, "f raised FileNotFoundError:"),
    (
        "        return difference_terms(z)\n",
        9,
        "f raised TypeError:",
    ),  # a helper of bptrain's own, called wrongly
]


@pytest.mark.parametrize(("line", "at", "words"), RAISING, ids=[words for _, _, words in RAISING])
@pytest.mark.parametrize("command", ["fit", "gradcheck"])
def test_a_formula_that_raises(command: str, line: str, at: int, words: str, iris: Path) -> None:
    file = write(iris.parent, LOG_COSH.replace("        return scale * np.log(np.cosh(z))\n", line))
    refused(bptrain(command, naming(iris), "--plugin", file), file, at, words)


def test_a_formula_that_raises_while_it_trains(iris: Path) -> None:
    """Fifty updates have gone well; the run keeps what it had."""
    body = "    def step(g, slots, w, rate, t, E):\n        assert t < 7, 'enough'\n        return rate * g, slots\n\n"
    file = write(iris.parent, factory("optimizers", "Optimizer(0.1, step)", body))
    iris.write_text(iris.read_text() + "optimizer: own\n")
    outcome = bptrain("fit", iris, "--plugin", file, "--out", "run", "--quiet")
    refused(outcome, file, 7, "step raised AssertionError: enough")
    assert list((iris.parent / "run" / "checkpoints").iterdir())


def test_an_error_of_ours_stays_a_bug(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in is blamed for its own code alone."""

    def broken(*arguments: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("bptrain.commands.fit.ready.baseline", broken)
    monkeypatch.setenv("TMPDIR", str(iris.parent))
    outcome = bptrain("fit", naming(iris), "--plugin", write(iris.parent, LOG_COSH))
    assert outcome.code == 70
    assert "bug in bptrain" in outcome.err


def test_what_a_plugin_calls_and_is_ours_stays_a_bug(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver asks for the objective, which fails in bptrain's own code."""
    body = "    def step(o, w, s, t):\n        return Iteration(w, s, o.value(w), True)\n\n"
    file = write(iris.parent, factory("solvers", "Solver(step, {})", body))
    text = iris.read_text().replace("training: {", "optimizer: own\ntraining: {mode: batch, ")
    iris.write_text(text)
    assert bptrain("fit", iris, "--plugin", file).code == 0

    def broken(*arguments: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("bptrain.training.solving.penalty_at", broken)
    monkeypatch.setenv("TMPDIR", str(iris.parent))
    assert bptrain("fit", iris, "--plugin", file).code == 70


def test_a_rule_between_options_is_told_at_the_config(iris: Path) -> None:
    text = LOG_COSH.replace(
        "    def f(", "    if scale > 2:\n        raise ValueError('scale is too large')\n\n    def f("
    )
    config = naming(iris, "sizes: [4, 6, 3], activations: [{name: ln_cosh, scale: 3}, softmax]")
    outcome = bptrain("fit", config, "--plugin", write(iris.parent, text))
    assert outcome.code == 2
    assert outcome.err.startswith(f"{config}:3:")
    assert "scale is too large" in outcome.err


def test_what_a_plugin_prints_is_no_result(workplace: Path) -> None:
    outcome = bptrain("list", "losses", "--json", "--plugin", write(workplace, "print('hello')\n" + LOG_COSH))
    assert outcome.json["ok"] is True
    assert outcome.err == "hello\n"


def test_the_keys_that_are_taken_are_those_beside_the_factories() -> None:
    """What `list` shows in addition to the options of a factory is what no option of a plug-in may be called."""
    for kind in PLUGGABLE:
        (plural,) = [key for key, registry in KINDS.items() if registry.kind == kind.name]
        assert set(beside(plural, next(iter(kind.registry)))) == set(kind.taken)


def test_the_parts_of_bptrain_would_pass() -> None:
    """What is asked of plug-ins holds for every part of bptrain's own, so it is not asked too much."""
    from bptrain.plugins.kinds import fault
    from bptrain.plugins.options import wrong_option

    for kind in PLUGGABLE:
        for name in kind.registry:
            assert wrong_option(kind.registry.get(name), kind.taken) is None, name
            assert fault(kind, kind.registry.get(name)()) is None, name


def test_head_is_three_lines() -> None:
    assert HEAD.count("\n") == 3
    assert "cross_entropy" in losses

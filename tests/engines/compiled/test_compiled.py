"""The compiled engine beyond the contract: its functions, its numbers, its cache, its threads."""

import gc
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.engines.base import aligned, initial_optimizer_state
from bptrain.engines.compiled import batches, instances
from bptrain.engines.compiled.kernel_plan import KernelPlan
from bptrain.engines.compiled.running import CompiledForward
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.parts.activations import activations
from bptrain.parts.optimizers import Optimizer, Slots, optimizers
from bptrain.parts.types import Array
from engines.installed import ENGINES, needs_compiler, plan_of, start
from networks import data_for, network

pytestmark = needs_compiler
DTYPES = [np.float32, np.float64]
ODD = [np.nan, np.inf, -np.inf, 1e4, -1e4, 89.0, -104.0, 1e-30, -1e-30, 0.0, -0.0, 0.5, -3.0]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "bptrain" / "kernels"


def vectorized(function: Callable[..., Any]) -> Callable[[Array], Array]:
    """The function over the entries of a vector, compiled as a loop is."""
    from numba import njit

    @njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy")  # type: ignore[untyped-decorator]
    def over(z: Array, out: Array) -> None:
        for k in range(len(z)):
            out[k] = function(z[k])

    def run(z: Array) -> Array:
        out = np.empty_like(z)
        over(z, out)
        return out

    return run


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "expm1", "tanh", "log1p"])
def test_elementary_functions(name: str, dtype: type) -> None:
    """Against the C library in long double: within 1.8 units in the last place; subnormal and infinite ones too."""
    from bptrain.engines.compiled.runtime import elementary

    bits = "32" if dtype == np.float32 else "64"
    rng, edge = np.random.default_rng(0), np.log(np.finfo(dtype).max)
    sizes = [
        rng.uniform(-10, 10, 5000),
        rng.uniform(-edge, edge, 5000),
        rng.normal(size=5000) * 10.0 ** rng.uniform(-30, 1, 5000),
    ]
    z: Array = np.concatenate([*sizes, ODD]).astype(dtype)
    ours = vectorized(getattr(elementary, f"{name}_{bits}"))(z)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(z.astype(np.longdouble))
        expected = exact.astype(dtype)
    normal = np.abs(expected) >= np.finfo(dtype).tiny
    finite = normal & np.isfinite(expected)
    error = np.abs((ours[finite] - exact[finite]) / exact[finite])
    assert error.max() < 1.8 * np.finfo(dtype).eps
    assert np.array_equal(ours[~np.isfinite(expected)], expected[~np.isfinite(expected)], equal_nan=True)
    np.testing.assert_allclose(
        ours[~normal], expected[~normal], rtol=0, atol=float(np.finfo(dtype).smallest_subnormal)
    )
    assert np.abs(vectorized(elementary.tanh_32)(np.linspace(-20, 20, 9999, dtype=np.float32))).max() == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.slow
def test_activations_at_odd_numbers(dtype: type) -> None:
    """NaN stays NaN, infinities and ±1e4 come out as by NumPy. All formulas in one kernel, each in a loop as a layer's.

    Softmax, which is no function of single numbers, through a layer that hands z on as it is.
    """
    from numba import types

    from bptrain.engines.compiled.cache import compiled
    from bptrain.engines.compiled.functions import KernelFunctions
    from bptrain.engines.compiled.kernel import header

    functions, names = (
        KernelFunctions(),
        [name for name in activations if activations.get(name)().df is not None],
    )
    made = [functions.formula("f", 1, ("z",), activations.get(name)().f) for name in names]
    lines = ["", "", "@loop", "def outputs(z, X):"]
    for k, formula in enumerate(made):
        lines += ["    for n in range(len(z)):", f"        X[{k}, n] = {formula.name}(z[n])"]
    net = network((3, 3), ["softmax"], "half_squared_error", bias=False)
    top = header(KernelPlan(net, np.dtype(dtype).name, single=False))
    real = types.float32 if dtype == np.float32 else types.float64
    run = compiled("\n".join([*top, *functions.lines, *lines]) + "\n", "outputs", (real[::1], real[:, ::1]))
    z: Array = np.array(ODD, dtype)
    eps = float(np.finfo(dtype).eps)
    ours: Array = np.empty((len(names), len(z)), dtype)
    run(z, ours)
    with np.errstate(all="ignore"):
        for name, row in zip(names, ours, strict=True):
            expected = activations.get(name)().f(z)
            np.testing.assert_allclose(row, expected, rtol=4 * eps, atol=eps, equal_nan=True, err_msg=name)
    assert set(activations) - set(names) == {"softmax"}
    Z: Array = np.full((len(ODD), 3), 0.25, dtype)
    Z[:, 0] = ODD
    Z = Z[np.isfinite(Z).all(axis=1)]  # 0 · ∞ in the product is NaN
    w: Array = np.eye(3, dtype=dtype).ravel()
    X_L = CompiledForward(net, dtype)(w, Z).X_L
    assert X_L.dtype == dtype
    np.testing.assert_allclose(X_L, numpy_outputs(net, w, Z).X_L, rtol=4 * eps, atol=eps)


@pytest.mark.parametrize("form", ["single", "batches"])
@pytest.mark.slow
def test_float32_is_not_widened(form: str) -> None:
    """Every function of a float32 kernel returns float32, and the products are in float32."""
    from numba import float32, types

    from bptrain.engines.compiled.cache import compiled
    from bptrain.engines.compiled.kernel import kernel_source
    from bptrain.engines.compiled.running import kernel_plan_of

    net = network((3, 4, 4, 4, 2), ["sigmoid", "leaky_relu", "tanh", "softmax"], "cross_entropy")
    plan = plan_of(net, "adam", batch=1 if form == "single" else 4)
    source = kernel_source(kernel_plan_of(plan, np.float32), "run_slice")
    flat, matrix, count = float32[::1], float32[:, ::1], types.int64
    signature = (
        flat,
        flat,
        flat,
        matrix,
        matrix,
        flat,
        count,
        count,
        types.float64[::1],
        count,
        count,
        count,
    )
    run: Any = compiled(source, "run_slice", signature)
    module = sys.modules[run.py_func.__module__]
    for name in ("f1", "f2", "f3", "df1", "df2", "df3"):
        function: Any = getattr(module, name)
        function.compile((float32,) * function.py_func.__code__.co_argcount)
        assert function.nopython_signatures[0].return_type == float32, name
    update: Any = module.update
    update.compile((float32,) * update.py_func.__code__.co_argcount)
    assert set(update.nopython_signatures[0].return_type) == {float32}
    assert "dgemm" not in source
    assert "float64" not in source


def test_subnormal_numbers_count_as_zero_in_a_loop_alone() -> None:
    """A slot that shrinks by 0.9 per update ends at 0; outside the loop subnormal numbers are there as before."""
    net = network((2, 1), ["relu"], bias=False)
    rule = optimizers.get("momentum")()
    state = initial_optimizer_state(np.array([-1.0, -1.0], np.float32), rule)
    state.slots = (np.full(2, 1.2e-38, np.float32),)
    X, T = np.ones((40, 2), np.float32), np.zeros((40, 1), np.float32)
    ENGINES["numba"](plan_of(net, rule, rows=40, batch=4), np.float32).run_slice(state, X, T)
    assert state.slots[0].tolist() == [0.0, 0.0]
    assert float(np.float32(1.2e-38) * np.float32(0.5)) > 0
    assert 1e-308 * 0.1 > 0


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.slow
def test_a_rule_with_a_scalar_slot_and_the_loss(batch: int) -> None:
    """A running sum of the losses, kept in addition to a slot of weights; against NumPy on the same rule."""

    def step(g: Array, slots: Slots, w: Array, rate: Any, t: int, E: float) -> tuple[Array, Slots]:
        v, seen = slots
        seen = 0.5 * seen + E / t
        v = v + g * g
        return rate * g / (np.sqrt(v) + seen), (v, seen)

    net = network((3, 4, 2), ["tanh", "sigmoid"])
    rule = Optimizer(0.1, step, slots={"square": "per_weight", "seen": "scalar"}, needs_loss=True)
    X, T = data_for(net, 10, 0)
    results = []
    for engine in ("numpy", "numba"):
        state = initial_optimizer_state(start(net, np.float64), rule)
        ENGINES[engine](plan_of(net, rule, rows=10, batch=batch), np.float64).run_slice(state, X, T)
        results.append(state)
    ours, expected = results[1], results[0]
    np.testing.assert_allclose(ours.w, expected.w, rtol=1e-11)
    assert ours.slots[1].shape == ()
    np.testing.assert_allclose(ours.slots[1], expected.slots[1], rtol=1e-11)


@pytest.mark.parametrize("name", ["adamax", "rprop", "quickprop"])
def test_a_choice_does_not_hide_what_is_not_a_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A maximum, a sign or a comparison in a rule: weights whose gradient is NaN become NaN."""
    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)
    net = network((2, 1), ["identity"], bias=False)
    rule = optimizers.get(name)()
    state = initial_optimizer_state(np.array([0.5, -0.5], np.float32), rule)
    X, T = np.ones((5, 2), np.float32), np.zeros((5, 1), np.float32)
    running = ENGINES["numba"](plan_of(net, rule, rows=5, batch=5), np.float32)
    for target in (1.0, 1.0, np.nan):
        T[:] = target
        running.run_slice(state, X, T)
    assert np.isnan(state.w).all()


@pytest.mark.slow
def test_loops_and_written_out_loops_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network((3, 4, 2), ["tanh", "softmax"], "cross_entropy")
    X, T = data_for(net, 30, 0)
    results = []
    for limit in (0, 1000):
        monkeypatch.setattr(instances, "UNROLLED", limit)
        plan = plan_of(net, "adam", rows=30, batch=1)
        state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
        ENGINES["numba"](plan, np.float64).run_slice(state, X, T)
        results.append(state.w)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-9)
    assert not np.array_equal(results[0], start(net, np.float64))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.slow
def test_parts_of_a_large_batch_by_threads(reduction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread or three: the same update and the same loss, up to the order of sums."""
    from bptrain.engines.compiled.running import NumbaEngine

    monkeypatch.setattr(batches, "CHUNK_NUMBERS", 0)
    monkeypatch.setattr(batches, "LEAST_CHUNK", 4)
    net = network((3, 5, 2), ["tanh", "sigmoid"], reduction=reduction)
    X, T = data_for(net, 31, 0)
    plan = plan_of(net, rows=31, batch=31)
    results = []
    for threads in (1, 3):
        engine = NumbaEngine(plan, np.float64, threads)
        state = initial_optimizer_state(start(net, np.float64), plan.optimizer)
        loss = engine.run_slice(state, X, T)
        results.append((state.w, loss, engine.outputs(state.w, X).X_L))
    (w, loss, out), (w_3, loss_3, out_3) = results
    np.testing.assert_allclose(w_3, w, rtol=1e-13)
    assert loss_3 == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(out_3, out, rtol=1e-13)


def test_arrays_begin_at_a_cache_line() -> None:
    for shape in ((), (3,), (7, 5)):
        array = aligned(shape, np.float32)
        assert array.shape == shape
        assert array.ctypes.data % 64 == 0
    state = initial_optimizer_state(np.zeros(10, np.float32), optimizers.get("momentum")()).copy()
    assert state.w.ctypes.data % 64 == state.slots[0].ctypes.data % 64 == 0


def some_plan() -> Any:
    return plan_of(network((2, 1), "identity"), rows=4, batch=4)


def trained(plan: Any) -> Array:
    X, T = data_for(plan.network, 4, 0)
    state = initial_optimizer_state(start(plan.network, np.float64), plan.optimizer)
    ENGINES["numba"](plan, np.float64).run_slice(state, X, T)
    return state.w


def worked_out(more: float = 1.0) -> float:
    """What a small loop makes of 1, compiled or read from the cache as those of networks are, but much quicker."""
    from numba import float64

    from bptrain.engines.compiled.cache import compiled
    from bptrain.engines.compiled.kernel import RUNTIME

    text = f"from {RUNTIME}.loops import loop\n\n\n@loop\ndef outputs(x):\n    return x + {more}\n"
    return float(compiled(text, "outputs", (float64,))(1.0))


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What another process has compiled: `worked_out`'s loop and `some_plan`'s, in a cache directory of their own."""
    place = tmp_path_factory.mktemp("earlier")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place))
        worked_out()
        trained(some_plan())
    return place


@pytest.fixture
def filled(home: Path, earlier: Path) -> Path:
    """The cache directory of a test, with the loops of `worked_out` and `some_plan` in it."""
    shutil.copytree(earlier, home.parent.parent, dirs_exist_ok=True)
    return home


def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that gets an entry whenever a kernel is compiled anew."""
    from bptrain.engines.compiled import cache

    made: list[str] = []
    kept = cache.digests

    def digests(directory: Path) -> str:
        if directory.name.startswith("new-"):
            made.append(directory.name)
        return kept(directory)

    monkeypatch.setattr(cache, "digests", digests)
    return made


def test_kernels_are_kept_between_processes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = compilations(monkeypatch)
    w = trained(some_plan())
    first = len(made)
    assert first > 0
    assert np.array_equal(trained(some_plan()), w)
    assert len(made) == first
    code = "from engines.compiled.test_compiled import some_plan, trained; trained(some_plan())"
    listed = sorted(home.rglob("*"))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert sorted(home.rglob("*")) == listed


def test_kernels_are_private(home: Path) -> None:
    worked_out()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert {path.name for path in home.iterdir()}
    assert not list(home.glob("new-*"))


def test_a_directory_that_others_may_write_to_is_not_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(parents=True)
    home.chmod(0o777)
    worked_out()
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert worked_out() == 2.0


@pytest.mark.parametrize("damage", ["cut", "garbage", "gone"])
@pytest.mark.slow
def test_a_damaged_kernel_is_compiled_again(
    damage: str, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = compilations(monkeypatch)
    assert worked_out() == 2.0
    assert not made
    for file in filled.rglob("*.nbc"):
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:100] if damage == "cut" else b"garbage")
    assert worked_out() == 2.0
    assert made


def test_using_a_kernel_leaves_it_sound(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else Python puts next to it; what is read back is the text and the machine code."""
    worked_out()
    for cache_directory in filled.rglob("__pycache__"):
        (cache_directory / "kernel.cpython-311.opt-1.pyc").write_bytes(b"")
    made = compilations(monkeypatch)
    worked_out()
    assert not made


@pytest.mark.slow
def test_processes_that_meet_a_damaged_kernel(filled: Path) -> None:
    """All of them go on, and one whole kernel is left."""
    for file in filled.rglob("*.nbc"):
        file.write_bytes(b"garbage")
    code = "from engines.compiled.test_compiled import some_plan, trained; trained(some_plan())"
    run = [sys.executable, "-c", code]
    here = Path(__file__).parents[2]
    together = [subprocess.Popen(run, cwd=here, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in together] == [("", 0)] * 3
    assert not list(filled.glob("new-*"))


def test_a_full_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bptrain.engines.compiled import cache

    def full(kernels: Path, *arguments: object) -> object:
        if kernels == home:
            raise OSError(28, "No space left on device")
        return kept(kernels, *arguments)  # type: ignore[arg-type]

    kept = cache.compiled_in
    monkeypatch.setattr(cache, "compiled_in", full)
    assert worked_out() == 2.0


def test_garbage_collection_pauses_while_a_kernel_is_compiled(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bptrain.engines.compiled import cache

    seen = []

    def fails(*arguments: object) -> object:
        seen.append(gc.isenabled())
        raise RuntimeError("no compiler")

    monkeypatch.setattr(cache, "from_module", fails)
    with pytest.raises(RuntimeError, match="no compiler"):
        cache.compiled("text", "run_slice", ())
    assert seen == [False]
    assert gc.isenabled()
    assert not list(home.glob("new-*"))


def test_old_kernels_go(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bptrain.engines.compiled import cache

    before = {path.name for path in filled.iterdir() if path.is_dir()}
    assert before
    for name in before:
        os.utime(filled / name, (1, 1))
    (filled / "new-left").mkdir()  # by a process that was killed
    os.utime(filled / "new-left", (1, 1))
    monkeypatch.setattr(cache, "KEPT", 1)
    assert worked_out(2.0) == 3.0
    after = {path.name for path in filled.iterdir() if path.is_dir()}
    assert len(after) == 1
    assert not after & before


def test_a_cache_directory_of_numba_does_not_matter(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "elsewhere"))
    worked_out()
    assert list(home.rglob("*.nbc"))
    assert not (tmp_path / "elsewhere").exists()
    assert str(tmp_path / "elsewhere") == numba.config.CACHE_DIR

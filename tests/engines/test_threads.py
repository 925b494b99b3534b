"""How many threads a run takes, and that sharing rows out changes nothing but the last bits."""

import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import bptrain
from bptrain.cli.entry import OPENBLAS, OPENMP, wait_asleep
from bptrain.core.backprop import forward, gradient
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext
from bptrain.engines import forward_rows, numpy_engine, threads
from bptrain.engines.base import TrainingPlan
from bptrain.engines.blas import BLAS, BlasThreads, blas_libraries
from bptrain.engines.choice import forward_pass
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.engines.row_threads import Parts
from bptrain.store.checkpoint import glance
from engines.installed import needs_compiler, plan_of, used_state
from networks import data_for, network

SIZES = {  # as in benchmarks/cases.py: sizes, rows in an update, whether it is shared out
    "A": ((4, 5, 3, 2), 1, False),
    "C": ((784, 30, 10), 10, False),
    "init's network for a table": ((288, 128, 1), 32, False),
    "784-100-10 with 10": ((784, 100, 10), 10, False),
    "E": ((784, 128, 10), 32, False),
    "F": ((784, 512, 512, 10), 128, True),
    "G": ((784, 2048, 2048, 10), 1024, True),
    "H": ((784, 100, 10), 60_000, True),
}


def plan_for(sizes: tuple[int, ...], batch: int) -> TrainingPlan:
    return plan_of(network(sizes, ["relu"] * (len(sizes) - 1)), "gradient_descent", rows=batch)._replace(
        batch_size=batch
    )


@pytest.mark.parametrize("case", SIZES)
def test_threads_only_where_an_update_is_large(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, batch, large = SIZES[case]
    monkeypatch.setattr(threads, "threads_at_hand", lambda: 8)
    assert threads.threads_for(plan_for(sizes, batch), None) == (8 if large else 1)
    assert threads.threads_for(plan_for(sizes, batch), 3) == 3


def test_a_batch_in_parts_counts_part_by_part() -> None:
    plan = plan_for((784, 512, 512, 10), 128)
    assert threads.gains_from_threads(plan)
    assert not threads.gains_from_threads(plan._replace(accumulate=64))


def test_the_work_of_an_update_by_hand() -> None:
    """4-3-2: Z_1 and dW_1 12 each, Z_2, dW_2 and D_1 6 each, for each of 5 rows."""
    assert threads.update_work(network((4, 3, 2), ["tanh", "tanh"]), 5) == 5 * (2 * 12 + 3 * 6)


def quotas(tmp_path: Path, own: str, files: dict[str, str]) -> list[int]:
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text)
    return [*threads.cgroup_quotas(tmp_path / "fs", tmp_path / "own")]


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, [2]),
        ("0::/\n", {"cpu.max": "max 100000\n"}, []),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "400000 100000\n"}, [4]),
        ("0::/gone\n", {"cpu.max": "50000 100000\n"}, [1]),
        (
            "4:cpu,cpuacct:/c\n0::/\n",
            {"cpu/c/cpu.cfs_quota_us": "300000\n", "cpu/c/cpu.cfs_period_us": "100000\n"},
            [3],
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, []),
        ("0::/\n", {"cpu.max": "what is this\n"}, []),
        ("0::/\n", {"cpu.max": "100000 0\n"}, []),
        ("0::/\n", {"cpu.max": "0 100000\n"}, []),
        ("0::/\n", {"cpu.max": "-5 100000\n"}, []),
        ("\nno colons\n0::/\n", {"cpu.max": "200000 100000\n"}, [2]),
    ],
)
def test_quotas_of_control_groups(
    own: str, files: dict[str, str], expected: list[int], tmp_path: Path
) -> None:
    assert quotas(tmp_path, own, files) == expected


def test_a_control_group_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"0::/\xff\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert [*threads.cgroup_quotas(tmp_path, tmp_path / "own")] == [1]


def test_no_control_groups(tmp_path: Path) -> None:
    assert [*threads.cgroup_quotas(tmp_path, tmp_path / "none")] == []


def test_a_quota_limits_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cgroup_quotas", lambda root, own: iter([1]))
    assert threads.processors() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_the_affinity_limits_the_processors() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert threads.processors() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_the_limit_of_blas_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 8)
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        assert threads.threads_at_hand() == 3
        with threads.limit_threads(blas=1, openmp=1):  # which is ours, not the user's
            assert threads.threads_at_hand() == 3


def test_a_blas_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as macOS's own: there the variables alone say what the user wants."""
    monkeypatch.setattr(threads, "processors", lambda: 8)
    monkeypatch.setattr(BLAS, "without_limits", lambda: None)
    for name in ("OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.setenv(name, "")
    assert threads.threads_at_hand() == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert threads.threads_at_hand() == 8
    monkeypatch.setenv("VECLIB_MAXIMUM_THREADS", "2")
    assert threads.threads_at_hand() == 2


NET = network((6, 40, 7, 3), ["tanh", "relu", "softmax"], "cross_entropy")
OPTIONS: dict[str, Any] = {
    "plain": lambda plan: plan,
    "penalties": lambda plan: plan._replace(network=replace(plan.network, l1=0.01, l2=0.1)),
    "dropout": lambda plan: plan._replace(network=replace(NET, dropout=(0.1, 0.2, 0.5))),
    "weights of rows": lambda plan: plan._replace(weighted=True),
    "a sum": lambda plan: plan._replace(network=replace(plan.network, reduction="sum")),
    "accumulated": lambda plan: plan._replace(accumulate=2),
}


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_engine, "LEAST_SHARE", 32)
    monkeypatch.setattr(threads, "WORTH", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)


@pytest.mark.parametrize("by_layers", [False, True])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.usefixtures("everything_is_large")
def test_shared_out_rows_give_the_same_updates(
    option: str, by_layers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three batches, the last one shorter, as by one thread but for the order of sums."""
    if by_layers:
        monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 7)
        monkeypatch.setattr(numpy_engine, "PRODUCT_NUMBERS", 15)
    plan = OPTIONS[option](plan_of(NET, "adam", rows=330)._replace(batch_size=140))
    X, T = data_for(plan.network, plan.rows, 0)
    V = np.random.default_rng(1).uniform(0.5, 2.0, plan.rows) if plan.weighted else None
    context = BatchContext(V, masks(plan.network, 7, 1, slice(0, plan.rows), np.float64))
    found = []
    for count in (1, 3):
        engine = NumpyEngine(plan, count)
        assert engine._by_layers == (by_layers and plan.accumulate == 1)
        state = used_state(plan, np.float64).copy()
        loss = engine.run_slice(state, X, T, context)
        found.append((loss, state.w, *state.slots))
    assert [len(shares) for shares in engine._kept_shares.values()] == (
        [2, 1] if option == "accumulated" else [3, 1]
    )
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)
        assert option == "plain" or not np.array_equal(one, 0)


@pytest.mark.usefixtures("everything_is_large")
def test_a_shared_gradient_and_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward_rows, "PART_NUMBERS", 40 * 50)
    plan = plan_of(NET, "adam", rows=200)
    X, T = data_for(NET, 200, 3)
    state = used_state(plan, np.float64)
    engine, seen = NumpyEngine(plan, 3), set()

    def watched(*arguments: Any) -> Any:
        seen.add(threading.get_ident())
        return forward(*arguments)

    monkeypatch.setattr(forward_rows, "forward", watched)
    monkeypatch.setattr(numpy_engine, "forward", watched)
    np.testing.assert_allclose(
        engine.gradient(state.w, X, T), gradient(NET, state.w, X, T), rtol=1e-11, atol=1e-14
    )
    outputs, alone = engine.outputs(state.w, X), numpy_outputs(NET, state.w, X)
    np.testing.assert_allclose(outputs.Z_L, alone.Z_L, rtol=1e-12)
    np.testing.assert_allclose(outputs.X_L, alone.X_L, rtol=1e-12)
    assert len(seen - {threading.get_ident()}) >= 1


def of_blas(*_: object) -> set[int]:
    """The threads of each BLAS."""
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


def test_blas_has_one_thread_in_each_part() -> None:
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert Parts(2).each(of_blas, [0, 1]) == [{1}, {1}]
        assert of_blas() == {2}


def test_limits_that_overlap_in_any_order() -> None:
    """As those of two fits in two threads: the least holds, and the last to end gives back what was before."""
    libraries, blas = blas_libraries(), BlasThreads()
    with threadpoolctl.threadpool_limits(4, user_api="blas"):
        first, second = blas.limited(2, libraries), blas.limited(1, libraries)
        first.__enter__()
        assert (of_blas(), blas.without_limits()) == ({2}, 4)
        second.__enter__()
        assert of_blas() == {1}
        first.__exit__(None, None, None)
        assert (of_blas(), blas.without_limits()) == ({1}, 4)
        second.__exit__(None, None, None)
        assert (of_blas(), blas.without_limits()) == ({4}, 4)


def test_a_limit_ends_with_an_error() -> None:
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with pytest.raises(ValueError, match="of the work"):
            Parts(2).each(fails, [0, 1])
        assert of_blas() == {2}


def fails(_: int) -> None:
    raise ValueError("of the work")


def test_no_more_parts_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert len(Parts(1000).of(60_000, 32)) == 4


@pytest.mark.parametrize(("rows", "shares"), [(128, 1), (255, 1), (256, 2), (1024, 4)])
def test_a_thread_has_enough_rows_for_its_products(
    rows: int, shares: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    plan = plan_for((784, 512, 512, 10), rows)
    assert len(NumpyEngine(plan, 4)._shares(rows, np.dtype(np.float32))) == shares


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("by_layers", [False, True])
def test_gradients_of_other_threads_are_few(by_layers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more of 382 numbers, or two more pieces of 15, fit into 400 or 30."""
    monkeypatch.setattr(numpy_engine, "EXTRA_NUMBERS", 30 if by_layers else NET.size + 100)
    if by_layers:
        monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 7)
        monkeypatch.setattr(numpy_engine, "PRODUCT_NUMBERS", 15)
    plan = plan_of(NET, "adam", rows=2000)
    assert NumpyEngine(plan, 8)._parts.threads == (3 if by_layers else 2)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("by_layers", [False, True])
def test_numbers_that_overflow_in_another_thread(by_layers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy's warnings, which are errors in tests, are off in each thread: the trainer looks for what is not finite."""
    if by_layers:
        monkeypatch.setattr(numpy_engine, "PIECE_NUMBERS", 7)
        monkeypatch.setattr(numpy_engine, "PRODUCT_NUMBERS", 15)
    net = network((6, 40, 7, 3), ["relu", "relu", "identity"])
    plan = plan_of(net, "gradient_descent", rows=200)
    X, T = data_for(net, 200, 3)
    engine, state = NumpyEngine(plan, 2), used_state(plan, np.float64)
    state.w[...] = 1e200
    assert not np.isfinite(engine.run_slice(state, X, T))
    assert not np.isfinite(engine.gradient(state.w, X, T)).all()
    engine.outputs(state.w, X)


def test_a_forward_pass_of_many_rows_takes_one_thread_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(*arguments: Any) -> Any:
        seen.append(of_blas())
        return forward(*arguments)

    monkeypatch.setattr(forward_rows, "forward", watched)
    monkeypatch.setattr(numpy_engine, "forward", watched)
    run = forward_pass("numpy", NET, np.float64, threads=1)
    w = np.zeros(NET.size)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        run(w, np.zeros((2, 6)))
        run(w, np.zeros((2000, 6)))
        assert of_blas() == {2}
    assert seen == [{2}, {1}]


@needs_compiler
@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("onednn_is_there", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_rows_are_shared_out_where_products_have_no_threads(
    dtype: str, onednn_is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bptrain.engines.compiled import running

    monkeypatch.setattr(running, "onednn", lambda: object() if onednn_is_there else None)
    plan = plan_of(NET, "adam", rows=200)._replace(batch_size=128)
    assert running.kernels(plan, np.dtype(dtype), 1) == ("run_slice",)
    shared = running.kernels(plan, np.dtype(dtype), 2) == ("gradient", "apply")
    assert shared == (dtype == "float64" or not onednn_is_there)
    monkeypatch.setattr(threads, "WORTH", 2**60)
    assert running.kernels(plan, np.dtype(dtype), 2) == ("run_slice",)


@needs_compiler
@pytest.mark.slow
def test_compiled_and_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from bptrain.engines.compiled.running import NumbaEngine

    plan = plan_of(NET, "adam", rows=330)._replace(batch_size=140)
    X, T = data_for(NET, plan.rows, 0)
    found = []
    for worth, count in ((2**60, 1), (1, 3)):
        monkeypatch.setattr(threads, "WORTH", worth)
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
        state = used_state(plan, np.float64).copy()
        loss = NumbaEngine(plan, np.float64, count).run_slice(state, X, T)
        found.append((loss, state.w, *state.slots))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("asked", "blas"), [(None, 1), (2, 2)])
def test_a_fit_limits_blas(asked: int | None, blas: int, iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To one thread by default, which no product waits in; to what is asked for."""
    seen: list[tuple[int, int]] = []
    limited = threads.limit_threads

    def watched(blas: int, openmp: int) -> AbstractContextManager[Any]:
        seen.append((blas, openmp))
        return limited(blas, openmp)

    monkeypatch.setattr(import_module("bptrain.commands.fit.fit"), "limit_threads", watched)
    run = bptrain.fit(iris, {"training.epochs": 1, "training.threads": asked})
    assert seen == [(blas, blas)]
    assert glance(run.path / "best.safetensors")["bits"]["threads"] == blas


def test_the_command_line_has_libraries_wait_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OPENMP, *OPENBLAS):
        monkeypatch.setenv(name, "")  # so that it is undone where there was nothing
        monkeypatch.delenv(name)
    wait_asleep()
    assert {name: os.environ[name] for name in (*OPENMP, *OPENBLAS)} == {**OPENMP, **OPENBLAS}


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OPENMP, *OPENBLAS):
        monkeypatch.setenv(name, "")  # so that it is undone where there was nothing
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "active"
    assert "GOMP_SPINCOUNT" not in os.environ  # which counts for more than the policy
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == OPENBLAS["OPENBLAS_THREAD_TIMEOUT"]


def test_it_is_set_before_numpy_is_loaded() -> None:
    text = (
        "import sys, os\n"
        "sys.argv = ['bptrain', '--version']\n"
        "import bptrain.cli.entry as entry\n"
        "assert 'numpy' not in sys.modules\n"
        "before = entry.wait_asleep\n"
        "def watched():\n"
        "    assert 'numpy' not in sys.modules\n"
        "    before()\n"
        "    print('set', os.environ['OMP_WAIT_POLICY'])\n"
        "entry.wait_asleep = watched\n"
        "entry.main()\n"
    )
    clean = {name: value for name, value in os.environ.items() if name not in OPENMP}
    shown = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, env=clean
    )
    assert shown.stdout.startswith("set passive")


def test_the_python_api_changes_no_environment(iris: Path) -> None:
    text = (
        "import os, sys\n"
        "before = dict(os.environ)\n"
        "import bptrain\n"
        "bptrain.fit(sys.argv[1], {'training.epochs': 1})\n"
        "assert dict(os.environ) == before\n"
    )
    subprocess.run([sys.executable, "-c", text, str(iris)], check=True, capture_output=True)

"""The engine `numba`: a loop compiled for the network (the extra `fast`).

`compiled/` writes the loop, Numba compiles it, and BLAS forms its matrix products. It is imported where a loop is
written, since `validate` and `auto` mostly need no more than the counts here.
"""

from importlib import import_module
from typing import Any

from numpy.typing import DTypeLike

from bptrain.core.network import Network
from bptrain.engines.base import Engine, TrainingPlan
from bptrain.engines.compiled import onednn
from bptrain.engines.registry import CannotRun, Costs, EngineEntry, Forward
from bptrain.extras import Extra

# What compiled code saves, in seconds: per layer's calls, per entry of a layer's output, per weight, and per slot of a
# weight: NumPy's calls, the temporary arrays of its element-wise formulas, and those of the optimizer's rule.
# Measured once, with room; figures in docs/benchmarks.md.
LAYER_CALLS, OUTPUT_ENTRY, WEIGHT, SLOT = 7e-6, 7e-9, 1e-9, 1.2e-9
COMPILING, COMPILING_A_LAYER = 5.0, 0.5  # seconds


def uncovered(plan: TrainingPlan, dtype: DTypeLike) -> str | None:
    """Why the loop of a plan cannot be written, in words; None where it can."""
    from bptrain.engines.compiled.running import sources
    from bptrain.translate.expressions import Untranslatable

    try:
        sources(plan, dtype)
    except Untranslatable as error:
        return f"not compiled, {error}"
    return None


def is_compiled(plan: TrainingPlan, dtype: DTypeLike, threads: int) -> bool:
    """Whether the loop of a plan was compiled at an earlier time, so that the engine is made at once."""
    from bptrain.engines.compiled import cache
    from bptrain.engines.compiled.running import sources

    return all(cache.is_compiled(source) for source in sources(plan, dtype, threads))


def broken() -> str | None:
    """Why Numba or SciPy, though installed, cannot be used; None where they can."""
    try:
        import numba

        import_module("scipy.linalg.cython_blas")
    except ImportError as error:  # such as a NumPy that is too new for it
        return f"numba or scipy cannot be imported: {error}"
    return "NUMBA_DISABLE_JIT is set" if numba.config.DISABLE_JIT else None


def seconds_saved(plan: TrainingPlan) -> float:
    """About how many seconds compiled code saves over all updates, without compiling."""
    network = plan.network
    of_steps = sum(step.units + step.n_out for step in network.input_steps)
    outputs = plan.batch_size * (sum(network.sizes[1:]) + of_steps)
    per_update = LAYER_CALLS * network.L + OUTPUT_ENTRY * outputs
    if plan.solver is None:  # its own arithmetic is NumPy's in any case; it evaluates once per epoch at least
        slots = sum(kind == "per_weight" for kind in plan.optimizer.slots.values())
        per_update += (WEIGHT + SLOT * slots) * network.size
    return per_update * plan.steps_per_epoch * plan.epochs


def compile_seconds(plan: TrainingPlan) -> float:
    """About how many seconds it takes to compile a plan's loop."""
    return COMPILING + COMPILING_A_LAYER * plan.network.L


def numerics() -> dict[str, Any]:
    """What determines the machine code."""
    import llvmlite.binding
    import numba
    import scipy

    return {
        "numba": numba.__version__,
        "scipy": scipy.__version__,
        "onednn": onednn.version(),
        "llvm": list(llvmlite.binding.llvm_version_info),
        "processor": llvmlite.binding.get_host_cpu_name(),
    }


def make(plan: TrainingPlan, dtype: DTypeLike, threads: int, evaluates: bool) -> Engine:
    """The engine, with all compiled that it will need. Raises CannotRun."""
    from numba.core.errors import NumbaError

    from bptrain.engines.compiled.running import NumbaEngine

    try:
        engine = NumbaEngine(plan, dtype, threads)
        if evaluates:
            engine.prepare_to_evaluate()
    except NumbaError as error:  # a part in whose text there is something that Numba does not know
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if "Error: " in line), lines[0])
        raise CannotRun(f"Numba cannot compile a part of it: {said}") from error
    return engine


def forward(network: Network, dtype: DTypeLike, threads: int) -> Forward:
    """The forward pass of a network by itself. Raises CannotRun."""
    from numba.core.errors import NumbaError

    from bptrain.engines.compiled.running import CompiledForward
    from bptrain.translate.expressions import Untranslatable

    try:
        return CompiledForward(network, dtype, threads)
    except (Untranslatable, NumbaError, OSError) as error:
        raise CannotRun(str(error)) from error


ENTRY = EngineEntry(
    make=make,
    forward=forward,
    costs=Costs(2e-7, 4e-9, 1e-9, 5e-10),  # rounded from runs on one machine; others differ by a small factor
    extra=Extra(
        "fast",
        ("numba", "scipy", onednn.WHEEL),
        "a training loop compiled for your network",
    ),
    needs=("numba", "scipy"),
    broken=broken,
    uncovered=uncovered,
    is_ready=is_compiled,
    seconds_saved=seconds_saved,
    compile_seconds=compile_seconds,
    numerics=numerics,
    uses_scipy_blas=True,
)

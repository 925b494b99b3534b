"""The training loop of one network, as the text of a Python module that Numba compiles.

    run_slice(w, slots…, X, T, context…, scratch, batch, t, rates, epoch, steps_per_epoch, epochs) -> Σ v_n E_n
    gradient(w, X, T, context…, total, g, scratch) -> Σ v_n E_n; g is the part of X's rows in the gradient of a batch
        whose sum is divided by `total`, without penalties
    apply(w, slots…, g, batch_loss, total, t, rates, epoch, steps_per_epoch, epochs): one update by that gradient
    outputs(w, X, Z, out, scratch): Z_L and X_L of all rows

The context is what the rows weigh and a mask for each layer of which units are dropped; noise for each update follows.
A module holds one of them, since each is compiled when it is wanted.

Sizes and options are constants of the text, so a small network's loops are unrolled; rows, rates and counts are
arguments, so the text serves every data set. It has one of two forms, `instances.py` and `batches.py`; what both
share is in `pieces.py`. The letters are those of the derivation: z, x, d (for δ), by layer.
"""

from typing import Literal

from bptrain.engines.compiled import batches, instances
from bptrain.engines.compiled.functions import Lines
from bptrain.engines.compiled.kernel_plan import KernelPlan
from bptrain.engines.compiled.pieces import Pieces

RUNTIME = "bptrain.engines.compiled.runtime"
Name = Literal["run_slice", "gradient", "apply", "outputs"]


def kernel_source(plan: KernelPlan, name: Name) -> str:
    """The module for a plan. Raises Untranslatable, with the reason."""
    pieces = Pieces(plan, back=name != "outputs")
    form = instances if plan.single else batches
    write = {
        "run_slice": form.run_slice,
        "gradient": form.gradient,
        "apply": batches.apply,
        "outputs": batches.outputs,
    }
    loops = [*write[name](pieces)]
    return "\n".join([*header(plan), *pieces.steps.tables(), *pieces.functions.lines, *loops]) + "\n"


def header(plan: KernelPlan) -> Lines:
    """What the module is, and what it imports."""
    sizes = "-".join(str(n) for n in plan.network.sizes)
    bits = "32" if plan.dtype == "float32" else "64"
    way = "one instance at a time" if plan.single else "in batches"
    yield f'"""The loop of a {sizes} network in {plan.dtype}, {way}. Written by bptrain."""'
    yield ""
    yield "import math"
    yield ""
    yield "import numpy as np"
    yield ""
    for name in ("exp", "expm1", "tanh", "log1p"):
        yield f"from {RUNTIME}.elementary import {name}_{bits} as {name}"
    yield f"from {RUNTIME}.loops import formula, loop, rule, schedule"
    yield f"from {RUNTIME}.loops import largest, maximum, mean, minimum, smallest, square, total"
    yield f"from {RUNTIME}.products import rows_at_once, times, times_transposed"
    yield f"from {RUNTIME}.products import transposed_times, transposed_times_rows"
    yield f"from {RUNTIME}.subnormals import as_before, subnormals_to_zero"
    yield ""
    yield f"F = np.{plan.dtype}"

"""What went wrong when a slice ended with numbers that are not finite: step, layer and quantity."""

import numpy as np

from bptrain.core.backprop import Workspace, backward, forward, workspace
from bptrain.core.network import PLAIN, BatchContext, Network, views
from bptrain.core.objective import row_losses
from bptrain.engines.base import OptimizerState, TrainingPlan
from bptrain.engines.forward_rows import for_rows_in
from bptrain.engines.numpy_engine import NumpyEngine
from bptrain.errors import NumericalError
from bptrain.mapped_rows import by_rows, room_of
from bptrain.parts.types import Array


def diagnosis(
    plan: TrainingPlan,
    engine_name: str,
    state: OptimizerState,
    X: Array,
    T: Array,
    context: BatchContext = PLAIN,
    noise: Array | None = None,
) -> NumericalError:
    """Replays a slice from its start with NumPy, one update at a time, and names what first was not finite.

    `state` is that of the start of the slice, and is written to.
    """
    engine = NumpyEngine(plan)
    for k, a in enumerate(range(0, len(X), plan.batch_size)):
        rows = slice(a, a + plan.batch_size)
        batch, t, of_rows = X[rows], T[rows], context.part(rows)
        update = state.t + 1
        found = not_finite_at(plan, state.w, batch, t, of_rows)
        if found is None:
            engine.run_slice(state, batch, t, of_rows, None if noise is None else noise[k : k + 1])
            after = [(f"{block.name} after the update", block.view(state.w)) for block in plan.network.blocks]
            for name, slot in zip(plan.optimizer.slots, state.slots, strict=True):
                after.append((f"the optimizer's {name} after the update", np.asarray(slot)))
            found = _first_not_finite(after)
        if found is not None:
            epoch, step = divmod(update - 1, plan.steps_per_epoch)
            return NumericalError(
                f"training diverged in epoch {epoch + 1}, step {step + 1} (update {update}): {found}. "
                "Usual cures: a smaller optimizer.learning_rate, scaled inputs (data.scale), dtype float64."
            )
    if engine_name != NumpyEngine.name:
        return NumericalError(
            f"training diverged in the engine {engine_name}, but not when NumPy repeated the same updates, so "
            "values are close to the limits of the dtype. Try network.dtype: float64, or training.engine: numpy."
        )
    return NumericalError("training diverged: the sum of the losses overflows. Try network.dtype: float64.")


def not_finite_at(
    plan: TrainingPlan, w: Array, X: Array, T: Array, context: BatchContext = PLAIN
) -> str | None:
    """The first quantity of one batch at w that is not finite, in the order in which they are computed."""
    g, room = np.empty_like(w), room_of(X)
    network = for_rows_in(room, plan.network)
    space = workspace(network, len(X), w.dtype, room)
    with np.errstate(all="ignore"):
        forward(network, views(network, w), X, space, context)
        backward(network, views(network, w), T, space, views(network, g), context)
    of_gradient = [(f"the gradient of {block.name}", block.view(g)) for block in reversed(network.blocks)]
    return not_finite_forward(network, space, T) or _first_not_finite(of_gradient)


def not_finite_forward(network: Network, space: Workspace, T: Array) -> str | None:
    """The same of the forward pass alone, which has left its z and x in the workspace, and of the loss."""
    with np.errstate(all="ignore"):
        losses = row_losses(network, space.Z[network.L], space.X[network.L], T)
    quantities: list[tuple[str, Array]] = []
    for i in range(1, network.L + 1):
        quantities += [
            (f"the pre-activations z of layer {i}", space.Z[i]),
            (f"the output x of layer {i}", space.X[i]),
        ]
    return _first_not_finite([*quantities, ("the loss", losses)])


def _first_not_finite(quantities: list[tuple[str, Array]]) -> str | None:
    for name, values in quantities:
        wrong = int(values.size - by_rows(np.isfinite, np.atleast_1d(values)).sum())
        if wrong:
            return f"{wrong} of {values.size} values of {name} are not finite (NaN or infinite)"
    return None

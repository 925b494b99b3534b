"""What `bptrain validate` does: everything that a fit does before its first update, and one forward and backward pass.

It calls the same functions as a fit, so that a config that passes here starts training, and one that is refused here
is refused there with the same words.
"""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.converted_data import Converting
from bptrain.build.making import dtype_of
from bptrain.build.network import activation_parts
from bptrain.build.setup import NOTHING, Setup, load_given, opening_loaded
from bptrain.commands.fit.ready import Compiling, Fit, open_fit, ready_engine, start_state
from bptrain.commands.validate.cost_model import Estimate, estimate
from bptrain.config import as_member
from bptrain.config.ensemble import EnsembleConfig
from bptrain.core.backprop import gradient
from bptrain.core.dropout import masks
from bptrain.core.network import BatchContext
from bptrain.core.objective import loss_sum, row_losses
from bptrain.engines.choice import EngineChoice, choose_engine
from bptrain.engines.divergence import not_finite_at
from bptrain.engines.forward_rows import numpy_outputs
from bptrain.engines.gradient_transform import transform_gradient
from bptrain.errors import NumericalError, Warned
from bptrain.parts.types import Array

ROWS = 32  # that go through the network once


class Validated(NamedTuple):
    """A config that a fit would train."""

    setup: Setup
    fit: Fit
    choice: EngineChoice  # the engine that a fit would take
    loss: float  # mean per row over the first rows, at the initial weights
    rows: int  # how many first rows
    estimate: Estimate
    ensemble: EnsembleConfig | None = None  # of which this is the first member

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What is allowed and probably not intended."""
        return self.setup.warnings

    @property
    def split_rows(self) -> dict[str, int]:
        """The rows of each split."""
        return {name: len(rows.X) for name, rows in self.setup.prepared.splits.items()}

    @property
    def refit_rows(self) -> int | None:
        """The train and validation rows that a refit trains on; None without one."""
        if not self.setup.loaded.config.training.refit:
            return None
        return self.split_rows["train"] + self.split_rows["validation"]

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of f_1 … f_L."""
        schema = self.setup.prepared.schema
        return tuple(part.name for part in activation_parts(self.setup.loaded.config, schema.task))

    def record(self) -> dict[str, Any]:
        """The fields of validate's JSON."""
        config, network, schema = (
            self.setup.loaded.config,
            self.setup.network,
            self.setup.prepared.schema,
        )
        return {
            "config": str(self.setup.loaded.path),
            "task": schema.task,
            "rows": self.split_rows,
            "split": self.setup.prepared.how_split or None,
            "features": [feature.name for feature in schema.features],
            "kinds": [feature.kind for feature in schema.features],
            "targets": list(schema.target.names),
            "labels": list(schema.labels),
            "sizes": list(network.sizes),
            "activations": list(self.activations),
            "parameters": network.size,
            "loss": config.loss.name,
            "optimizer": config.optimizer.name,
            "engine": self.choice.name,
            "engine_reason": self.choice.reason,
            "epochs": self.fit.plan.epochs,
            "updates_per_epoch": self.fit.plan.steps_per_epoch,
            "refit_rows": self.refit_rows,
            "first_loss": self.loss,
            "estimate": self.estimate.record(),
            **({} if self.ensemble is None else {"ensemble": self.ensemble.model_dump()}),
            "metrics": list(self.setup.metrics),
            "notes": list(self.setup.prepared.notes),
            "warnings": [{"name": name, "message": message} for name, message in self.warnings],
        }


def validating(
    config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> Generator[Converting | Compiling, None, Validated]:
    """The validation of a config file. Raises UsageError, DataError, or NumericalError where nothing finite comes out.

    Yields Converting where large data is converted, and Compiling if that takes a while, as for a config that asks for
    the compiled engine by name.
    """
    loaded = load_given(config, overrides, NOTHING)
    done = yield from validated((yield from opening_loaded(as_member(loaded))))
    return done._replace(ensemble=loaded.config.ensemble)


def validated(setup: Setup) -> Generator[Compiling, None, Validated]:
    """The validation of a config whose data is read and whose network is built."""
    fit = open_fit(setup)
    state = start_state(fit)
    config = setup.loaded.config
    if config.training.engine != "auto":  # what cannot be compiled is refused, and only compiling shows it
        _, choice = yield from ready_engine(fit, fit.plan)
    else:
        choice = engine_of(fit)
    loss, rows = one_pass(fit, state.optimizer_state.w)
    bound = config.data.memory_bound
    costs = estimate(fit.plan, setup.prepared, choice.name, dtype_of(config), bound)
    return Validated(setup, fit, choice, loss, rows, costs)


def engine_of(fit: Fit) -> EngineChoice:
    """The engine that a fit would take, without compiling it. Raises UsageError."""
    loaded = fit.setup.loaded
    with loaded.locating():
        return choose_engine(loaded.config.training.engine, fit.plan, dtype_of(loaded.config))


def one_pass(fit: Fit, w: Array) -> tuple[float, int]:
    """The mean loss per row over the first training rows, after one forward and backward pass.

    Raises NumericalError where the loss, or what the gradient becomes, is not finite, so that no update would be.
    """
    plan, network, train = fit.plan, fit.setup.network, fit.setup.prepared.splits["train"]
    X, T, some = train.X[:ROWS], train.T[:ROWS], slice(0, min(ROWS, plan.rows))
    V = None if train.sample_weight is None else train.sample_weight[:ROWS]
    context = BatchContext(V, masks(network, fit.setup.loaded.config.seed, 1, some, w.dtype))
    with np.errstate(all="ignore"):
        g = gradient(network, w, X, T, context)
        transform_gradient(plan.transform, g, None)
        losses = row_losses(network, *numpy_outputs(network, w, X), T).astype(np.float64)
    if not (np.isfinite(losses).all() and np.isfinite(g).all()):
        found = not_finite_at(plan, w, X, T, context) or "a loss is not finite"
        raise NumericalError(
            f"the forward pass is not finite at the initial weights (first {len(X)} rows): {found}. Usual cures: "
            "scaled inputs (data.scale), smaller initial weights (network.initializer), dtype float64."
        )
    return float(loss_sum(losses, V)) / (len(X) if V is None else float(V.sum()) or 1.0), len(X)

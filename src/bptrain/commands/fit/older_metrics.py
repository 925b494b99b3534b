"""Going on with a run of before version 0.2, whose metrics counted every row once although its rows weigh.

A metric that is monitored is compared with its best value so far, so that value must be by what the rows weigh, too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bptrain.build.setup import Setup
from bptrain.engines.base import Outputs
from bptrain.errors import Warned
from bptrain.parts.controls import Controls
from bptrain.parts.types import Array
from bptrain.training.controls import monitor_of_best, value_of
from bptrain.training.evaluation import evaluate
from bptrain.training.state import State

WEIGH_SINCE = (0, 2)  # the version in which row weights entered metrics


def weighed_anew(
    setup: Setup, numerics: Mapping[str, Any], state: State, outputs: Callable[[Array, Array], Outputs]
) -> tuple[State, tuple[Warned, ...]]:
    """A state to go on from, the best values of its monitored metrics by what the rows weigh; and a warning of that.

    `numerics` are those that the state was stored with. What goes by the loss stays, since it has always been weighed.
    """
    validation = setup.prepared.splits.get("validation")
    names = monitored(setup.controls)
    older = version(str(numerics.get("bptrain", ""))) < WEIGH_SINCE
    if (
        not (older and names and state.best is not None)
        or validation is None
        or validation.row_weight is None
    ):
        return state, ()
    best, monitor = state.best, monitor_of_best(setup.controls)
    before = ""
    if monitor.name != "loss":
        found = evaluate(
            setup.network, outputs(best.w, validation.X), setup.prepared.schema, validation, setup.metrics
        )
        value = value_of(monitor, math.nan, found.loss, found.metrics)
        before = f", and of the best weights so far (epoch {best.epoch}) it is {value:.6g}, no longer {best.value:.6g}"
        state = replace(state, best=best._replace(value=value), patience=state.patience._replace(best=value))
    plateau = setup.controls.plateau
    if plateau is not None and plateau.monitor.name != "loss":
        # without weights that were the best by this metric, the next epoch's value is what later ones are compared with
        same = plateau.monitor.name == monitor.name
        state = replace(
            state, plateau=state.plateau._replace(best=state.best.value if same and state.best else math.nan)
        )
    message = (
        f"this run was begun by bptrain {numerics.get('bptrain', '0.1')}, which counted every row once in {names}: "
        f"from here on rows count by data.weight{before}. Which epoch was the best until now does not change."
    )
    return state, (Warned("older_metrics", message),)


def monitored(controls: Controls) -> str:
    """The metrics that controls go by, in words; empty where they go by the loss alone."""
    watching = [control.monitor.name for control in (controls.early_stopping, controls.plateau) if control]
    return " and ".join(dict.fromkeys(name for name in watching if name != "loss"))


def version(text: str) -> tuple[int, ...]:
    """The first two numbers of a version, (0, 0) where it says none."""
    numbers = [int(part) for part in text.split(".")[:2] if part.isdigit()]
    return tuple(numbers) if len(numbers) == 2 else (0, 0)

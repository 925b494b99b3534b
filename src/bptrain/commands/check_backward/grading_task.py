"""What submissions are graded on: a config's network at one point, with all instances and with a single one.

The network is made here once. A child process makes it again from plain data (`grading_points.py`): the config, the
schema and arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import prepare_data
from bptrain.build.network import initial_weights, network_for
from bptrain.commands.check_backward.grading_points import plain_objective, with_a_single_row
from bptrain.commands.gradcheck.run import ROWS
from bptrain.config import Loaded, load_config
from bptrain.config.resolved import to_plain
from bptrain.core.network import Network, views
from bptrain.data.prepared import Rows
from bptrain.data.schema import Schema
from bptrain.gradient_check.check import trusted_point
from bptrain.gradient_check.point import GradientPoint
from bptrain.parts.random import stream
from bptrain.parts.types import Array


class GradingTask(NamedTuple):
    """What submissions are graded on."""

    config: str  # as the user named it
    remarks: tuple[str, ...]
    points: tuple[GradientPoint, ...]  # with many instances, and with a single one
    plain: dict[str, Any]  # from which a child makes the network again: plain JSON types

    @property
    def arrays(self) -> list[Array]:
        """The numbers that go with `plain`: the weights and the rows."""
        first = self.points[0]
        return [first.w, first.X_0, first.T]


def grading_task(
    config: str | Path, overrides: Sequence[str] | Mapping[str, Any] | None = None
) -> GradingTask:
    """What submissions are graded on. Raises UsageError, DataError, and NumericalError where nothing can be graded."""
    loaded = load_config(Path(config), overrides or ())
    point, schema, remarks = point_of(loaded)
    with np.errstate(all="ignore"):
        point, _, tried = trusted_point(point)
    if not tried.passed:
        remarks = [*remarks, f"{tried.words}; f' and ∂E/∂x are taken from the parts' own derivatives"]
    plain = {
        "config": to_plain(loaded.config),
        "schema": schema.to_json(),
        "derivatives_from": point.derivatives_from,
    }
    return GradingTask(str(config), tuple(remarks), with_a_single_row(point), plain)


def point_of(loaded: Loaded) -> tuple[GradientPoint, Schema, list[str]]:
    """The config's network at its initial weights, on its first training rows, with the plain sum over them."""
    prepared = prepare_data(loaded, np.float64, ROWS)
    network = network_for(loaded, prepared.schema)
    rows = prepared.splits["train"]
    N = number_of_rows(network, len(rows.X))
    w = initial_weights(loaded.config, network, np.float64)
    remarks = [f"the initial weights, {N} training row{'' if N == 1 else 's'}"]
    if not rows.X[:N].any():
        remarks.append("all inputs are 0 on these rows, so mistakes in dW[1] do not show")
    remarks += draw(network, w, loaded.config.seed)
    if network.input_steps:
        remarks.append("x_0 is what W_1 takes: the steps before it (network.input) are not graded")
    left_out = parts_left_out(network, rows)
    if left_out:
        remarks.append(f"the objective is the plain sum of the losses; left out: {', '.join(left_out)}")
    inputs = GradientPoint(network, w, rows.X[:N], rows.T[:N]).behind_steps
    point = replace(inputs, network=plain_objective(network))
    return point, prepared.schema, remarks


def number_of_rows(network: Network, rows: int) -> int:
    """A number of rows that no layer size equals: otherwise a wrong axis could have the right shape."""
    return next((N for N in range(rows, 1, -1) if N not in network.sizes), 1)


def draw(network: Network, w: Array, seed: int) -> list[str]:
    """Draws at random what would hide a mistake: biases, and weights that are all equal. Adds a remark."""
    remarks, parameters = [], views(network, w)
    for i in range(1, network.L + 1):
        rng, W_i = stream(seed, "check", epoch=i), parameters.W[i]
        if W_i.size > 1 and np.ptp(W_i) == 0:
            W_i[...] = rng.normal(0.0, W_i.shape[1] ** -0.5, W_i.shape)
            remarks.append(f"W_{i} drawn at random, since equal weights would hide mistakes")
        if (b_i := parameters.b[i]) is not None:
            b_i[...] = rng.uniform(-0.5, 0.5, b_i.shape)
    if any(network.bias):
        remarks.append("biases drawn at random, since biases of 0 would hide a forgotten one")
    return remarks


def parts_left_out(network: Network, rows: Rows) -> list[str]:
    """What the config's objective has in addition to the losses."""
    parts = {
        "the mean over the instances": network.reduction == "mean",
        "penalties": network.penalty is not None,
        "dropout": bool(network.masked),
        "row and class weights": rows.sample_weight is not None,
    }
    return [name for name, there in parts.items() if there]

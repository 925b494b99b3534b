"""What `bptrain check-backward` does: compares a user's own functions with the derivation, on a config's network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bptrain.build.data import prepare_data
from bptrain.build.network import initial_weights, network_of_schema
from bptrain.commands.check_backward.contract import arguments
from bptrain.commands.check_backward.findings import FunctionFinding, GradingTrial, first_error
from bptrain.commands.check_backward.returned_values import read
from bptrain.commands.check_backward.user_functions import Fault, UserFunctions, call, load_functions
from bptrain.commands.gradcheck.run import ROWS
from bptrain.config import Loaded, load_config
from bptrain.core.network import Network, views
from bptrain.data.prepare import Rows
from bptrain.errors import NumericalError
from bptrain.gradient_check.check import trusted_point
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.submission import (
    ExpectedQuantity,
    QuantityVerdict,
    expected_backward,
    expected_forward,
    expected_step,
    judge_all,
)
from bptrain.gradient_check.verdicts import TOLERANCE
from bptrain.parts.random import stream
from bptrain.parts.types import Array


class Grade(NamedTuple):
    """The verdict on a user's functions."""

    file: str
    config: str
    remarks: tuple[str, ...]  # on what they were graded
    trials: tuple[GradingTrial, ...]  # on many instances, and on a single one
    findings: tuple[FunctionFinding, ...]  # what is wrong first, one of each function

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def record(self) -> dict[str, Any]:
        """The fields of check-backward's JSON."""
        return {
            "file": self.file,
            "config": self.config,
            "tolerance": TOLERANCE,
            "remarks": self.remarks,
            "functions": list(self.trials[0].judged),
            "quantities": [
                {"function": name, "instances": trial.instances, **judgment._asdict()}
                for trial in self.trials
                for name, judged in trial.judged.items()
                for judgment in judged
            ],
            "findings": [one.record() for one in self.findings],
        }


def check_backward(
    file: str | Path, config: str | Path, overrides: Sequence[str] | Mapping[str, Any] | None = None
) -> Grade:
    """Grades the `forward`, `backward` and `step` of a Python file on a config's network.

    Raises UsageError for a file or config that cannot be used, DataError, and NumericalError where the network itself
    is not finite there. Whatever their functions do is part of the grade.
    """
    functions = load_functions(Path(file))
    loaded = load_config(Path(config), overrides or ())
    point, remarks = point_of(loaded)
    with np.errstate(all="ignore"):
        point, _, tried = trusted_point(point)
    if not tried.passed:
        remarks = [*remarks, f"{tried.words}; f' and ∂E/∂x are taken from the parts' own derivatives"]
    points = [point]
    if len(point.X_0) > 1:
        points.append(replace(point, X_0=point.X_0[:1], T=point.T[:1]))
    trials = tuple(grading_trial(functions, one) for one in points)
    findings = [first_error(points, trials, name) for name in trials[0].judged]
    return Grade(
        str(file), str(config), tuple(remarks), trials, tuple(one for one in findings if one is not None)
    )


def grading_trial(functions: UserFunctions, point: GradientPoint) -> GradingTrial:
    """Every function called at a point, and what it returned judged."""
    L, N = point.network.L, len(point.X_0)
    rates = rates_of(L)
    with np.errstate(all="ignore"):  # what is not finite is refused below
        expected: dict[str, list[ExpectedQuantity]] = {
            "forward": expected_forward(point),
            "backward": expected_backward(point),
            "step": expected_step(point, rates),
        }
        given = arguments(point, rates)
    if not all(np.isfinite(one.right).all() for entries in expected.values() for one in entries):
        raise NumericalError("the network itself is not finite on these rows, so nothing can be graded on it")
    judged: dict[str, tuple[QuantityVerdict, ...]] = {}
    faults: dict[str, Fault] = {}
    theirs = {}
    for name in functions.by_name:
        called = call(functions, name, given[name])
        theirs[name], fault = read(name, called, expected[name], L, N)
        judged[name] = tuple(judge_all(expected[name], theirs[name]))
        if fault is not None:
            faults[name] = fault
    return GradingTrial(N, rates, expected, theirs, judged, faults)


def rates_of(L: int) -> tuple[float, ...]:
    """A learning rate for each layer, no two alike."""
    return (0.0, *(0.5 / i for i in range(1, L + 1)))


def point_of(loaded: Loaded) -> tuple[GradientPoint, list[str]]:
    """The config's network at its initial weights, on its first training rows, with the plain sum over them."""
    prepared = prepare_data(loaded, np.float64, ROWS)
    network = network_of_schema(loaded.config, prepared.schema)
    rows = prepared.splits["train"]
    N = number_of_rows(network, len(rows.X))
    w = initial_weights(loaded.config, network, np.float64)
    remarks = [f"the initial weights, {N} training row{'' if N == 1 else 's'}"]
    if not rows.X[:N].any():
        remarks.append("all inputs are 0 on these rows, so mistakes in dW[1] do not show")
    remarks += draw(network, w, loaded.config.seed)
    left_out = parts_left_out(network, rows)
    if left_out:
        remarks.append(f"the objective is the plain sum of the losses; left out: {', '.join(left_out)}")
    plain = replace(network, reduction="sum", l1=0.0, l2=0.0, dropout=())
    return GradientPoint(plain, w, rows.X[:N], rows.T[:N]), remarks


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

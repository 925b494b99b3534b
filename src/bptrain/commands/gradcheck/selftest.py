"""The self-test of an installation: the gradient of every registered part in every combination that is allowed."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from bptrain.core.dropout import masks
from bptrain.core.network import PLAIN, BatchContext, Network
from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.numeric_gradient import Settings
from bptrain.gradient_check.report import GradcheckReport
from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, fits, losses
from bptrain.parts.random import stream
from bptrain.parts.types import Array, Generator
from bptrain.plugins.loading import origin

SIZES, ROWS = (4, 5, 3), 6
WEIGHTS = np.array([1.0, 0.5, 3.0, 0.0, 2.0, 0.25])  # of the rows


class Combination(NamedTuple):
    """An activation, hidden and at the output, with a loss, and what else the objective has."""

    activation: str
    loss: str
    canonical: bool  # δ_L = x_L − t; else through ∂E/∂x_L and f_L'
    bias: bool
    reduction: str
    loaded: bool  # with l1, l2, weights of the rows, and dropout by fixed masks

    @property
    def parts(self) -> str:
        """The parts in words."""
        return f"{self.activation} / {self.loss}" + (", canonical" if self.canonical else "")

    @property
    def rest(self) -> str:
        """What else there is, in words."""
        loaded = ", with penalties, weights and dropout" if self.loaded else ""
        return f"{'with' if self.bias else 'without'} bias, {self.reduction}{loaded}"


class CombinationCheck(NamedTuple):
    """A combination and its report."""

    combination: Combination
    report: GradcheckReport


class SelfTest(NamedTuple):
    """The checks of all combinations."""

    checks: tuple[CombinationCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether every combination passed."""
        return all(one.report.passed for one in self.checks)

    def record(self) -> dict[str, Any]:
        """The fields of gradcheck's JSON without an argument: every combination, and the layers of all of them."""
        reports = [one.report for one in self.checks]
        return {
            **reports[0].summary(),
            "entries": sum(report.entries for report in reports),
            "max_relative_error": float(np.max([report.max_relative_error for report in reports])),
            "combinations": len(self.checks),
            "wrong": [
                {**one.combination._asdict(), **one.report.explanations()}
                for one in self.checks
                if not one.report.passed
            ],
            "layers": [
                {"parts": one.combination.parts, **one.combination._asdict(), **block.record()}
                for one in self.checks
                for block in one.report.layers
            ],
        }


def combinations() -> Iterator[Combination]:
    """Every combination that is allowed, those with a plug-in's part first. A canonical pair is checked both ways."""
    pairs = sorted(
        itertools.product(activations, losses),
        key=lambda pair: origin("activation", pair[0]) is None and origin("loss", pair[1]) is None,
    )
    for name, loss_name in pairs:
        activation, loss = activations.get(name)(), losses.get(loss_name)()
        if not fits(loss, activation):
            continue
        ways = (True, False) if loss.canonical == name else (False,)
        for canonical, bias in itertools.product(ways, (True, False)):
            for reduction, loaded in (("mean", False), ("sum", False), ("mean", True)):
                yield Combination(name, loss_name, canonical, bias, reduction, loaded)


def check_parts(settings: Settings) -> Iterator[CombinationCheck]:
    """Checks every combination; with `fail_fast` up to the first that fails."""
    for combination in combinations():
        checked = CombinationCheck(combination, check_combination(combination, settings))
        yield checked
        if settings.fail_fast and not checked.report.passed:
            return


def check_combination(combination: Combination, settings: Settings) -> GradcheckReport:
    """The check of a network of these parts, at random weights on random rows."""
    activation = activations.get(combination.activation)()
    network = Network(
        sizes=SIZES,
        activations=(activations.get("identity")(), activation, activation),
        bias=(False, combination.bias, combination.bias),
        loss=losses.get(combination.loss)(),
        reduction=combination.reduction,
        canonical=combination.canonical,
        l1=0.1 if combination.loaded else 0.0,
        l2=0.3 if combination.loaded else 0.0,
        dropout=(0.2, 0.4) if combination.loaded else (),
    )
    rng = stream(0, "check")
    w, X = rng.normal(size=network.size), rng.normal(size=(ROWS, SIZES[0]))
    T = targets(network.loss, stream(1, "check"), ROWS, SIZES[-1])
    context = PLAIN
    if combination.loaded:
        context = BatchContext(WEIGHTS, masks(network, 0, 1, slice(0, ROWS), np.float64))
    return gradcheck(network, w, X, T, context=context, settings=settings)


def targets(loss: Loss, rng: Generator, rows: int, n_L: int) -> Array:
    """Random targets that the loss takes, rows × n_L."""
    if loss.outputs == "distribution":
        return rng.dirichlet(np.ones(n_L), rows)
    if loss.outputs in ("probabilities", "margins"):
        return rng.integers(0, 2, (rows, n_L)).astype(np.float64)
    if loss.outputs == "positive":
        return rng.poisson(2.0, (rows, n_L)).astype(np.float64)
    return rng.normal(size=(rows, n_L))


def by_parts(checks: Sequence[CombinationCheck]) -> dict[str, list[CombinationCheck]]:
    """The checks by parts, in their order."""
    found: dict[str, list[CombinationCheck]] = {}
    for checked in checks:
        found.setdefault(checked.combination.parts, []).append(checked)
    return found

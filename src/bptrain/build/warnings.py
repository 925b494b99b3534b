"""Warnings about a valid config, given before training: what is allowed but probably not intended."""

from collections.abc import Iterator

import numpy as np

from bptrain.build.network import activation_parts
from bptrain.build.training import build_plan
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.prepared import Prepared
from bptrain.engines.base import initial_optimizer_state
from bptrain.errors import Warned
from bptrain.parts.optimizers import Optimizer

# Beyond this the first step is likely to overshoot: a learning rate of 10 for the mean of a batch's gradients.
LARGE_RATE = 10.0
ROUNDING = 1e-6  # of the output's range or of the target, by which a target may lie outside


def config_warnings(config: Config, network: Network, prepared: Prepared) -> Iterator[Warned]:
    """The warnings about a config, its network and its data."""
    output = activation_parts(config, prepared.schema.task)[-1].name
    yield from softmax_loss(config, network, output)
    yield from target_range(network, prepared, output)
    yield from large_first_step(config, network, len(prepared.splits["train"].X))


def softmax_loss(config: Config, network: Network, output: str) -> Iterator[Warned]:
    """Outputs that sum to 1 with a loss for any numbers."""
    if network.activations[-1].distribution and network.loss.outputs == "values":
        message = (
            f"{output} with {config.loss.name} hardly learns from confident mistakes, since the "
            f"slope of {output} vanishes there; use cross_entropy"
        )
        yield Warned("softmax_loss", message)


def target_range(network: Network, prepared: Prepared, output: str) -> Iterator[Warned]:
    """Numeric targets that the output cannot reach."""
    if prepared.schema.target.kind != "values":
        return
    low, high = network.activations[-1].range
    T = prepared.splits["train"].T
    room = ROUNDING * np.maximum(1.0, np.abs(T))
    outside = int(((low - room > T) | (high + room < T)).any(axis=1).sum())
    if outside:
        message = (
            f"{outside} of {len(T)} training rows have targets outside the range of {output}, {low:g} to {high:g} "
            f"(the targets go from {T.min():.4g} to {T.max():.4g}): leave data.scale_target at auto, or use identity"
        )
        yield Warned("target_range", message)


def large_first_step(config: Config, network: Network, rows: int) -> Iterator[Warned]:
    """A loss summed over the rows of a batch, with a learning rate that would suit their mean."""
    plan = build_plan(config, network, rows)
    if plan.solver is not None:  # which finds the length of its steps itself
        return
    rate = max(plan.rates)
    if (
        network.reduction != "sum"
        or rate * plan.batch_size <= LARGE_RATE
        or not is_proportional(plan.optimizer)
    ):
        return
    message = (
        f"the reduction sum adds up the gradients of {plan.batch_size} rows, so the learning rate {rate:g} acts like "
        f"{rate * plan.batch_size:.4g} on their mean; set loss.reduction: mean, or a rate of about "
        f"{rate / plan.batch_size:.2g}"
    )
    yield Warned("large_first_step", message)


def is_proportional(optimizer: Optimizer) -> bool:
    """Whether the first step of a rule grows as the gradient does; adam's, for one, does not."""
    state = initial_optimizer_state(np.zeros(1), optimizer)
    with np.errstate(all="ignore"):
        steps = [optimizer.step(np.array([g]), state.slots, state.w, 1.0, 1, 1.0)[0] for g in (1.0, 1e3)]
    return bool(abs(steps[1][0]) > 100 * abs(steps[0][0]))

"""Why a network has not learned, as far as its numbers show it, and the key of the config that cures it."""

from collections.abc import Iterator
from typing import NamedTuple

from bptrain.training.observations import LayerSeen, Observations

MOVED = 0.01  # of the norm of each layer's weights: less is no movement
GAINED = 0.05  # of the loss before the first update: a network that has gained more has learned
LARGE = 100.0  # an input, a weight or a growth beyond this is out of proportion
DEEP = 2  # hidden layers, from which on inputs and gradients may vanish in them
STEEP = {"relu", "tanh"}  # in which they hardly vanish, from weights of the right size
VANISHED = 0.01  # of the last layer's gradient: less reaches the first
VARIED = 0.1  # of a layer's largest output: it differs by less between rows
FEW = 100  # updates
STILL = 0.01  # of the loss: it fell by more in the last epoch
UNEVEN = 0.6  # of the training rows are of one class
BETTER = 0.9  # of the baseline's error: less is better


class LikelyCause(NamedTuple):
    """Why, as a clause with the numbers found, and what to do, beginning with a verb or a key."""

    why: str
    cure: str


def likely_cause(seen: Observations) -> LikelyCause:
    """The first cause that the numbers show, from the inputs to the data."""
    return next(_causes(seen))


def _causes(seen: Observations) -> Iterator[LikelyCause]:
    for find in (dead, alike, saturated, unmoved, vanishing, rate, far_inputs, far_targets):
        found = find(seen)
        if found is not None:
            yield found
    yield from _of_data(seen)


def dead(seen: Observations) -> LikelyCause | None:
    """A layer that outputs 0 on every row."""
    layer = next((one for one in seen.layers if one.dead), None)
    if layer is None:
        return None
    what = (
        f"{all_units(layer)} output{'s' * (layer.units == 1)} 0 on all {len(seen.some[0]):,} rows looked at"
    )
    start = seen.at_start[layer.layer - 1]
    if not start.dead:
        return LikelyCause(f"{what}, and did not before the first update", _smaller_rate(seen))
    if start.weight == 0 and start.bias == 0:
        return LikelyCause(
            f"{what}; its weights were 0 before the first update", "use network.initializer: auto"
        )
    if start.bias < 0:
        cure = "use network.bias: 0 or another initializer"
        return LikelyCause(f"{what}; the largest bias is {layer.bias:.4g}", cure)
    far = far_inputs(seen)
    if far is not None:
        return far._replace(why=f"{what}; {far.why}")
    return LikelyCause(
        f"{what}, from the start", "use another network.initializer, or leaky_relu in network.activations"
    )


def alike(seen: Observations) -> LikelyCause | None:
    """A hidden layer whose units are all the same, and so stay."""
    layer = next((one for one in seen.layers[:-1] if one.alike), None)
    if layer is None:
        return None
    name = seen.config.network.initializer[layer.layer - 1].name
    return LikelyCause(
        f"{all_units(layer)} have the same weights, as the initializer {name} made them, and act as one",
        "use network.initializer: auto",
    )


def unmoved(seen: Observations) -> LikelyCause | None:
    """Weights that are where they began."""
    if max(seen.moved) > MOVED or seen.gain > GAINED:
        return None
    if not seen.updates:
        if len(seen.losses) < 2:  # then there was nothing to compare them with
            return None
        return LikelyCause(
            "no epoch has made the loss smaller than the initial weights do", _smaller_rate(seen)
        )
    if max(seen.slopes) == 0:
        return LikelyCause("the gradient is 0 at the initial weights", "use another network.initializer")
    updates = f"{seen.updates:,} update{'s' * (seen.updates != 1)}"
    far = f"in {updates} {_learning_rate(seen)} moved the weights by at most {percent(max(seen.moved))}"
    more = "more training.epochs, or " if seen.updates < FEW else ""
    return LikelyCause(far, f"use {more}a larger optimizer.learning_rate")


def saturated(seen: Observations) -> LikelyCause | None:
    """A layer whose every unit is at the flat ends of its activation."""
    layer = saturated_layer(seen)
    if layer is None:
        return None
    start = seen.at_start[layer.layer - 1]
    what = f"the slope of {all_units(layer)} is at most 1 % of the steepest on all {len(seen.some[0]):,} rows looked at"
    far = far_inputs(seen)
    if far is not None and start.saturated:
        return far._replace(why=f"{what}; {far.why}")
    if not start.saturated:
        grown = (
            f"weights are up to {layer.weight:.4g}, and were up to {start.weight:.4g} before the first update"
        )
        return LikelyCause(f"{what}; {grown}", _smaller_rate(seen))
    if start.bias_size > start.weight * max(start.given, 1.0):
        return LikelyCause(f"{what}; biases are up to {layer.bias_size:.4g} in size", "use network.bias: 0")
    grown = f"weights were up to {start.weight:.4g} before the first update"
    return LikelyCause(f"{what}; {grown}", "use network.initializer: auto")


def saturated_layer(seen: Observations) -> LayerSeen | None:
    """The first hidden layer that is saturated, or the last one of a network that has not learned.

    Outputs of a network that is sure and right are saturated too, and so may be hidden units that it needs as steps.
    """
    found = [one for one in seen.layers if one.saturated]
    if not found or seen.share_of_guess() <= 0.1:
        return None
    hidden = [one for one in found if one.layer < seen.network.L]
    return hidden[0] if hidden else (found[0] if seen.share_of_guess() > BETTER else None)


def vanishing(seen: Observations) -> LikelyCause | None:
    """A gradient that is lost on its way down."""
    slopes, hidden = seen.slopes, seen.layers[:-1]
    if len(hidden) < DEEP:
        return None
    used = {one.activation for one in hidden}
    names = f"{len(hidden)} layers of {', '.join(sorted(used))}"
    other = "another network.initializer" if used <= STEEP else "relu or tanh in network.activations"
    cure = f"use {other}, or fewer layers in network.sizes"
    if hidden[-1].spread < VARIED * hidden[-1].size:
        even = f"outputs of layer {len(hidden)} differ by no more than {hidden[-1].spread:.2g} between rows"
        return LikelyCause(f"{even}: the inputs vanish in {names}", cure)
    if slopes[0] < VANISHED * slopes[-1]:
        less = f"the gradient of layer 1 is {slopes[0] / slopes[-1]:.1g} times that of layer {len(slopes)}"
        return LikelyCause(f"{less}: it vanishes in {names}", cure)
    return None


def rate(seen: Observations) -> LikelyCause | None:
    """Steps that are too long: the loss or the weights are out of proportion."""
    losses = seen.losses
    if len(losses) > 1 and losses[-1] > losses[0]:
        went = f"the training loss went from {losses[0]:.4g} in epoch 1 to {losses[-1]:.4g} in epoch {len(losses)}"
        return LikelyCause(went, _smaller_rate(seen))
    for here, there in zip(seen.layers, seen.at_start, strict=True):
        if here.weight > LARGE * max(there.weight, 1.0):
            grown = (
                f"weights of layer {here.layer} are up to {here.weight:.4g}, "
                f"and were up to {there.weight:.4g} before the first update"
            )
            return LikelyCause(grown, _smaller_rate(seen))
    return None


def far_inputs(seen: Observations) -> LikelyCause | None:
    """Inputs that are far from the size that weights are made for."""
    size, feature = seen.largest_input
    if size <= LARGE:
        return None
    cure = "use data.scale: standard"
    if (feature.center, feature.spread) != (0.0, 1.0):
        cure = f"look for cells of {feature.name} that are far from the others"
    return LikelyCause(f"the input {feature.name} goes up to {size:.4g} in size", cure)


def far_targets(seen: Observations) -> LikelyCause | None:
    """Targets of such a size; those that a loss does not let be scaled are as they must be."""
    sizes = abs(seen.some[1]).max(axis=0)
    size, place, target = float(sizes.max()), int(sizes.argmax()), seen.schema.target
    if size <= LARGE or seen.network.loss.outputs != "values":
        return None
    cure = "use data.scale_target: standard"
    if (target.center[place], target.spread[place]) != (0.0, 1.0):
        cure = f"look for cells of {target.names[place]} that are far from the others"
    return LikelyCause(f"targets go up to {size:.4g} in size", cure)


def _of_data(seen: Observations) -> Iterator[LikelyCause]:
    losses = seen.losses
    if len(losses) > 1 and losses[-1] < (1 - STILL) * losses[-2]:
        still = f"the training loss still fell in the last epoch, from {losses[-2]:.4g} to {losses[-1]:.4g}"
        yield LikelyCause(still, "use more training.epochs")
    elif seen.updates < FEW:
        yield LikelyCause(f"it has had {seen.updates:,} updates", "use more training.epochs")
    shares = seen.guess.shares
    if shares is not None and seen.schema.target.kind != "multilabel" and shares.max() >= UNEVEN:
        label = seen.schema.labels[int(shares.argmax())]
        uneven = f"{percent(float(shares.max()))} of the training rows are {label}"
        yield LikelyCause(uneven, "use loss.class_weight: balanced, or look at roc_auc in metrics")
    if seen.share_of_guess(["train"]) < BETTER:
        train = next(one for one in seen.splits if one.name == "train")
        ours, other = train.figures
        better = f"on training rows the {train.metric} is {ours:.4g}, that of the baseline {other:.4g}"
        knows = f"{better}: what it learned does not hold elsewhere"
        yield LikelyCause(knows, "use more rows, training.penalty or training.early_stopping")
    yield LikelyCause(
        "the inputs may say little about the target",
        "look at data.features, or try a larger network.sizes and another optimizer.learning_rate",
    )


def _learning_rate(seen: Observations) -> str:
    value = seen.config.optimizer.options.get("learning_rate")
    if value is None:
        return f"the optimizer {seen.config.optimizer.name}"
    return f"the learning rate {', '.join(f'{one:g}' for one in (value if isinstance(value, tuple) else (value,)))}"


def _smaller_rate(seen: Observations) -> str:
    value = seen.config.optimizer.options.get("learning_rate")
    if value is None:
        return "use another optimizer"
    return f"use a smaller optimizer.learning_rate than {max(value) if isinstance(value, tuple) else value:g}"


def all_units(layer: LayerSeen) -> str:
    """Such as "all 16 units of layer 1 (relu)"."""
    count = {1: "the one unit", 2: "both units"}.get(layer.units, f"all {layer.units} units")
    return f"{count} of layer {layer.layer} ({layer.activation})"


def percent(share: float) -> str:
    """A share in percent, with the digits that it needs."""
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"

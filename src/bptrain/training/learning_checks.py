"""Whether a trained network has learned anything: one check per way in which it has not, each a named warning.

A check finds what is wrong and why, as the numbers show it (`likely_causes.py`), or nothing. They look at the weights
that are kept for use, on some rows, at the errors of each split, and at the losses of the epochs.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bptrain.errors import Warned, short
from bptrain.training.likely_causes import (
    LikelyCause,
    alike,
    dead,
    far_inputs,
    far_targets,
    likely_cause,
    rate,
    saturated,
    unmoved,
)
from bptrain.training.observations import Observations

NO_BETTER = 0.99  # of the baseline's error: more is no better
FEWEST_ROWS = 5  # of a split other than train: of fewer, chance alone decides
FALL = 0.001  # of the first epoch's loss: less is not falling
LEARNED = 0.5  # of the baseline's error: a network that has no more may have converged in its first epoch
HUGE = 1e10  # a loss per row


class LearningCheck(NamedTuple):
    """One way in which a network has not learned."""

    name: str  # of the warning
    passed: str  # what is so where the check finds nothing
    find: Callable[
        [Observations], str | None
    ]  # what is wrong, the likely cause with its numbers, and the cure


def learning_warnings(seen: Observations) -> Iterator[Warned]:
    """A sentence for each check that finds something."""
    for check in LEARNING_CHECKS:
        found = check.find(seen)
        if found is not None:
            yield Warned(check.name, found)


def sentence(what: str, cause: LikelyCause) -> str:
    """What is wrong, why, and what to do."""
    return f"{what}: {cause.why}; {cause.cure}"


def no_better_than_baseline(seen: Observations) -> str | None:
    """An error above 0.99 times the baseline's, on a split that is not too small."""
    worse = [
        one
        for one in seen.splits
        if one.error > NO_BETTER * one.guess and (one.name == "train" or one.rows >= FEWEST_ROWS)
    ]
    if not worse:
        return None
    figures = ", ".join(
        f"{one.figures[0]:.4g} on {one.name} ({one.rows:,} rows; baseline {one.figures[1]:.4g})"
        for one in worse
    )
    what = f"the {worse[0].metric} is no better than that of {seen.guess.description}, {figures}"
    return sentence(what, likely_cause(seen))


def one_class_predicted(seen: Observations) -> str | None:
    """One answer for all rows, though some, and of a split other than train not too few, are something else."""
    answers = {one.answer for one in seen.splits}
    answer = answers.pop() if len(answers) == 1 else None
    others = sum(one.others for one in seen.splits)
    if answer is None or others < (1 if "train" in {one.name for one in seen.splits} else FEWEST_ROWS):
        return None
    labels = seen.schema.labels
    if seen.schema.target.kind == "multilabel":
        yes = [short(label) for label, given in zip(labels, answer, strict=True) if given]
        predicted = f"the same answer ({', '.join(yes) or 'no label'})"
    else:
        predicted = short(labels[answer[0]])
    rows = sum(one.rows for one in seen.splits)
    what = f"{predicted} is predicted for all {rows:,} rows, of which {others:,} are something else"
    return sentence(what, likely_cause(seen))


def weights_unmoved(seen: Observations) -> str | None:
    """No layer's weights have moved by more than 1 %, and the loss has hardly fallen."""
    return None if unmoved(seen) is None else sentence("the weights are where they began", likely_cause(seen))


def loss_not_falling(seen: Observations) -> str | None:
    """The last epoch's training loss is above that before the first update, which training rows alone tell.

    Or it is that of the first epoch, or more, and the network does not predict well.
    """
    losses = seen.losses
    if len(losses) < 2:
        return None
    now = f"the training loss is {losses[-1]:.4g} in epoch {len(losses):,}"
    of_training = "train" in {one.name for one in seen.splits}
    if of_training and losses[-1] > seen.first_loss:
        return sentence(f"{now}, and was {seen.first_loss:.4g} before the first update", likely_cause(seen))
    if seen.fallen < FALL and seen.share_of_guess() > LEARNED:
        return sentence(f"{now}, and was {losses[0]:.4g} in the first", likely_cause(seen))
    return None


def huge_loss(seen: Observations) -> str | None:
    """A finite loss above 1e10 per row."""
    huge = [(value, place) for place, value in seen.figures.items() if HUGE < value < math.inf]
    if not huge:
        return None
    value, place = max(huge)
    cause = far_inputs(seen) or far_targets(seen) or rate(seen) or likely_cause(seen)
    return sentence(f"the loss is {value:.4g} per row on {place}", cause)


def dead_units(seen: Observations) -> str | None:
    """Every unit of a layer is dead."""
    return one_layer(dead(seen))


def saturated_units(seen: Observations) -> str | None:
    """Every unit of a layer is saturated."""
    return one_layer(saturated(seen))


def identical_units(seen: Observations) -> str | None:
    """Every unit of a hidden layer has the same weights."""
    return one_layer(alike(seen))


def one_layer(cause: LikelyCause | None) -> str | None:
    """The sentence about a layer, which begins with what is wrong."""
    return None if cause is None else f"{cause.why}; {cause.cure}"


LEARNING_CHECKS = (
    LearningCheck(
        "no_better_than_baseline", "better than the baseline on every split", no_better_than_baseline
    ),
    LearningCheck("one_class_predicted", "more than one class is predicted", one_class_predicted),
    LearningCheck("weights_unmoved", "the weights have moved", weights_unmoved),
    LearningCheck("loss_not_falling", "the training loss has fallen since the first epoch", loss_not_falling),
    LearningCheck("huge_loss", "no loss is above 1e10 per row", huge_loss),
    LearningCheck("dead_units", "no layer is dead", dead_units),
    LearningCheck("saturated_units", "no layer is saturated", saturated_units),
    LearningCheck("identical_units", "no hidden layer consists of identical units", identical_units),
)

"""Rules about the section `training`: what its modes need and rule out."""

from bptrain.config.data import DataConfig
from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found
from bptrain.config.schema import TrainingConfig


def batch_size_has_its_mode(training: TrainingConfig) -> Found:
    if training.mode != "minibatch" and training.batch_size is not None:
        what = "one row" if training.mode == "sgd" else "all rows"
        message = f"mode {training.mode} uses {what} per update: leave batch_size out, or set mode: minibatch"
        yield BrokenRule(("training", "batch_size"), message)


def accumulate_has_its_mode(training: TrainingConfig) -> Found:
    """Only the gradients of mini-batches are accumulated."""
    if training.accumulate > 1 and training.mode != "minibatch":
        message = f"accumulate combines mini-batches, and mode {training.mode} has none: leave it out"
        yield BrokenRule(("training", "accumulate"), message)


def weights_have_their_mode(data: DataConfig, loss: PartConfig, training: TrainingConfig) -> Found:
    """The weighted mean over one row is its loss, whatever its weight."""
    one_row = training.mode == "sgd" or (training.batch_size == 1 and training.accumulate == 1)
    if not one_row or loss.reduction != "mean":
        return
    for path, given in ((("data", "weight"), data.weight), (("loss", "class_weight"), loss.class_weight)):
        if given is not None:
            message = (
                "each batch is one row here, whose weight cancels in the mean: set loss.reduction: sum, or use "
                "larger batches"
            )
            yield BrokenRule(path, message)


def max_norm_and_average(training: TrainingConfig) -> Found:
    """An average takes the weights as the optimizer leaves them, before max_norm."""
    if training.max_norm is not None and training.average is not None:
        message = "the average would include weights before max_norm has limited them: leave one of them out"
        yield BrokenRule(("training", "max_norm"), message)


TRAINING = (
    batch_size_has_its_mode,
    accumulate_has_its_mode,
    weights_have_their_mode,
    max_norm_and_average,
)

"""Rules of what is added to the loss, and of what the gradient goes through."""

from bptrain.config.part import LossConfig
from bptrain.config.rules.base import Finding, Findings
from bptrain.config.schema import DataConfig, NetworkConfig, TrainingConfig
from bptrain.formats import listed


def dropout_has_its_layers(network: NetworkConfig) -> Findings:
    """One share is that of every hidden layer; a list has one for the inputs too."""
    shares = network.dropout
    if network.layers == 1 and len(shares) == 2:
        message = (
            "there is no hidden layer to drop units of: leave it out, or give a list, [share of the inputs]"
        )
        yield Finding(("network", "dropout"), message)
    elif shares and len(shares) != network.layers:
        count = "1 entry" if len(shares) == 1 else f"{len(shares)} entries"
        message = (
            f"the list has {count}, but dropout takes {network.layers}: of the inputs x_0 and of "
            "each hidden layer, or one value for all hidden layers"
        )
        yield Finding(("network", "dropout"), message, "wrong_length")


def accumulate_has_its_mode(training: TrainingConfig) -> Findings:
    """Only mini-batches are put together."""
    if training.accumulate > 1 and training.mode != "minibatch":
        message = f"accumulate puts mini-batches together, and mode {training.mode} has none: leave it out"
        yield Finding(("training", "accumulate"), message)


def weights_have_their_mode(data: DataConfig, loss: LossConfig, training: TrainingConfig) -> Findings:
    """The mean over one row is its own loss, whatever it weighs."""
    one_row = training.mode == "sgd" or (training.batch_size == 1 and training.accumulate == 1)
    if not one_row or loss.reduction != "mean":
        return
    for path, given in ((("data", "weight"), data.weight), (("loss", "class_weight"), loss.class_weight)):
        if given is not None:
            message = (
                "a batch is one row here, and its weight cancels in the mean: set loss.reduction: sum, or larger "
                "batches"
            )
            yield Finding(path, message)


def weights_have_a_place(data: DataConfig) -> Findings:
    """A row's weight is a column beside it, or an array of its own."""
    if data.weight is None:
        return
    form = data.train.holds
    if form not in ("table", "arrays", "memory"):
        message = (
            f"weights are a column of a {listed('table')} file, or an array of an {listed('arrays')} file"
        )
        yield Finding(("data", "weight"), message)
    elif data.weight in (data.target or (("y",) if form == "arrays" else ())):
        yield Finding(
            ("data", "weight"), f"{data.weight} is the target, so it cannot say what the rows weigh"
        )
    elif isinstance(data.features, tuple) and data.weight in data.features:
        message = f"{data.weight} is in features, and would be an input too; leave it out there"
        yield Finding(("data", "weight"), message)


def max_norm_and_average(training: TrainingConfig) -> Findings:
    """An average takes the weights as the rule leaves them."""
    if training.max_norm is not None and training.average is not None:
        message = "the average would take in weights before max_norm has held them: leave one of them out"
        yield Finding(("training", "max_norm"), message)


OBJECTIVE = (
    dropout_has_its_layers,
    accumulate_has_its_mode,
    weights_have_their_mode,
    weights_have_a_place,
    max_norm_and_average,
)

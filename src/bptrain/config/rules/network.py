"""Rules about the layers: one entry per layer, and where sizes may be auto."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import BrokenRule, Found, KeyPath
from bptrain.config.schema import NetworkConfig
from bptrain.parts.initializers import initializers


def lists_have_one_entry_per_layer(network: NetworkConfig) -> Found:
    for key in ("activations", "bias", "initializer"):
        entries = getattr(network, key)
        if entries is not None and len(entries) != network.layers:
            yield _wrong_length(("network", key), len(entries), network)


def learning_rates_have_one_entry_per_layer(network: NetworkConfig, optimizer: PartConfig) -> Found:
    rates = optimizer.options.get("learning_rate")
    if isinstance(rates, tuple) and len(rates) != network.layers:
        yield _wrong_length(("optimizer", "learning_rate"), len(rates), network)


def dropout_has_its_layers(network: NetworkConfig) -> Found:
    """One rate is that of every hidden layer; a list has one for the inputs too."""
    shares = network.dropout
    if network.layers == 1 and len(shares) == 2:
        message = "there is no hidden layer: leave dropout out, or give a list, [rate of the inputs]"
        yield BrokenRule(("network", "dropout"), message)
    elif shares and len(shares) != network.layers:
        count = "1 entry" if len(shares) == 1 else f"{len(shares)} entries"
        message = (
            f"the list has {count}, but dropout takes {network.layers}: one for the inputs "
            "x_0 and one per hidden layer, or one value for all hidden layers"
        )
        yield BrokenRule(("network", "dropout"), message, "wrong_length")


def _wrong_length(path: KeyPath, entries: int, network: NetworkConfig) -> BrokenRule:
    message = (
        f"the list has {_count(entries, 'entry', 'entries')}, but {len(network.sizes)} sizes make "
        f"{_count(network.layers, 'layer')}; give one value, or one per layer"
    )
    return BrokenRule(path, message, "wrong_length")


def auto_is_at_the_ends(network: NetworkConfig) -> Found:
    for i in range(1, network.layers):
        if network.sizes[i] == "auto":
            message = (
                "only the first and the last size can be auto, since they follow from the data: give a number"
            )
            yield BrokenRule(("network", "sizes", i), message)


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


NETWORK = (
    lists_have_one_entry_per_layer,
    learning_rates_have_one_entry_per_layer,
    auto_is_at_the_ends,
    dropout_has_its_layers,
)


def biases_are_drawn_or_given(network: NetworkConfig) -> Found:
    """An initializer that also draws biases needs them, and rules out an initial value."""
    if not len(network.bias) == len(network.initializer) == network.layers:
        return
    for i, (bias, chosen) in enumerate(zip(network.bias, network.initializer, strict=True)):
        if chosen.name == "auto" or initializers.get(chosen.name)(**chosen.options).b is None or bias is True:
            continue
        why = "but the layer has none" if bias is False else f"so they cannot start at {bias:g}"
        message = f"initializer {chosen.name} also draws the biases, {why}: set bias: true, or choose another"
        yield BrokenRule(("network", "bias", i), message)


INITIALIZERS = (biases_are_drawn_or_given,)

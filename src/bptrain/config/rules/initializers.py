"""Rules about initial weights and biases."""

from bptrain.config.rules.base import BrokenRule, Found
from bptrain.config.schema import NetworkConfig
from bptrain.parts.initializers import initializers


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

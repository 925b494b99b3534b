"""Rules about the layers: one entry per layer, and where sizes may be auto."""

from bptrain.config.part import PartConfig
from bptrain.config.rules.base import Finding, Findings, KeyPath
from bptrain.config.schema import NetworkConfig


def lists_have_one_entry_a_layer(network: NetworkConfig) -> Findings:
    for key in ("activations", "bias", "initializer"):
        entries = getattr(network, key)
        if entries is not None and len(entries) != network.layers:
            yield _wrong_length(("network", key), len(entries), network)


def learning_rates_have_one_entry_a_layer(network: NetworkConfig, optimizer: PartConfig) -> Findings:
    rates = optimizer.options.get("learning_rate")
    if isinstance(rates, tuple) and len(rates) != network.layers:
        yield _wrong_length(("optimizer", "learning_rate"), len(rates), network)


def _wrong_length(path: KeyPath, entries: int, network: NetworkConfig) -> Finding:
    message = (
        f"the list has {_count(entries, 'entry', 'entries')}, but {len(network.sizes)} sizes make "
        f"{_count(network.layers, 'layer')}; give one value, or one a layer"
    )
    return Finding(path, message, "wrong_length")


def auto_is_at_the_ends(network: NetworkConfig) -> Findings:
    for i in range(1, network.layers):
        if network.sizes[i] == "auto":
            message = "only the first and the last size can be auto: the data decide them; give a number here"
            yield Finding(("network", "sizes", i), message)


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


NETWORK = (lists_have_one_entry_a_layer, learning_rates_have_one_entry_a_layer, auto_is_at_the_ends)

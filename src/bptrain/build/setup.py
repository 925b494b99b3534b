"""The setup that every use of a config begins with: validate it, read its data, build its network."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bptrain.build.converted_data import Converting
from bptrain.build.data import Given, preparing_data
from bptrain.build.metrics import build_metrics
from bptrain.build.network import activation_parts, network_for
from bptrain.build.training import build_controls
from bptrain.build.warnings import config_warnings
from bptrain.config import Loaded, as_member, load_config
from bptrain.config.resolved import to_plain
from bptrain.config.rules.losses import distribution_has_several_outputs
from bptrain.config.yaml.places import dotted
from bptrain.core.network import Network
from bptrain.data.memory import InMemory
from bptrain.data.prepared import KeptSchema, Prepared
from bptrain.drain import drain
from bptrain.errors import Problem, UsageError, Warned, not_silenced
from bptrain.parts.controls import Controls
from bptrain.parts.metrics import Metric

NOTHING: Mapping[str, InMemory] = MappingProxyType({})


class Setup(NamedTuple):
    """A config with its data and network."""

    loaded: Loaded
    prepared: Prepared
    network: Network
    metrics: Mapping[str, Metric]
    controls: Controls
    warnings: tuple[Warned, ...]  # about config and data, but for those that the config silences


def open_config(
    config: Path | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any] = (),
    given: Mapping[str, InMemory] = NOTHING,
) -> Setup:
    """Validates a config, reads its data and builds its network. Raises UsageError or DataError.

    `given` are the rows that Python gives in place of files, by role.
    """
    return open_loaded(as_member(load_given(config, overrides, given)), given)


def load_given(
    config: Path | Mapping[str, Any],
    overrides: Sequence[str] | Mapping[str, Any],
    given: Mapping[str, InMemory],
) -> Loaded:
    """Validates a config; `given` are the rows that Python gives in place of files. Raises UsageError."""
    return load_config(config, overrides, {role: source.shape for role, source in given.items()})


def open_loaded(loaded: Loaded, given: Given = NOTHING, kept_schema: KeptSchema | None = None) -> Setup:
    """What `opening_loaded` comes to."""
    return drain(opening_loaded(loaded, given, kept_schema))


def opening_loaded(
    loaded: Loaded, given: Given = NOTHING, kept_schema: KeptSchema | None = None
) -> Generator[Converting, None, Setup]:
    """Reads the data of a config, by the schema of a run where there is one, and builds its network.

    Yields Converting where large data is converted. Raises UsageError or DataError.
    """
    prepared = yield from preparing_data(loaded, given=given, kept_schema=kept_schema)
    network = network_for(loaded, prepared.schema)
    with loaded.locating():
        refuse_one_unit(loaded, network)
        metrics = build_metrics(loaded.config, prepared.schema)
        controls = build_controls(loaded.config, metrics, "validation" in prepared.splits)
    warnings = not_silenced(
        (*prepared.warnings, *config_warnings(loaded.config, network, prepared)), loaded.config.silence
    )
    return Setup(loaded, prepared, network, metrics, controls, warnings)


def refuse_one_unit(loaded: Loaded, network: Network) -> None:
    """Raises UsageError for a distribution over one unit, which a size that is auto may turn out to be."""
    sizes = loaded.config.network.model_copy(update={"sizes": network.sizes})
    found = [
        Problem(rule.code, rule.message, dotted(loaded.document.written(rule.path)))
        for rule in distribution_has_several_outputs(sizes, loaded.config.loss)
    ]
    if found:
        raise UsageError(found)


def run_config(setup: Setup) -> dict[str, Any]:
    """The config as a run stores it: plain values, decisions filled in, absolute data paths; it can be run again."""
    loaded, network = setup.loaded, setup.network
    resolved = to_plain(loaded.absolute())
    resolved["network"]["sizes"] = [network.inputs, *network.sizes[1:]]
    if "activations" not in resolved["network"]:
        parts = activation_parts(loaded.config, setup.prepared.schema.task)
        resolved["network"]["activations"] = [part.name for part in parts]
    return resolved

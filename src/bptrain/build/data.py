"""The data section of a config as objects: settings, sources, and the data set prepared."""

from pathlib import Path

from numpy.typing import DTypeLike

from bptrain.build.parts import dtype_of, make
from bptrain.config import Loaded
from bptrain.config.resolved import target_is_path
from bptrain.config.schema import Config, Source
from bptrain.data.prepare import Prepared, prepare
from bptrain.data.settings import DataSettings, NetworkFacts
from bptrain.data.sources import FileSource
from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.scalers import scalers


def prepare_data(loaded: Loaded, dtype: DTypeLike | None = None, limit: int | None = None) -> Prepared:
    """Reads, splits and encodes the data of a config; with `limit`, encodes the first rows of each split alone.

    Raises DataError; a problem that lies with a key of the config is given that key's place in the file.
    """
    config = loaded.config
    with loaded.locating():
        settings, facts = data_settings(loaded), network_facts(config)
        return prepare(settings, facts, config.seed, dtype or dtype_of(config), limit)


def data_settings(loaded: Loaded) -> DataSettings:
    """The data section, with absolute paths and made scalers."""
    data = loaded.absolute().data
    target: tuple[str, ...] | None = data.target
    train = source_of(data.train)
    assert train is not None
    if target is not None and target_is_path(loaded.config):
        train, target = train._replace(target=Path(target[0])), None
    validation, test = data.shares
    return DataSettings(
        train=train,
        validation=source_of(data.validation),
        test=source_of(data.test),
        target=target,
        features=data.features,
        exclude=data.exclude,
        columns=data.columns,
        validation_share=validation,
        test_share=test,
        stratify=None if data.split.stratify == "auto" else data.split.stratify,
        shuffle=data.split.shuffle,
        scale=make(scalers, data.scale),
        scale_target=None if data.scale_target.name == "auto" else make(scalers, data.scale_target),
        missing=data.missing,
        task=loaded.config.task,
        weight=data.weight,
        class_weight=loaded.config.loss.class_weight,
    )


def source_of(source: Source | None) -> FileSource | None:
    """The files of one set of rows."""
    if source is None:
        return None
    return FileSource(Path(source.inputs), Path(source.target) if source.target is not None else None)


def network_facts(config: Config) -> NetworkFacts:
    """What the data room needs to know of network and loss."""
    sizes, chosen = config.network.sizes, config.network.activations
    loss: Loss = make(losses, config.loss)
    return NetworkFacts(
        loss_name=config.loss.name,
        loss_outputs=loss.outputs,
        smoothing=loss.smoothing,
        n_inputs=None if sizes[0] == "auto" else sizes[0],
        n_outputs=None if sizes[-1] == "auto" else sizes[-1],
        output_range=None if chosen is None else make(activations, chosen[-1]).range,
        scale_is_none=config.data.scale.name == "none",
    )

"""The data section of a config as objects: settings, sources, and the data set prepared."""

from collections.abc import Generator, Mapping
from pathlib import Path
from types import MappingProxyType

from numpy.typing import DTypeLike

from bptrain.build.converted_data import Converting, converting_data, first_rows
from bptrain.build.making import dtype_of, make
from bptrain.config import Loaded
from bptrain.config.columns import ColumnConfig, FillConfig, Missing
from bptrain.config.data import DataConfig, GivenInPython, Source, SplitConfig
from bptrain.config.resolved import target_is_path
from bptrain.config.schema import Config
from bptrain.data.joined_files import JoinedFiles, source_of_paths
from bptrain.data.prepare import prepare
from bptrain.data.prepared import KeptSchema, Prepared
from bptrain.data.settings import (
    BUCKETS,
    ColumnOptions,
    DataSettings,
    Fill,
    IndexFile,
    NetworkFacts,
    RowSplit,
)
from bptrain.data.sources import DataSource, FileSource
from bptrain.drain import drain
from bptrain.errors import DataError, Problem
from bptrain.formats import format_of, formats
from bptrain.formats.conventions import DELIMITERS, Conventions
from bptrain.formats.problems import UndeclaredConvention
from bptrain.parts.activations import activations
from bptrain.parts.losses import Loss, losses
from bptrain.parts.scalers import scalers

GROWTH = 1000  # bytes in memory, at most, of a byte of a file: of packed text whose categories are inputs
Given = Mapping[str, DataSource]  # role -> what Python gave
NOTHING: Given = MappingProxyType({})
NOT_GIVEN = "trained on arrays: give --data FILE, or continue from Python with the same arrays"


def prepare_data(
    loaded: Loaded,
    dtype: DTypeLike | None = None,
    limit: int | None = None,
    given: Given = NOTHING,
    kept_schema: KeptSchema | None = None,
) -> Prepared:
    """What `preparing_data` comes to."""
    return drain(preparing_data(loaded, dtype, limit, given, kept_schema))


def preparing_data(
    loaded: Loaded,
    dtype: DTypeLike | None = None,
    limit: int | None = None,
    given: Given = NOTHING,
    kept_schema: KeptSchema | None = None,
) -> Generator[Converting, None, Prepared]:
    """Reads, splits and encodes the data of a config; with `limit`, encodes the first rows of each split alone.

    `given` are the rows that Python gives in place of files; with the schema of a run, the columns are read by that and
    not inferred again. Yields Converting where large data is converted. Raises DataError; a problem with a config key
    gets that key's position in the file.
    """
    config = loaded.config
    with loaded.locating():
        settings, facts, dtype = (
            data_settings(loaded, given),
            network_facts(config),
            dtype or dtype_of(config),
        )
        bound = config.data.memory_bound
        if bound is None or fits(settings, bound):
            return prepare(settings, facts, config.seed, dtype, limit, kept_schema)
        if limit is not None:
            return first_rows(loaded, settings, facts, dtype, limit, kept_schema)
        return (yield from converting_data(loaded, settings, facts, dtype, kept_schema))


def fits(settings: DataSettings, bound: int) -> bool:
    """Whether a data set is in memory within a bound, in bytes, whatever its files hold."""
    sources = [
        source for source in (settings.train, settings.validation, settings.test) if source is not None
    ]
    return sum(source_size(source) for source in sources) * GROWTH <= bound


def source_size(source: DataSource) -> int:
    """The bytes of the files of a source."""
    if isinstance(source, FileSource):
        paths = [source.inputs] + ([] if source.target is None else [source.target])
    elif isinstance(source, JoinedFiles):
        paths = source.files("")
    else:
        return 2**62
    return sum(path.stat().st_size for path in paths if path.is_file())


def data_settings(loaded: Loaded, given: Given = NOTHING) -> DataSettings:
    """The data section, with absolute paths and scaler objects. Raises DataError for rows that are not given again."""
    data = loaded.absolute().data
    target: tuple[str, ...] | None = data.target
    conventions = conventions_of(data)
    train = source_of(data.train, "train", given, conventions)
    if isinstance(train, FileSource) and target is not None and target_is_path(loaded.config):
        train, target = train._replace(target=Path(target[0])), None
    validation, test = data.shares
    return DataSettings(
        train=train,
        validation=None
        if data.validation is None
        else source_of(data.validation, "validation", given, conventions),
        test=None if data.test is None else source_of(data.test, "test", given, conventions),
        target=target,
        features=data.features,
        exclude=data.exclude,
        columns={name: one.meant for name, one in data.columns.items() if one.meant is not None},
        column_options={name: column_options(one) for name, one in data.columns.items()},
        validation_share=validation,
        test_share=test,
        split=row_split(data.split),
        stratify=None if data.split.stratify == "auto" else data.split.stratify,
        shuffle=data.split.shuffle,
        scale=make(scalers, data.scale),
        scale_target=None if data.scale_target.name == "auto" else make(scalers, data.scale_target),
        clip_predictions=data.clip_predictions,
        missing=missing_cells(data.missing),
        task=loaded.config.task,
        weight=data.weight,
        class_weight=loaded.config.loss.class_weight,
        conventions=conventions,
    )


def row_split(split: SplitConfig) -> RowSplit:
    """How rows are split, beside the shares."""
    index = None if split.index is None else IndexFile(Path(split.index), split.line)
    fold = None if split.fold is None else (split.fold, split.folds or split.fold)
    validation = (
        None if split.validation_fold is None else (split.validation_fold, split.validation_folds or 0)
    )
    column = getattr(split, split.by) if split.by else ""
    return RowSplit(split.by, column, index, fold, split.seed, validation)


def column_options(column: ColumnConfig) -> ColumnOptions:
    """What is said of a column beside its kind."""
    hashed = column.encode == "hash"
    return ColumnOptions(
        scale=None if column.scale is None else make(scalers, column.scale),
        order=column.order or (),
        form=column.format or "",
        unknown=column.unknown or "ignore",
        min_count=column.min_count or 1,
        buckets=(column.buckets or BUCKETS) if hashed else 0,
    )


def missing_cells(missing: Missing) -> str | dict[str, str | Fill]:
    """What is done about missing cells."""
    if isinstance(missing, str):
        return missing
    fills = {name: entry for name, entry in missing.items() if isinstance(entry, FillConfig)}
    made = {name: Fill(entry.fill, entry.value, entry.indicator) for name, entry in fills.items()}
    return {name: made[name] if name in made else str(entry) for name, entry in missing.items()}


def conventions_of(data: DataConfig) -> Conventions:
    """What the config says about how its tables are written."""
    return Conventions(
        format=data.format,
        delimiter=None if data.delimiter is None else DELIMITERS.get(data.delimiter, data.delimiter),
        encoding=data.encoding,
        header=data.header,
        comment=data.comment,
        quote=data.quote,
        decimal=data.decimal,
        thousands=data.thousands,
        missing_markers=data.missing_markers,
        index_column=data.index,
        sheet=data.sheet,
    )


def conventions_for(data: DataConfig, file: Path) -> Conventions:
    """The same for a file that the config does not name: its name may say that it has another format."""
    conventions = conventions_of(data)
    by_name = format_of(file.name)
    if by_name is None or not isinstance(data.train, Source):
        return conventions
    declared = None if data.format is None else formats.get(data.format)()
    own = [form.suffixes for form in (declared, format_of(data.train.inputs[0])) if form is not None]
    if not own or by_name.suffixes in own:
        return conventions
    return conventions._replace(format=None, delimiter=None)


def without_keys(doubt: UndeclaredConvention) -> DataError:
    """The same doubt about a file of a trained model, whose config takes no further keys."""
    cure = "the run's config has no such key: write the file as the training file is, or train again with that key"
    return DataError([one._replace(message=f"{one.message} ({cure})") for one in doubt.problems])


def source_of(rows: Source | GivenInPython, role: str, given: Given, conventions: Conventions) -> DataSource:
    """Where the rows of a role are read from. Raises DataError where they came from Python and are not given again."""
    if isinstance(rows, Source):
        target = None if rows.target is None else Path(rows.target)
        return source_of_paths([Path(text) for text in rows.inputs], target, conventions)
    if role not in given:
        raise DataError(Problem("arrays", NOT_GIVEN, path=f"data.{role}"))
    return given[role]


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

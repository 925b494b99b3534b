"""A YAML file to a frozen, validated Config; sees no matrix.

    loaded = load_config("config.yaml", ["training.epochs=20"])
    loaded.config.network.sizes

document (YAML with positions) → overrides (`--set`) → normalize (one form) → schema (pydantic) → rules
(between sections) → messages (file:line:column), and resolved for the way back.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from bptrain.config.data import DataConfig, Source, SplitConfig
from bptrain.config.document import Document, Location, load
from bptrain.config.ensemble import member_changes
from bptrain.config.normalize import normalize
from bptrain.config.overrides import document_of, override, with_given_rows
from bptrain.config.part import PartConfig
from bptrain.config.resolved import data_paths, dump_yaml, resolve_path, to_plain, with_absolute_paths
from bptrain.config.rules import broken_rules
from bptrain.config.schema import CheckpointConfig, Config, NetworkConfig, TrainingConfig
from bptrain.config.yaml.places import Place, marks
from bptrain.config.yaml.scalars import shown
from bptrain.errors import DataError, Problem, UsageError

__all__ = [
    "CheckpointConfig",
    "Config",
    "DataConfig",
    "Loaded",
    "Location",
    "NetworkConfig",
    "PartConfig",
    "Source",
    "SplitConfig",
    "TrainingConfig",
    "as_member",
    "dump_yaml",
    "from_plain",
    "is_of_ensemble",
    "load_config",
    "resolve_path",
    "shown",
    "to_plain",
    "with_absolute_paths",
]


UNNAMED = "model"  # what the runs of a config that is no file are called
NOTHING: Mapping[str, str] = MappingProxyType({})


class Loaded(NamedTuple):
    """A config that was read from a file, or given in Python."""

    config: Config  # paths of data as written; `absolute` for the files meant
    document: Document
    path: Path  # of the config file, absolute
    written: Mapping[str, tuple[str, ...]] | None = None  # role -> paths of data, where `config` has others

    def locate(self, key: str) -> Location:
        """Where a key such as "data.target" stands; a key that is not written, the nearest section."""
        return self.document.locate(key)

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Adds the place of its key in the file to an error that is raised inside the block."""
        try:
            yield
        except (UsageError, DataError) as error:
            error.reworded([self._located(problem) for problem in error.problems])
            raise

    def _located(self, problem: Problem) -> Problem:
        if problem.line is not None or not problem.path:
            return problem
        return problem._replace(**self.document.locate(problem.path)._asdict())

    def absolute(self) -> Config:
        """The config with absolute paths of data: what a run directory keeps."""
        return with_absolute_paths(self.config, self.path.parent)

    @property
    def written_paths(self) -> Mapping[str, tuple[str, ...]]:
        """Role ("train", "train_target" …) -> the paths of data as the user wrote them."""
        return data_paths(self.config) if self.written is None else self.written


def load_config(
    config: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Iterable[str] | Mapping[str, Any] = (),
    given: Mapping[str, str] = NOTHING,
) -> Loaded:
    """Read and validate a config file, with some values replaced by `key=value` texts or by a mapping.

    A config that is a mapping of its sections has the name "config", and paths as seen from here. `given` are the rows
    that Python gives in place of files: role ("train", …) -> how many by how many. Raises UsageError with all
    problems, in the order of the file.
    """
    if isinstance(config, Mapping):
        document, path = document_of(config, "config"), Path(UNNAMED).absolute()
    else:
        document, path = load(config), Path(config).absolute()
    document = override(document, overrides)
    if not (path.parent / "run.json").is_file():
        _refuse_arrays(document, given)
    document = with_given_rows(document, given)
    return Loaded(validate(document), document, path)


def as_member(loaded: Loaded, number: int = 1) -> Loaded:
    """The config of a member of an ensemble, counted from 1; one of a single network as it is. Raises UsageError."""
    if loaded.config.ensemble is None:
        return loaded
    document = override(loaded.document, member_changes(loaded.config, number))
    return loaded._replace(config=validate(document), document=document)


def is_of_ensemble(
    config: str | os.PathLike[str] | Mapping[str, Any], overrides: Iterable[str] | Mapping[str, Any] = ()
) -> bool:
    """Whether a config, which need not be valid, says that several networks are trained. Raises UsageError."""
    document = document_of(config, "config") if isinstance(config, Mapping) else load(config)
    return override(document, overrides).value.get("ensemble") is not None


def _refuse_arrays(document: Document, given: Mapping[str, str]) -> None:
    """Raises UsageError where a config that is not a run's names arrays, which only a run does."""
    data = document.value.get("data")
    problems = []
    for role in ("train", "validation", "test"):
        rows = data.get(role) if isinstance(data, dict) else None
        if isinstance(rows, dict) and "arrays" in rows and role not in given:
            at = document.positions["data", role, "arrays"].key
            message = "arrays is what a run writes that was trained from Python: name a file"
            path = f"data.{role}.arrays"
            problems.append(Problem("arrays", message, path, *at, source=document.source(at)))
    if problems:
        raise UsageError(problems)


def from_plain(value: dict[str, Any], file: str) -> Config:
    """Validate a config that is not a YAML text, such as a checkpoint's; `file` is what messages call it."""
    return validate(Document(file, value, marks(value, Place(file)), []))


def validate(document: Document) -> Config:
    """The Config of a document. Raises UsageError with all problems."""
    values = normalize(document.value)
    wrong: list[Any] = []
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        findings = broken_rules(_valid_sections(values, wrong))
    else:
        findings = broken_rules({name: getattr(config, name) for name in Config.model_fields})
        if not findings:
            return config
    from bptrain.config import messages  # names and suggestions, only for a config that is wrong

    raise UsageError(messages.to_problems(wrong, findings, document))


# The required keys with valid values, in place of invalid ones while the other sections are validated.
_STAND_IN: dict[str, Any] = {
    "data": {"train": {"inputs": ("any.csv",)}},
    "network": {"sizes": ("auto", "auto"), "bias": (True,), "initializer": ({"name": "auto"},)},
    "loss": {"name": "half_squared_error"},
}


def _valid_sections(values: dict[str, Any], wrong: list[Any]) -> dict[str, Any]:
    """The sections in which nothing is wrong."""
    in_them = {error["loc"][0] for error in wrong}
    right = {name: value for name, value in values.items() if name not in in_them}
    config = Config.model_validate({**_STAND_IN, **right})
    return {name: getattr(config, name) for name in Config.model_fields if name not in in_them}

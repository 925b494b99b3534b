"""How a data file is written: as declared, or likely, where it can be read in two ways: then the page says so."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import conventions_of
from bptrain.config import load_config
from bptrain.data.profile import Profile
from bptrain.errors import Problem, UsageError
from bptrain.formats.conventions import DELIMITERS, Conventions
from bptrain.formats.problems import UndeclaredConvention

KEYS = {  # of data, by the fields of Conventions
    "format": "format", "delimiter": "delimiter", "encoding": "encoding", "header": "header", "comment": "comment",
    "quote": "quote", "decimal": "decimal", "thousands": "thousands", "missing_markers": "missing_markers",
    "index_column": "index", "sheet": "sheet",
}  # fmt: skip
DECLARED = "from --set"


class StatedKey(NamedTuple):
    """A key of `data` that says how the file is written."""

    name: str
    value: Any
    why: str


class FileReading(NamedTuple):
    """A data file, and how it was read."""

    profile: Profile
    conventions: Conventions
    keys: tuple[StatedKey, ...]  # that the page must say


def read_likely(declared: Conventions, profile: Callable[[Conventions], Profile]) -> FileReading:
    """Reads a file; what can be read in two ways and is not declared, in the likely one. Raises DataError."""
    conventions, why = declared, dict.fromkeys(KEYS, DECLARED)
    for _ in KEYS:
        try:
            return FileReading(profile(conventions), conventions, _stated(conventions, why))
        except UndeclaredConvention as doubt:
            if not doubt.field or getattr(conventions, doubt.field) is not None:
                raise
            conventions = conventions._replace(**{doubt.field: doubt.value})
            why[doubt.field] = doubt.why
    return FileReading(profile(conventions), conventions, _stated(conventions, why))


def _stated(conventions: Conventions, why: dict[str, str]) -> tuple[StatedKey, ...]:
    """The keys for all that is declared by now."""
    names = {
        sign: name for name, sign in reversed(DELIMITERS.items()) if not sign.isprintable() or sign == name
    }
    stated = []
    for field, key in KEYS.items():
        value = getattr(conventions, field)
        if value is not None:
            written = names.get(value, value) if field == "delimiter" else value
            stated.append(StatedKey(key, written, why[field]))
    return tuple(stated)


def declared_conventions(data: Path, overrides: Sequence[str]) -> Conventions:
    """What `--set` says about how a file is written. Raises UsageError, for other keys of a config, too."""
    other = [text for text in overrides if text.partition("=")[0].removeprefix("data.") not in KEYS.values()]
    wrong = [text for text in overrides if not text.startswith("data.")]
    if other or wrong:
        message = (
            f"{(other or wrong)[0].partition('=')[0]}: init takes only the keys that say how the file is written: "
            f"{', '.join(f'data.{key}' for key in KEYS.values())}; edit the config for others"
        )
        raise UsageError(Problem("unknown_key", message, file="--set"))
    least = {
        "data": {"train": {"inputs": str(data), "target": "any"}},
        "network": {"sizes": ["auto", "auto"]},
        "loss": "half_squared_error",
    }
    return conventions_of(load_config(least, overrides).config.data)

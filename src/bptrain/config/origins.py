"""Where each value of a resolved config comes from: a place in the file, `--set`, or a default."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bptrain.config.document import Document
from bptrain.config.overrides import ARGUMENT, COMMAND_LINE, SHORTHANDS
from bptrain.config.yaml.places import KeyPath, Place, dotted

DEFAULT = "default"


class ResolvedValue(NamedTuple):
    """One value of a resolved config: anything but a mapping with entries."""

    path: KeyPath
    value: Any
    places: tuple[Place | None, ...]  # one, or those of a list's entries, each once; None: a default

    @property
    def key(self) -> str:
        """Such as network.sizes."""
        return dotted(self.path)

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return ", ".join(dict.fromkeys(map(in_words, self.places)))

    def record(self) -> dict[str, Any]:
        """The value's origin in JSON; of a list whose entries differ, that of the first that is written."""
        place = next((place for place in self.places if place is not None), None)
        where = Place("") if place is None else place
        kind = DEFAULT if place is None else "--set" if place == COMMAND_LINE else "file"
        return {
            "from": kind,
            "file": where.file if kind == "file" else None,
            "line": where.line,
            "column": where.column,
        }


def in_words(place: Place | None) -> str:
    """A place as it is shown behind a value."""
    if place is None:
        return DEFAULT
    return place.file if place in (COMMAND_LINE, ARGUMENT) else f"{place.file}:{place.line}"


def resolved_values(
    resolved: dict[str, Any], document: Document, path: KeyPath = ()
) -> Iterator[ResolvedValue]:
    """Every value of a resolved config, in its order, with the place in the config as it was written."""
    for key, value in resolved.items():
        here = (*path, key)
        if isinstance(value, dict) and value:
            yield from resolved_values(value, document, here)
        else:
            yield ResolvedValue(here, value, tuple(dict.fromkeys(origins(value, document, here))))


def origins(value: Any, document: Document, path: KeyPath) -> Iterator[Place | None]:
    """The place of a value, or of each of a list's entries."""
    if isinstance(value, list | dict) and value:
        for step, entry in enumerate(value) if isinstance(value, list) else value.items():
            yield from origins(entry, document, (*path, step))
    else:
        yield place_of(value, document, path)


def place_of(value: Any, document: Document, path: KeyPath) -> Place | None:
    """Where a value was written, in full or as a short form of the section that it is in."""
    written = document.nearest(path)
    if not written:
        return None
    given: Any = document.value
    for step in written:
        given = given[step]
    missing = path[len(written) :]
    if given is None and value is not None:  # null stands for the default
        return None
    if isinstance(given, dict) and not missing:  # {inputs: …} that is shown as the path alone
        inner = next((name for name in SHORTHANDS.values() if name in given), None)
        return document.positions[(*written, inner)].value if inner else document.positions[written].value
    names = set(SHORTHANDS.values())
    short = all(isinstance(step, int) or step in names for step in missing)
    return document.positions[written].value if short and not isinstance(given, dict) else None

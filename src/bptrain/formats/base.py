"""What a file format is, and the registry of formats."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple, Union

from bptrain.extras import Extra
from bptrain.formats.conventions import RECOGNIZED, Conventions
from bptrain.formats.packing import without_packing
from bptrain.formats.problems import Origin
from bptrain.formats.text_columns import ColumnTexts
from bptrain.registry import Registry

if TYPE_CHECKING:  # a name is looked at without NumPy
    from bptrain.formats.incoming import Incoming
    from bptrain.parts.types import Array

Holds = Literal["table", "arrays", "array"]  # columns with names, arrays with names, one array


# Texts, "" where one is missing, as a list or as they lie in a file; or numbers, with NaN.
Cells = Union[list[str], ColumnTexts, "Array"]


class Sheet(NamedTuple):
    """A table as it was written: texts are not interpreted yet."""

    origin: Origin
    names: tuple[str, ...]
    cells: Mapping[str, Cells]  # N per column
    conventions: Conventions = RECOGNIZED  # how it is written, which also says what a cell means
    targets: tuple[str, ...] = ()  # columns that are the targets, whatever the config says
    typed: frozenset[str] = frozenset()  # columns whose texts are numbers by their type, as those of JSON are


RoomForBytes = Callable[[int], "Array"]  # hands out so many bytes


class NamedArrays(NamedTuple):
    """A file of several arrays, each read when it is asked for."""

    names: tuple[str, ...]
    get: "Callable[[str], Array]"
    # The same, where it does not lie in the file as it is, in room that is handed out; None: there is no such way.
    get_in: "Callable[[str, RoomForBytes], Array] | None" = None


Contents = Union[Sheet, NamedArrays, "Array"]  # for a table, arrays, an array


class Format(NamedTuple):
    """How files of a format are named, what they hold, and how they are read."""

    holds: Holds
    suffixes: tuple[str, ...]  # in lower case, as messages list them
    # (path, the config key that named it or "", how it is written); raises DataError
    read: Callable[[Path, str, Conventions], Contents]
    gz: bool = False  # whether its files may be packed, with .gz, .bz2, .xz or .zip behind the same names
    variants: tuple[str, ...] = ()  # further suffixes, which messages leave out
    looks: Callable[[str], bool] | None = (
        None  # of a table: whether the first lines of a file look like this format
    )
    extra: Extra | None = None  # what must be installed for it
    # The content some rows at a time: (what comes in, config key, how it is written, rows); None: it is read as a whole
    pieces: "Callable[[Incoming, str, Conventions, int], Iterator[Contents]] | None" = None


OPEN_SUFFIXES = ("", ".data", ".txt", ".dat", ".train", ".test")  # names that say nothing of the format
formats: Registry[Format] = Registry("format")


def format_of(name: str) -> Format | None:
    """The format of a file, by its name."""
    lower = name.lower()
    for each in formats:
        found = formats.get(each)()
        bare = without_packing(lower) if found.gz else lower
        if bare.endswith(found.suffixes + found.variants):
            return found
    return None


def says_nothing(name: str) -> bool:
    """Whether a name may be that of a table in any format, which its content tells: `d.data`, `d.txt`, `d`, or a
    pattern for several such as `d.*`.
    """
    suffix = PurePath(without_packing(name)).suffix
    return format_of(name) is None and (suffix in OPEN_SUFFIXES or any(sign in suffix for sign in "*?["))


def holds(name: str) -> Holds | None:
    """What a file of this name holds: a table where the name says nothing; None where it says something else."""
    found = format_of(name)
    if found is None:
        return "table" if says_nothing(name) else None
    return found.holds


def listed(what: Holds | None = None, last: str = " or ") -> str:
    """The names of the formats that hold this, or of all: "csv, tsv or npz"."""
    made = {name: formats.get(name)() for name in formats}
    names = [name for name, form in made.items() if what in (None, form.holds)]
    names.sort(key=lambda name: made[name].extra is not None)  # first those that every installation reads
    return last.join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def listed_suffixes() -> str:
    """How files may be named: ".csv, .tsv (each also with .gz), .npz; packed also as …"."""
    made = sorted((formats.get(name)() for name in formats), key=lambda form: form.extra is not None)
    packed, plain = (
        [" or ".join(each.suffixes) for each in made if each.gz is with_gz] for with_gz in (True, False)
    )
    each_also = [f"{', '.join(packed)} ({'each also' if packed[1:] else 'also'} with .gz)"] if packed else []
    return ", ".join([*each_also, *plain]) + "; instead of .gz also .bz2, .xz or .zip"

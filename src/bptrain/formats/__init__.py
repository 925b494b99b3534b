"""File formats: a file to columns of cells, to named arrays, or to one array; what these mean is decided elsewhere.

Each format is a file in this folder: what is registered there is known to every command. Config, messages, help and
schema ask the registry what a file's name says, so nothing heavy is imported before a file is read.
"""

from importlib import import_module
from pathlib import Path

from bptrain.formats.base import (
    Contents,
    Format,
    Holds,
    NamedArrays,
    Sheet,
    format_of,
    formats,
    holds,
    listed,
)

__all__ = ["Contents", "Format", "Holds", "NamedArrays", "Sheet", "format_of", "formats", "holds", "listed"]

# The usual formats first, as messages name them.
for _file in sorted(
    Path(__file__).parent.glob("[!_]*.py"), key=lambda file: (file.stem != "delimited", file.stem)
):
    import_module(f"{__name__}.{_file.stem}")

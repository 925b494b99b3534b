"""Parts with their formulas and options, as wide as the terminal is."""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from bptrain.commands.list import PartRecord
from bptrain.console.terminal.screen import Screen
from bptrain.console.terminal.terminal import width_of
from bptrain.errors import printable

NARROW = 60  # columns; on narrower terminals a formula is below its name, not next to it


def show_parts_list(screen: Screen, kinds: Mapping[str, Sequence[PartRecord]]) -> None:
    """Each kind under its name; a line is broken on a terminal alone, so that what reads a pipe has it whole."""
    width = width_of(sys.stdout)
    longest = max(len(printable(part.name)) for parts in kinds.values() for part in parts)
    for position, (kind, parts) in enumerate(kinds.items()):
        if position:
            screen.result()
        screen.result(kind)
        for part in parts:
            for line in lines(part, longest, width):
                screen.result(line, whole=True)


def lines(part: PartRecord, longest: int, width: int | None) -> Iterator[str]:
    """A part: its name, next to it the formula, below that its options."""
    narrow = width is not None and width < NARROW
    indent = " " * (4 if narrow else longest + 4)
    name = f"  {printable(part.name)}"
    if narrow:
        yield name
    first, *rest = [
        line
        for text in (part.formula, *(o.text for o in part.options), *plugin_line(part))
        for line in broken(printable(text), indent, width)
    ]
    yield first if narrow else name + first[len(name) :]
    yield from rest


def plugin_line(part: PartRecord) -> list[str]:
    """Where a part comes from that is not bptrain's own."""
    return [] if part.plugin is None else [f"from the plug-in {part.plugin}"]


def broken(text: str, indent: str, width: int | None) -> list[str]:
    """A text in lines, all but the first further to the right."""
    if width is None:
        return [indent + text]
    room = max(width - 1, len(indent) + 20)
    further = indent + "  "
    return textwrap.wrap(text, room, initial_indent=indent, subsequent_indent=further, break_on_hyphens=False)

"""What happened to the cells of columns as they were read, one line for each kind of thing."""

from collections.abc import Iterable
from typing import NamedTuple

from bptrain.data.cells import CellRules, Notation
from bptrain.data.notations import Recognized, notation_notes
from bptrain.errors import printable
from bptrain.formats.problems import some_of


class CellReading(NamedTuple):
    """How the cells of some columns were read, by the name of the column."""

    recognized: dict[str, Recognized]  # the notation of numbers that are not plain
    marked: dict[str, dict[str, int]]  # marker of a missing value -> cells
    spellings: dict[str, list[list[str]]]  # of one level, where it has several


NOTHING_ODD = CellReading({}, {}, {})


def merged(readings: Iterable[CellReading]) -> CellReading:
    """The readings of several blocks, of other columns or of other rows, as one."""
    recognized, marked, spellings = CellReading({}, {}, {})
    for reading in readings:
        recognized |= reading.recognized
        for name, counts in reading.marked.items():
            before = marked.get(name, {})
            marked[name] = before | {marker: n + before.get(marker, 0) for marker, n in counts.items()}
        for name, levels in reading.spellings.items():
            known = spellings.get(name, [])
            spellings[name] = [*known, *(level for level in levels if level not in known)]
    return CellReading(recognized, marked, spellings)


def cell_notes(readings: Iterable[CellReading]) -> list[str]:
    """The lines, of columns of several blocks together."""
    recognized, marked, spellings = merged(readings)
    notes = notation_notes({name: one for name, one in recognized.items() if not one.declared})
    if marked:
        notes.append(f"missing: read as such: {some_of(_marked(marked), 5)} (data.missing_markers)")
    if spellings:
        notes.append(f"levels: one in several spellings: {some_of(_spelled(spellings), 5)}")
    return notes


def kept_rules(rules: CellRules, readings: Iterable[CellReading]) -> CellRules:
    """The rules of a table as a trained model keeps them: with the notation of each column."""
    notations: dict[str, Notation] = {}
    for reading in readings:
        notations |= {
            name: one.notation for name, one in reading.recognized.items() if one.notation is not None
        }
    return rules._replace(notations=notations)


def _marked(marked: dict[str, dict[str, int]]) -> Iterable[str]:
    for name, counts in marked.items():
        n = sum(counts.values())
        markers = some_of(
            [marker for marker, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))], 3
        )
        yield f"{n:,} cell{'' if n == 1 else 's'} of {name} ({markers})"


def _spelled(spellings: dict[str, list[list[str]]]) -> Iterable[str]:
    for name, levels in spellings.items():
        for level in levels:
            yield f"{name}: {' = '.join(repr(printable(text)) for text in level)}"

"""Levels of a category: texts, of which spellings that mean the same are one."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bptrain.data.cells import NAME
from bptrain.formats.delimited import NUMBER
from bptrain.formats.names import name_key

BOOLEAN = {"true": 1.0, "false": 0.0}
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[-+][0-9]{2}:?[0-9]{2})?)?"
)
WHOLE_LEVEL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.0*)?")


def level_key(text: str) -> str:
    """What two spellings of one level have in common, as those of a name do.

    True and false in any case, and a date with its midnight, are one level, too.
    """
    key = name_key(text)
    if len(key) in (4, 5) and key.lower() in BOOLEAN:
        return key.lower()
    return moment(key) if key[4:5] == "-" and key[:4].isdigit() else key


def lone_key(text: str) -> str:
    """The same where the other levels of the column are not known: a whole number is the one that it is, too."""
    key = level_key(text)
    return str(int(float(key))) if WHOLE_LEVEL.fullmatch(key) else key


def moment(text: str) -> str:
    """A date or time of ISO 8601 without what is 0 at its end; any other text as it is."""
    if len(text) == 10 or (len(text) == 19 and text[10::3] == " ::" and text[11:] != "00:00:00"):
        return text  # most dates and times, quickly
    found = MOMENT.fullmatch(text)
    if found is None:
        return text
    day, minute, second, fraction, zone = (part or "" for part in found.groups())
    fraction = fraction.rstrip("0")
    clock = f"{minute or '00:00'}:{second or '00'}{'.' + fraction if fraction else ''}"
    if clock == "00:00:00" and not zone:
        return day
    return f"{day} {clock}{'+00:00' if zone == 'Z' else zone}"


def are_whole(levels: Iterable[str]) -> bool:
    """Whether every level is a whole number without leading zeros, so that 1.0 is the level 1."""
    return all(WHOLE_LEVEL.fullmatch(level) for level in levels)


def one_spelling(counts: Mapping[str, int]) -> dict[str, str]:
    """Spelling -> the most frequent one of the same level. `counts` are those of texts that are there."""
    whole = are_whole(text.strip() for text in counts)
    keys = {text: str(int(float(text))) if whole else level_key(text) for text in counts}
    if len(set(keys.values())) == len(keys):
        return {text: text.strip() for text in counts}
    of_level: dict[str, Counter[str]] = {}
    for text, key in keys.items():
        of_level.setdefault(key, Counter())[text.strip()] += counts[text]
    most = {key: min(found, key=lambda text: (-found[text], text)) for key, found in of_level.items()}
    return {text: most[key] for text, key in keys.items()}


class Levels(dict[object, int]):
    """Cell -> the number of its level, -1 for one that is unknown: an exact spelling first, then one that means it."""

    def __init__(self, levels: Sequence[str]) -> None:
        super().__init__((level, k) for k, level in enumerate(levels))
        self._by_key = {level_key(level): k for k, level in reversed([*enumerate(levels)])}
        numbers = [float(level) if _is_number(level) else None for level in levels]
        apart = len(set(numbers)) == len(numbers) and None not in numbers
        self._by_number = {number: k for k, number in enumerate(numbers)} if apart else {}

    def __missing__(self, cell: object) -> int:
        text = str(cell)
        found = self._by_key.get(level_key(text), -1)
        if found < 0 and self._by_number and _is_number(text.strip()):
            found = self._by_number.get(float(text), -1)
        self[cell] = found
        return found


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and not NAME.fullmatch(text)

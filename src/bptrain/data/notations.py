"""How the numbers of a column are written: recognized where it cannot be wrong, told where decided, else asked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from bptrain.data.cells import (
    MAY_BE_NUMBER,
    CellRules,
    Notation,
    number_of,
    without_sign,
)
from bptrain.formats.problems import some_of
from bptrain.formats.value_texts import CURRENCIES

POINT, COMMA = Notation("."), Notation(",")
Texts = Mapping[str, int]  # different texts of a column, without blanks around them -> how many cells


class Doubt(NamedTuple):
    """Why it is not clear which numbers a column holds."""

    text: str  # of a cell
    why: str  # the end of a sentence that begins with it
    mark: str = ""  # that stands between groups of digits, or before decimals
    declare: tuple[str, ...] = ("categorical",)  # kinds that settle it


class Recognized(NamedTuple):
    """The notation of a column; None for plain numbers, and for what are none."""

    notation: Notation | None = None
    doubt: Doubt | None = None
    example: str = ""  # a text that shows the notation
    declared: bool = False  # by the config, so that it need not be told


PLAIN = Recognized()


def recognize(texts: Texts, rules: CellRules, decimal_elsewhere: str | None = None) -> Recognized:
    """The notation in which most of these texts are numbers.

    `decimal_elsewhere` is the decimal mark of the other columns of the file, where that is known.
    """
    like_numbers = {text: n for text, n in texts.items() if MAY_BE_NUMBER.fullmatch(text)}
    plain = sum(n for text, n in like_numbers.items() if number_of(text) is not None)
    is_open = not rules.says_how_numbers_are_written and decimal_elsewhere != ","
    if not like_numbers or (is_open and plain == sum(like_numbers.values())):
        return PLAIN
    ways = _ways(rules)
    sign, doubt = _sign(like_numbers, ways)
    scored = [(way._replace(sign=sign), _numbers(like_numbers, way, sign)) for way in ways]
    most = max(n for _, n in scored)
    if not max(plain, most) or (plain >= most and is_open):
        return PLAIN
    if plain > most:
        text = next(text for text in like_numbers if number_of(text, ways[0]) is None)
        return Recognized(
            doubt=Doubt(text, f"is no number with {in_words(ways[0])}, which the config states")
        )
    best = [way for way, n in scored if n == most]
    if len(best) > 1:
        text = next((text for text in like_numbers if _differ(text, best)), "")
        by_others = [way for way in best if way.decimal == decimal_elsewhere]
        if text and not by_others:
            doubt = _two_readings(text, best)
        best = by_others or best
    example = next((text for text in like_numbers if number_of(text) is None), next(iter(like_numbers)))
    return Recognized(best[0], doubt, example, rules.says_how_numbers_are_written and not sign)


def _ways(rules: CellRules) -> list[Notation]:
    """The notations that the config leaves open."""
    marks = (".", ",") if rules.decimal is None else (rules.decimal,)
    return [Notation(mark, rules.thousands) for mark in marks if mark != rules.thousands] or [POINT]


def _differ(text: str, ways: list[Notation]) -> bool:
    return number_of(text, ways[0]) != number_of(text, ways[1])


def _two_readings(text: str, ways: list[Notation]) -> Doubt:
    """That a text is two numbers, with the key for each."""
    grouped, decimal = sorted((number_of(text, way) or 0.0 for way in ways), key=abs, reverse=True)
    mark = next(c for c in text if c in ".,")
    why = f'is {grouped:.15g} with data.thousands: "{mark}", and {decimal:.15g} with data.decimal: "{mark}"'
    return Doubt(text, why, mark)


def _sign(texts: Texts, ways: list[Notation]) -> tuple[str, Doubt | None]:
    """The sign that stands beside most numbers, and why that is not clear: others have another one, or none."""
    signs: Counter[str] = Counter()
    text_of_sign: dict[str, str] = {}
    for text, n in texts.items():
        sign, number = without_sign(text)
        if any(number_of(number, way) is not None for way in ways):
            signs[sign] += n
            text_of_sign.setdefault(sign, text)
    found = sorted((sign for sign in signs if sign), key=lambda sign: -signs[sign])
    if not found:
        return "", None
    if found[1:]:
        why = f"and {text_of_sign[found[0]]!r} stand for different things; write them in one unit"
        return found[0], Doubt(text_of_sign[found[1]], why)
    if "" in text_of_sign:
        kinds = ("categorical",) if found[0] == "%" else ("numeric", "categorical")
        return found[0], Doubt(text_of_sign[""], f"is without the {found[0]} of other cells", declare=kinds)
    return found[0], None


def _numbers(texts: Texts, way: Notation, sign: str) -> int:
    """How many cells are numbers in a notation, with or without the sign."""
    found = 0
    for text, n in texts.items():
        beside, number = without_sign(text)
        found += n if (sign or not beside) and number_of(number, way) is not None else 0
    return found


def decimal_mark(columns: Iterable[Texts]) -> str | None:
    """The decimal mark that some columns of a file show beyond doubt; None where none does, or both."""
    marks = set()
    for texts in columns:
        like_numbers = [text for text in texts if MAY_BE_NUMBER.fullmatch(text)]
        if 2 * len(like_numbers) < len(texts):
            continue
        for text in like_numbers:
            number = without_sign(text)[1]
            point, comma = number_of(number, POINT), number_of(number, COMMA)
            if "." in number and point is not None and comma is None:
                marks.add(".")
            elif "," in number and comma is not None and point is None:
                marks.add(",")
    return marks.pop() if len(marks) == 1 else None


@cache
def in_words(notation: Notation) -> str:
    """A notation, as the end of `numbers with …`."""
    parts = []
    if notation.decimal != ".":
        parts.append(f'the decimal mark "{notation.decimal}"')
    if notation.sign:
        parts.append(f"the sign {notation.sign}")
    return " and ".join(parts) or "a mark between groups of digits"


def key_of(notation: Notation, example: str) -> str:
    """What the config would say for this notation."""
    if notation.decimal != ".":
        return f'data.decimal: "{notation.decimal}"'
    mark = notation.thousands or next(
        (c for c in example if not c.isdigit() and c not in ".+-%" + CURRENCIES), ""
    )
    return f'data.thousands: "{mark}"' if mark else ""


def notation_notes(found: Mapping[str, Recognized]) -> list[str]:
    """One line for each notation that was recognized: how the columns' numbers were read."""
    by_notation: dict[Notation, list[str]] = {}
    for name, one in found.items():
        if one.notation is not None:
            by_notation.setdefault(one.notation, []).append(name)
    lines = []
    for notation, names in by_notation.items():
        example = found[names[0]].example
        number = number_of(example, notation)
        said = f'numbers: "{example}" is {number:.15g}' if number is not None else "numbers"
        key = key_of(notation, example) or f"data.columns: {{{names[0]}: numeric}}"
        lines.append(f"{said} in {some_of(names, 5)} ({in_words(notation)}; {key})")
    return lines

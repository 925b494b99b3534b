"""What one cell says: a number in one of the ways of writing it, a text, or nothing."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from bptrain.formats.conventions import Conventions
from bptrain.formats.delimited import NUMBER
from bptrain.formats.markers import OLDER, MissingMarkers, markers_of, of_texts
from bptrain.formats.quoting import QuotedText
from bptrain.formats.typed_number import TypedNumber
from bptrain.formats.value_texts import CURRENCIES

Value = float | str | None  # a number (perhaps infinite), a text, or missing

INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
MINUS = "\N{MINUS SIGN}"
SIGN = f"[-+{MINUS}]"
# What no reader can mistake: U+2212 as the minus, D in place of E, groups of three with a low line.
SURE = re.compile(
    rf"{SIGN}?(?:(?:[0-9]+|[1-9][0-9]{{0,2}}(?:_[0-9]{{3}})+)(?:\.[0-9]*)?|\.[0-9]+)"
    rf"(?:[eE]{SIGN}?[0-9]+|[dD]{SIGN}[0-9]+|(?<=[.0-9])[dD][0-9]+)?"
)
D_OF_A_CODE = re.compile(r"[^.]*[dD][0-9]+")  # 12D3 may be a seat; 1.2D3 and 12D+3 are numbers
BLANKS = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{FIGURE SPACE}"
MARKS = f"'’_{BLANKS}"  # between groups of three digits, whatever the decimal mark is
MAY_BE_NUMBER = re.compile(rf"[-+0-9.,{MARKS}{MINUS}{CURRENCIES}%eEdD]*")
# A whole number with a leading zero, or of more digits than a float keeps, is a name.
NAME = re.compile(r"[-+]?(?:0[0-9]+|[0-9]{16,})")
WHOLE = re.compile(r"[-+]?[0-9]+")


class Notation(NamedTuple):
    """How the numbers of a column are written, where that is not the plain way of programs."""

    decimal: str = "."
    thousands: str | None = None  # the mark between groups of three digits; None: any but the decimal mark
    sign: str = ""  # a currency sign, or %, beside each number


class CellRules(NamedTuple):
    """What the cells of a table mean: by the config, or of a trained model."""

    markers: MissingMarkers = MissingMarkers()
    decimal: str | None = None  # as `data.decimal` says; None: recognized, column by column
    thousands: str | None = None
    notations: Mapping[str, Notation] = MappingProxyType({})  # of columns that a trained model knows

    @property
    def says_how_numbers_are_written(self) -> bool:
        """Whether the config does."""
        return self.decimal is not None or self.thousands is not None

    def notation_of(self, name: str) -> Notation | None:
        """The notation that a trained model knows of a column: its own, or as the config of the model says."""
        if name in self.notations or not self.says_how_numbers_are_written:
            return self.notations.get(name)
        return Notation(self.decimal or ("," if self.thousands == "." else "."), self.thousands)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "missing_markers": sorted(self.markers.anywhere),
            "missing_among_numbers": sorted(self.markers.among_numbers),
            "decimal": self.decimal,
            "thousands": self.thousands,
            "notations": {name: notation._asdict() for name, notation in self.notations.items()},
        }

    @classmethod
    def from_json(cls, json: Mapping[str, Any] | None) -> "CellRules":
        """What `to_json` wrote; without it, the rules of the first versions."""
        if json is None:
            return OLDER_RULES
        markers = of_texts(json["missing_markers"], False)
        return cls(
            markers._replace(among_numbers=frozenset(json["missing_among_numbers"])),
            json["decimal"],
            json["thousands"],
            {name: Notation(**kept) for name, kept in json["notations"].items()},
        )


RULES = CellRules()
OLDER_RULES = CellRules(of_texts(OLDER, False))


def rules_of(conventions: Conventions) -> CellRules:
    """The rules that a config states."""
    return CellRules(
        markers_of(conventions.missing_markers), conventions.decimal or None, conventions.thousands
    )


def value_of(cell: str, rules: CellRules = RULES, notation: Notation | None = None) -> Value:
    """What one cell says, its numbers in this notation."""
    text = cell.strip()
    if text in rules.markers.anywhere and not isinstance(cell, QuotedText):
        return None
    number = number_of(text, None if isinstance(cell, TypedNumber) else notation)
    if number is None:
        return text
    return None if number in rules.markers.numbers else number


def number_of(text: str, notation: Notation | None = None) -> float | None:
    """The number that a text is in this notation; None where it is none."""
    if text[:1].isalpha() or (text and text[-1] in "yYfF"):  # most texts are told by a letter
        return float(text) if INFINITE.fullmatch(text) else None
    if notation is None and NUMBER.fullmatch(text):
        return float(text)
    if notation is None:
        sure = SURE.fullmatch(text) if "_" in text or not text.isascii() or "d" in text.lower() else None
        return _float(text, "_") if sure and not D_OF_A_CODE.fullmatch(text) else None
    sign, number = without_sign(text)
    if sign not in ("", notation.sign) or (notation.sign == "%" and not sign):
        return None
    if not _form(notation.decimal, notation.thousands).fullmatch(number):
        return number_of(number) if notation.decimal == "." and sign else None
    return _float(number, _marks(notation.decimal, notation.thousands), notation.decimal)


def _marks(decimal: str, thousands: str | None) -> str:
    """What may stand between groups of three digits."""
    if thousands is None:
        return MARKS + {".": ",", ",": "."}.get(decimal, "")
    return "_" + (BLANKS if thousands in BLANKS else "'’" if thousands in "'’" else thousands)


def without_sign(text: str) -> tuple[str, str]:
    """A currency sign or % in front of a number or behind it, and the number."""
    if text[-1:] in CURRENCIES + "%" and text:
        return text[-1], text[:-1].rstrip()
    if text[:1] in CURRENCIES and text:
        return text[0], text[1:].lstrip()
    if text[1:2] in CURRENCIES and text[2:] and text[0] in "+-" + MINUS:
        return text[1], text[0] + text[2:].lstrip()
    return "", text


@cache
def _form(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """The numbers with this decimal mark, and with this mark, or any other, between groups of three digits."""
    marks, point = f"[{re.escape(_marks(decimal, thousands))}]", re.escape(decimal)
    grouped = rf"[1-9][0-9]{{0,2}}(?P<mark>{marks})[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    return re.compile(
        rf"{SIGN}?(?:(?:{grouped}|[0-9]+)(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE]{SIGN}?[0-9]+|[dD]{SIGN}[0-9]+)?"
    )


def _float(text: str, marks: str, decimal: str = ".") -> float:
    for mark in marks:
        text = text.replace(mark, "")
    text = text.replace(decimal, ".").replace(MINUS, "-")
    return float(text.replace("D", "e").replace("d", "e"))

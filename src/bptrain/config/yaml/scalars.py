"""Scalars of YAML 1.2 (the core schema): from text to null, true, a number or text, and back, as messages show them.

YAML 1.1, which PyYAML speaks, reads `no` as false, `1e-3` as text and `010` as eight. Here they are text,
a number and ten.
"""

import re
from typing import Any

from bptrain.config.yaml.places import LONGEST
from bptrain.errors import printable

MAX_DIGITS = 400  # characters of a number: no more are needed, and a longer one takes time to convert
Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_FINITE = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0(o[0-7]+|x[0-9a-fA-F]+)")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar. Raises ValueError for a number of too many digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":  # most text, at no cost
        return text
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    based = _BASED.fullmatch(text)
    if not based and not _FINITE.fullmatch(text):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number may have at most {MAX_DIGITS} characters, but has {len(text)}")
    if based:
        return int(text, 0)
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def is_text(text: str) -> bool:
    """Whether the plain scalar means the text itself, so that it needs no quotes."""
    try:
        return resolve(text) == text
    except ValueError:
        return False


def shown(value: Any, written: str | None = None) -> str:
    """A value as a message shows it: text in quotes, a number as it was written."""
    if value is None:
        return written or "empty"
    if isinstance(value, str):
        short = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
        text = printable(short)
        return f'the text "{text}"' if _reads_otherwise(value) else f'"{text}"'
    if isinstance(value, bool):
        return written or ("true" if value else "false")
    if isinstance(value, int | float):
        digits = written or number(value)
        return digits if len(digits) <= LONGEST else digits[: LONGEST - 1] + "…"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else repr(value)


def number(value: float) -> str:
    """A number without a needless .0."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e6
    return format(value, "g") if whole else str(value)


def resolved(text: str) -> Scalar:
    """The value of a plain scalar, a number of too many digits being text."""
    try:
        return resolve(text)
    except ValueError:
        return text


def _reads_otherwise(value: str) -> bool:
    """Whether the text would be a number or a word of YAML without its quotes."""
    return not isinstance(resolved(value), str)

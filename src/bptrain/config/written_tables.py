"""The types of the keys that say how tables are written: `data.format` to `data.index`."""

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import MaxLen
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from bptrain.config import forms
from bptrain.config.section import at_most
from bptrain.formats import formats
from bptrain.formats.conventions import DELIMITERS, MOST_HEADER_LINES, is_text_encoding

MOST_MARKERS = 1000
Check = Callable[[str], bool]


def _format_name(value: Any) -> str:
    """The name of a format."""
    if not isinstance(value, str):
        raise _wrong("the name of a format")
    if value not in formats:
        raise PydanticCustomError(
            "wrong_choice", "wrong_choice", {"allowed": tuple(formats), "kind": "format"}
        )
    return value


def _text_of(expected: str, check: Check) -> PlainValidator:
    """A text that passes a check; `expected` says of which kind it must be."""

    def validate(value: Any) -> str:
        if not isinstance(value, str) or not check(value):
            raise _wrong(expected)
        return value

    return PlainValidator(validate)


def _header(value: Any) -> bool | int:
    """true, false, or how many lines the header has."""
    if isinstance(value, bool) or (isinstance(value, int) and 1 <= value <= MOST_HEADER_LINES):
        return value
    raise _wrong(f"true, false or the number of its lines, from 1 to {MOST_HEADER_LINES}")


def _index(value: Any) -> bool | str:
    """true, false, or the name of a column."""
    if isinstance(value, bool) or (isinstance(value, str) and value):
        return value
    raise _wrong("true, false or the name of a column")


def _sheet(value: Any) -> str | int:
    """The name of a sheet, or its number from 1."""
    if (isinstance(value, str) and value) or (type(value) is int and value >= 1):
        return value
    raise _wrong("the name of a sheet, or its number from 1")


def _wrong(expected: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_type", "wrong_type", {"expected": expected})


def _is_delimiter(text: str) -> bool:
    return text in DELIMITERS or is_mark(text)


def is_mark(text: str) -> bool:
    """Whether a text is one character that may stand beside digits and letters: none of them, no line break."""
    return len(text) == 1 and not text.isalnum() and text not in '+\r\n\0"' and text != "\ufeff"


def _is_quote(text: str) -> bool:
    return text == "" or (len(text) == 1 and not text.isalnum() and text not in "\r\n\0 \t")


def _is_comment(text: str) -> bool:
    return 0 < len(text) <= 20 and text == text.strip() and text.isprintable()


TEXT: forms.Json = {"type": "string"}
FormatName = Annotated[str, PlainValidator(_format_name), WithJsonSchema({**TEXT, "enum": [*formats]})]
Delimiter = Annotated[
    str,
    _text_of(f"one character that is no letter or digit, or one of {', '.join(DELIMITERS)}", _is_delimiter),
    WithJsonSchema({**TEXT, "minLength": 1}),
]
Encoding = Annotated[
    str,
    _text_of("the name of a text encoding, such as utf-8, utf-16, latin-1 or cp1252", is_text_encoding),
    WithJsonSchema({**TEXT, "minLength": 1}),
]
Header = Annotated[
    bool | int,
    PlainValidator(_header),
    WithJsonSchema(
        {"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 1, "maximum": MOST_HEADER_LINES}]}
    ),
]
Comment = Annotated[
    str,
    _text_of("what lines of comments begin with, such as '#'", _is_comment),
    WithJsonSchema({**TEXT, "minLength": 1, "maxLength": 20}),
]
Quote = Annotated[
    str,
    _text_of("one character that is no letter, digit or blank, or '' for none", _is_quote),
    WithJsonSchema({**TEXT, "maxLength": 1}),
]
NumberMark = Annotated[
    str,
    _text_of("one character that is no letter, digit or sign", is_mark),
    WithJsonSchema({**TEXT, "minLength": 1, "maxLength": 1}),
]
Markers = Annotated[tuple[Annotated[str, MaxLen(1000)], ...], at_most(MOST_MARKERS)]
Index = Annotated[
    bool | str,
    PlainValidator(_index),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {**TEXT, "minLength": 1}]}),
]
SheetOfWorkbook = Annotated[
    str | int,
    PlainValidator(_sheet),
    WithJsonSchema({"anyOf": [{**TEXT, "minLength": 1}, {"type": "integer", "minimum": 1}]}),
]

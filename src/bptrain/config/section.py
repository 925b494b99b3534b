"""The base class of every section of a config, and the types that sections share."""

from typing import Annotated, Any, Literal

from annotated_types import Interval, MinLen
from pydantic import BaseModel, BeforeValidator, Tag

from bptrain.config import part
from bptrain.config.part import MAX_ENTRIES

Count = Annotated[int, Interval(ge=1, le=10**9)]
Seed = Annotated[int, Interval(ge=0, le=2**63 - 1)]
Column = Annotated[str, MinLen(1)]
Auto = Annotated[Literal["auto"], Tag("<text>")]


def at_most(entries: int) -> BeforeValidator:
    """Refuses a list with more entries, before any of them is validated."""

    def check(value: Any) -> Any:
        if isinstance(value, tuple) and len(value) > entries:
            raise part.too_long(value, entries)
        return value

    return BeforeValidator(check)


FewEnough = at_most(MAX_ENTRIES)


def number_or_text(value: Any) -> str:
    """The tag of a key's value that is a word or a number."""
    return "<text>" if isinstance(value, str) else "<number>"


class Section(BaseModel):
    """Strict, frozen, and without keys that are not named here."""

    model_config = {**part.STRICT, "defer_build": True}

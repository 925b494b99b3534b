"""What every section of a config is, and the types that sections share."""

from typing import Annotated

from annotated_types import Interval, MinLen
from pydantic import BaseModel

from bptrain.config import part

Count = Annotated[int, Interval(ge=1, le=10**9)]
Column = Annotated[str, MinLen(1)]


class Section(BaseModel):
    """Strict, frozen, and without keys that are not named here."""

    model_config = {**part.STRICT, "defer_build": True}

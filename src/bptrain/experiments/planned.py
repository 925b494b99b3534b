"""A fit that is to be made with others: what it changes in the config that they share, and where its run lies."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.config.overrides import plain_overrides

Overrides = Sequence[str] | Mapping[str, Any]


class PlannedFit(NamedTuple):
    """One of several fits of a config."""

    name: str  # what messages call it, such as "fold 3"
    overrides: list[str] | dict[str, Any]  # in place of the config's values; plain JSON types
    out: Path  # its run directory
    goes_on: bool = False  # where it has been begun before, which it may not have been

    @property
    def resume(self) -> str | None:
        """What `fit_events` is to resume."""
        return "auto" if self.goes_on else None

    def to_json(self) -> dict[str, Any]:
        """The fit as plain JSON types."""
        return {**self._asdict(), "out": str(self.out)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "PlannedFit":
        """The fit that `to_json` wrote."""
        return cls(**{**record, "out": Path(record["out"])})


def changed(overrides: Overrides, changes: Mapping[str, Any]) -> list[str] | dict[str, Any]:
    """Overrides with some more, in the form that they have: texts of --set, or a mapping. Raises UsageError."""
    plain = plain_overrides(overrides)
    if isinstance(plain, dict):
        return {**plain, **changes}
    return [*plain, *(f"{key}={json.dumps(value)}" for key, value in changes.items())]

"""The section `ensemble` of a config, and the configs of its members."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Interval
from pydantic import Field

from bptrain.config.section import Section

if TYPE_CHECKING:
    from bptrain.config.schema import Config


class EnsembleConfig(Section):
    """Several networks that answer with their mean."""

    members: Annotated[int, Interval(ge=2, le=1000)] = Field(default=8, description="number of networks")
    by: Literal["seed", "fold"] = Field(
        default="seed",
        description="seed: all train on the same rows; fold: each validates with another part of the rows to train",
    )


def member_changes(config: "Config", number: int) -> dict[str, Any]:
    """What the config of a member, counted from 1, has otherwise than that of its ensemble, by dotted key.

    Each has a seed of its own, and all of them the split of the ensemble's.
    """
    assert config.ensemble is not None
    split = config.data.split
    changes: dict[str, Any] = {"ensemble": None, "seed": config.seed + number - 1}
    if split.seed is None and split.by != "hash" and "seed" not in split.idle:
        changes["data.split.seed"] = config.seed
    if config.ensemble.by == "fold":
        changes["data.split.validation_folds"] = config.ensemble.members
        changes["data.split.validation_fold"] = number
    return changes

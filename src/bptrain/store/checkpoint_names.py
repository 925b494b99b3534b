"""The names of checkpoints in a run."""

import re

STEP = re.compile(r"step-([0-9]{12,})\.safetensors")
DAMAGED = ".damaged"  # behind the name of one that was set aside


def step_name(updates: int) -> str:
    """The name of the checkpoint after that many updates."""
    return f"step-{updates:012d}.safetensors"


def update_of(name: str) -> int | None:
    """The update in the name of a checkpoint; None for any other name, however much it looks like one."""
    found = STEP.fullmatch(name)
    return int(found[1]) if found and step_name(int(found[1])) == name else None

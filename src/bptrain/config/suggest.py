"""The key or the value that was probably meant."""

import types
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from bptrain.config import names
from bptrain.config.schema import Config
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.schedules import schedules
from bptrain.registry import Registry

_PARTS: dict[str, Registry[Any]] = {"optimizer": methods, "loss": losses, "schedule": schedules}


def value(wrong: str, allowed: Iterable[str]) -> str | None:
    """The allowed value nearest to a wrong one."""
    allowed = list(allowed)
    lower = wrong.strip().lower()
    for foreign in (lower, lower.replace("-", "_").replace(" ", "_")):
        for meant in (foreign, *names.VALUES.get(foreign, ())):
            if meant in allowed:
                return meant
    return next(iter(get_close_matches(lower, allowed, 1)), None)


def key(wrong: str, section: str, siblings: Iterable[str]) -> str | None:
    """The key nearest to one that is unknown in `section`: bare within it, else dotted from the top."""
    siblings = list(siblings)
    lower = wrong.strip().lower().replace("-", "_")
    if lower in siblings:
        return lower
    meant = names.KEYS.get(lower)
    if meant in siblings:
        return meant
    if meant and "." in meant and meant.rpartition(".")[0] == section:
        last = meant.rpartition(".")[2]
        return last if section not in _PARTS or last in siblings else None  # which this part may not have
    for home, registry in _PARTS.items():
        if lower in registry:
            return f"name: {lower}" if home == section else f"{home}: {lower}"
    everywhere = _everywhere()
    if meant and ("." in meant or meant in everywhere):  # not an option of a part that is not here
        return meant
    if lower in everywhere:
        return everywhere[lower]
    near = get_close_matches(lower, siblings, 1) or get_close_matches(lower, everywhere, 1, 0.8)
    return (near[0] if near[0] in siblings else everywhere[near[0]]) if near else None


def keys(section: tuple[str | int, ...]) -> list[str]:
    """The keys of a section of the config."""
    model: type[BaseModel] | None = Config
    for step in section:
        field = model.model_fields.get(str(step)) if model else None
        model = _model(field.annotation) if field else None
    return list(model.model_fields) if model else []


@cache
def _everywhere() -> dict[str, str]:
    """Each key of the config, and where it belongs; the shallowest place first."""
    found: dict[str, str] = {}
    queue: list[tuple[str, type[BaseModel]]] = [("", Config)]
    for prefix, model in queue:
        for name, field in model.model_fields.items():
            found.setdefault(name, prefix + name)
            if inner := _model(field.annotation):
                queue.append((f"{prefix}{name}.", inner))
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    branches = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return next((b for b in branches if isinstance(b, type) and issubclass(b, BaseModel)), None)

"""Parts: a name, or {name: …} with the options of its factory."""

import inspect
from typing import Any

from bptrain.config.json_schema.types import Json, of_type
from bptrain.parts.describe import KINDS, beside, formula
from bptrain.registry import Option, Registry

AUTO = "chosen by bptrain"


def part(kind: str, also: tuple[str, ...] = (), default: str | None = None) -> Json:
    """A part of a kind of `listing.KINDS`; `default` is what a mapping without a name has options of."""
    registry = KINDS[kind]
    said = {**dict.fromkeys(also, AUTO), **{name: formula(registry, name) for name in registry}}
    name: Json = {"type": "string", "enum": list(said), "enumDescriptions": list(said.values())}
    return {
        "anyOf": [
            name,
            *(with_options(kind, registry, each, text, each == default) for each, text in said.items()),
        ]
    }


def with_options(kind: str, registry: Registry[Any], name: str, text: str, nameless: bool) -> Json:
    """One part as a mapping."""
    options = {**registry.options(name), **beside(kind, name)} if name in registry else {}
    required = [key for key, option in options.items() if option.default is inspect.Parameter.empty]
    properties: Json = {"name": {"const": name, "description": text}}
    properties |= {key: of_option(option) for key, option in options.items()}
    return {
        "type": "object",
        "description": text,
        "properties": properties,
        "required": required if nameless else ["name", *required],
        "additionalProperties": False,
    }


def of_option(option: Option) -> Json:
    """One option of a part, with its default."""
    schema = of_type(option.annotation)
    if option.default is inspect.Parameter.empty:
        return schema
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    return {**schema, "default": default}

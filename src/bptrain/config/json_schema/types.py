"""Annotations of Python to JSON Schema."""

from collections.abc import Callable, Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Interval, MinLen

Json = dict[str, Any]
TYPES = {float: "number", int: "integer", bool: "boolean", str: "string", NoneType: "null"}
BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def of_type(annotation: Any, section: Callable[[Any], Json] | None = None) -> Json:
    """The schema of a type; `section` is what makes one of a class of keys."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bare, *constraints = inner
        return bounded(of_type(bare, section), constraints)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        return either(*(of_type(branch, section) for branch in inner))
    if origin is tuple and inner[-1] is Ellipsis:
        return {"type": "array", "items": of_type(inner[0], section)}
    if origin is tuple:
        entries = [of_type(entry, section) for entry in inner]
        return {"type": "array", "items": entries, "additionalItems": False, "minItems": len(entries)}
    if origin is dict:
        return {"type": "object", "additionalProperties": of_type(inner[1], section)}
    if annotation in TYPES:
        return {"type": TYPES[annotation]}
    assert section is not None, annotation
    return section(annotation)


def bounded(schema: Json, constraints: Iterable[Any]) -> Json:
    """A schema with the bounds of its annotation."""
    for constraint in constraints:
        if isinstance(constraint, Interval):
            limits = {word: getattr(constraint, key) for key, word in BOUNDS.items()}
            schema = {**schema, **{word: limit for word, limit in limits.items() if limit is not None}}
        elif isinstance(constraint, MinLen):
            schema = {
                **schema,
                "minItems" if schema["type"] == "array" else "minLength": constraint.min_length,
            }
    return schema


def either(*branches: Json) -> Json:
    """One of several schemas; plain types and choices are put together, and a choice among choices is one choice."""
    flat = [
        one for branch in branches for one in (branch["anyOf"] if branch.keys() == {"anyOf"} else [branch])
    ]
    if all(branch.keys() == {"enum"} or branch == {"type": "null"} for branch in flat):
        return {"enum": [choice for branch in flat for choice in branch.get("enum", [None])]}
    if all(branch.keys() == {"type"} for branch in flat):
        return {"type": [branch["type"] for branch in flat]}
    return {"anyOf": flat}


def one_or_list(entry: Json) -> Json:
    """One value for all, or a list."""
    return either(entry, {"type": "array", "items": entry})

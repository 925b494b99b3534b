"""Whether the signature of a plug-in's factory can be the options of a part."""

import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

PLAIN = (float, int, bool, str, NoneType)
NAMELESS = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
    inspect.Parameter.POSITIONAL_ONLY: "",
}


def wrong_option(factory: Callable[..., Any], taken: tuple[str, ...]) -> str | None:
    """What is wrong with the options of a factory, the end of a sentence; None where nothing is."""
    try:
        hints = get_type_hints(factory, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:  # of a type that is written as text
        return f"has a type that cannot be read: {error}"
    for option in inspect.signature(factory).parameters.values():
        name = option.name
        if option.kind in NAMELESS:
            return f"has {NAMELESS[option.kind]}{name}, and options are given by name: write each of them out"
        if name == "name" or name in taken:
            return f"has an option {name}, which is a key that bptrain reads itself: rename it"
        if name not in hints:
            return (
                f"has an option {name} without a type: write {name}: float = …, or a type of bptrain.plugins"
            )
        if not is_type_of_option(hints[name]):
            return (
                f"has an option {name} of a type that YAML cannot give: use float, int, bool, str, a Literal, a "
                "tuple of these, or a type of bptrain.plugins"
            )
        if option.default is inspect.Parameter.empty:
            return f"has an option {name} without a default, and gradcheck tries every part with its defaults"
    return None


def is_type_of_option(annotation: Any) -> bool:
    """Whether a config can give a value of that type."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return is_type_of_option(inner[0])
    if origin is Literal:
        return all(type(choice) in PLAIN for choice in inner)
    if origin in (Union, UnionType):
        return all(is_type_of_option(branch) for branch in inner)
    if origin is tuple:
        return bool(inner) and all(entry is Ellipsis or is_type_of_option(entry) for entry in inner)
    return annotation in PLAIN

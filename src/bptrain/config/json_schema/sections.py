"""The sections of a config: their keys, in the forms in which they may be written."""

from collections.abc import Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Annotated, Any

from bptrain.config import from_plain, to_plain
from bptrain.config.json_schema.parts import part
from bptrain.config.json_schema.types import Json, either, of_type, one_or_list
from bptrain.config.schema import Config, Every, Source
from bptrain.config.section import Section
from bptrain.errors import WARNINGS

# The least that is a config: every other key of it is a default.
LEAST: Json = {
    "data": {"train": "a.csv", "target": "y"},
    "network": {"sizes": ["auto", "auto"]},
    "loss": "half_squared_error",
}
GIVEN = ("data.train", "data.target", "network.sizes", "loss")  # in it, so that they have no default
FILLED_IN = ("bias", "initializer")  # which the model requires, and `normalize` gives
EMPTY = ("training", "checkpoint", "training.stop_at", "training.penalty")  # may be empty
TEXT: Json = {"type": "string", "minLength": 1}
TEXTS: Json = {"type": "array", "items": TEXT}
NULL: Json = {"type": "null"}
PARTS: dict[str, Json] = {  # name of a definition -> arguments of `part`
    "activation": {"kind": "activations"},
    "initializer": {"kind": "initializers", "also": ("auto",)},
    "loss": {"kind": "losses"},
    "metric": {"kind": "metrics"},
    "optimizer": {"kind": "optimizers", "default": "gradient_descent"},
    "schedule": {"kind": "schedules", "default": "constant"},
    "scaler": {"kind": "scalers", "default": "standard"},
    "target_scaler": {"kind": "scalers", "also": ("auto",)},
}


def definitions() -> Json:
    """Every kind of part, by name."""
    return {name: part(**arguments) for name, arguments in PARTS.items()}


def a(name: str) -> Json:
    """A definition."""
    return {"$ref": f"#/definitions/{name}"}


def forms() -> dict[str, Json]:
    """The keys that may be written in another form than the model's."""
    source = {"anyOf": [TEXT, section(Source, "data.train")]}
    share = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
    warnings = {"enum": list(WARNINGS), "enumDescriptions": list(WARNINGS.values())}
    return {
        "format": {"enum": [1]},
        "data.train": source,
        "data.validation": either(source, NULL),
        "data.test": either(source, NULL),
        "data.target": either(TEXT, {**TEXTS, "minItems": 1}, NULL),
        "data.features": either(TEXT, {**TEXTS, "minItems": 1}),
        "data.scale": either(a("scaler")),
        "data.scale_target": either(a("target_scaler")),
        "network.activations": either(one_or_list(a("activation")), NULL),
        "network.bias": one_or_list({"type": ["boolean", "number"]}),
        "network.initializer": one_or_list(a("initializer")),
        "network.dropout": either(one_or_list(share), NULL),
        "loss": either(a("loss")),
        "optimizer": either(a("optimizer")),
        "schedule": either(a("schedule")),
        "metrics": either({"enum": ["auto"]}, one_or_list(a("metric"))),
        "checkpoint.every": either({"enum": ["auto"]}, section(Every, "checkpoint.every")),
        "silence": one_or_list(warnings),
    }


def config_section() -> Json:
    """The whole config."""
    return section(Config, "", forms())


def section(model: Any, path: str, other_forms: Mapping[str, Json] = MappingProxyType({})) -> Json:
    """A mapping of keys, each with what it is for and its default."""
    properties: Json = {}
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        if here in other_forms:
            made = other_forms[here]
        else:
            made = of_type(annotation, partial(section, path=here, other_forms=other_forms))
        properties[name] = {**made, **about(field, here, made)}
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    return {
        "type": ["object", "null"] if path in EMPTY else "object",
        "description": said_of(model),
        "properties": properties,
        "required": [name for name in required if name not in FILLED_IN],
        "additionalProperties": False,
    }


def about(field: Any, path: str, schema: Json) -> Json:
    """What a key is for, and its default, if it has one that is written in a line."""
    said = {"description": field.description} if field.description else {}
    if path in GIVEN or "properties" in schema:
        return said
    *steps, last = path.split(".")
    section: Any = defaults()
    for step in steps:
        section = section.get(step) or {}
    if last in section:
        value = section[last]
    elif field.is_required():
        return said
    else:  # left out, or of a section that is not there unless asked for
        value = field.default
    if isinstance(value, dict) and "name" in value:
        value = value["name"]  # with the defaults of its options
    return {**said, "default": value}


def said_of(model: type[Section]) -> str:
    """What a section is for: the first line of its docstring."""
    return (model.__doc__ or "").splitlines()[0].rstrip(".")


@cache
def defaults() -> Json:
    """The least config with every default filled in."""
    plain = to_plain(from_plain(LEAST, "defaults"))
    plain["training"]["batch_size"] = None  # which is 32 in minibatch mode alone
    plain["network"]["dropout"] = None
    return plain

"""Every key of a config with its default and what it is for, written out of the JSON Schema."""

from collections.abc import Iterator
from typing import Any

from bptrain.commands.init.config_text import aligned, flow
from bptrain.config import from_plain, to_plain
from bptrain.config.json_schema import config_schema

LISTS = {  # definition -> what lists its parts
    "activation": "activations", "initializer": "initializers", "loss": "losses", "metric": "metrics",
    "optimizer": "optimizers", "schedule": "schedules", "scaler": "scalers", "target_scaler": "scalers",
    "embedding": "embeddings",
}  # fmt: skip
BOUNDS = {"exclusiveMinimum": "> ", "minimum": "≥ ", "exclusiveMaximum": "< "}
HEAD = """\
# Every key of a config. The values are the defaults, except those of data.train, data.target, network.sizes and loss,
# which must be given. Keys in comments are off by default.
"""
Json = dict[str, Any]
Line = tuple[str, str]  # and its comment


def full_config(data: str, target: str) -> str:
    """A config that says everything, for a table of classes."""
    given: Json = {
        "data": {"train": data, "target": target},
        "network": {"sizes": ["auto", 8, "auto"]},
        "loss": "cross_entropy",
    }
    values = to_plain(from_plain(given, "full"))
    values["training"]["batch_size"] = values["network"]["dropout"] = None
    schema = config_schema()
    return HEAD + "\n".join(aligned(keys(schema, values, schema["definitions"]))) + "\n"


def keys(schema: Json, values: Json, parts: Json) -> Iterator[Line]:
    """The keys of a section; those of sections within it are further to the right."""
    for name, key in schema["properties"].items():
        branches = (key, *key.get("anyOf", ()))
        inner = next((branch for branch in branches if "properties" in branch), None)
        kind = next((branch["$ref"].rpartition("/")[2] for branch in branches if "$ref" in branch), None)
        value = values.get(name, key.get("default"))
        said = about(key, kind)
        if isinstance(value, dict) and kind is not None:
            yield f"{name}:", said
            yield from (indented(line) for line in part(value, parts[kind]))
        elif isinstance(value, dict) and inner is not None:
            yield f"{name}:", said
            yield from (indented(line) for line in keys(inner, value, parts))
        elif name in schema.get("required", ()) and name not in values:
            yield f"{name}:", f"{said}; must be given"
        else:
            yield f"{name}: {flow(value)}", said
            if value is None and inner is not None and "inputs" not in inner["properties"]:
                yield from ((f"#  {line}", what) for line, what in keys(inner, {}, parts))


def part(value: Json, definition: Json) -> Iterator[Line]:
    """A part with every option."""
    branch = next(
        branch
        for branch in definition["anyOf"]
        if branch.get("properties", {}).get("name", {}).get("const") == value["name"]
    )
    yield f"name: {flow(value['name'])}", branch["description"]
    for name, option in branch["properties"].items():
        if name != "name":
            yield f"{name}: {flow(value.get(name, option.get('default')))}", allowed(option)


def indented(line: Line) -> Line:
    """A line of a section within a section; what is in a comment already stays behind its #."""
    return f"  {line[0]}", line[1]


def about(key: Json, kind: str | None) -> str:
    """What a key is for, and what it may be."""
    listed = f"`bptrain list {LISTS[kind]}`" if kind is not None else allowed(key)
    return "; ".join(text for text in (key.get("description", ""), listed) if text)


def allowed(key: Json) -> str:
    """The choices, or the bounds of a number, in words."""
    if "enum" in key and len(key["enum"]) > 1:
        return " | ".join(map(flow, key["enum"]))
    limits = [f"{sign}{key[word]:g}" for word, sign in BOUNDS.items() if word in key]
    return ", ".join(limits)

"""The JSON Schema (draft 7) of a config: pydantic's own of the models, with the parts that are registered now.

It knows the forms in which a config may be written (`config.forms`): a name in place of a part, one value in the
place of a list with one per layer. What it refuses, `load_config` refuses; rules between keys, and much else, only
`load_config` knows.
"""

import inspect
import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from bptrain.config.forms import Json, choice, either
from bptrain.config.schema import Config
from bptrain.config.section import Section
from bptrain.parts.describe import KINDS, beside, formula
from bptrain.registry import Option, Registry

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLE = "bptrain config"
PARTS: dict[str, Json] = {  # name of a definition -> arguments of `part`
    "activation": {"kind": "activations"},
    "initializer": {"kind": "initializers", "auto": True},
    "loss": {"kind": "losses"},
    "metric": {"kind": "metrics"},
    "optimizer": {"kind": "optimizers", "default": "gradient_descent"},
    "schedule": {"kind": "schedules", "default": "constant"},
    "scaler": {"kind": "scalers", "default": "standard"},
    "embedding": {"kind": "embeddings", "default": "periodic"},
    "target_scaler": {"kind": "scalers", "auto": True},
}


def config_schema() -> Json:
    """The schema, with the parts that are registered now."""
    definitions = {name: part(**arguments) for name, arguments in PARTS.items()}
    return {"$schema": DRAFT, "title": TITLE, **of_type(Config), "definitions": definitions}


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps(config_schema(), indent=1, ensure_ascii=False) + "\n"


@cache
def of_type(annotation: Any) -> Json:
    """The schema of what an annotation validates."""
    return _Draft7().generate_inner(TypeAdapter(annotation).core_schema)


def part(kind: str, auto: bool = False, default: str | None = None) -> Json:
    """A part of a kind: a name, or a mapping with options; one without a name has the options of `default`."""
    registry = KINDS[kind]
    texts = {"auto": "chosen by bptrain"} if auto else {}
    texts |= {name: formula(registry, name) for name in registry}
    mappings = (with_options(kind, registry, name, text, name == default) for name, text in texts.items())
    return either(choice(texts), *mappings)


def with_options(kind: str, registry: Registry[Any], name: str, text: str, nameless: bool) -> Json:
    """One part as a mapping."""
    options = {**registry.options(name), **beside(kind, name)} if name in registry else {}
    required = [key for key, option in options.items() if option.default is inspect.Parameter.empty]
    return {
        "type": "object",
        "description": text,
        "properties": {
            "name": {"const": name, "description": text},
            **{key: of_option(option) for key, option in options.items()},
        },
        "required": required if nameless else ["name", *required],
        "additionalProperties": False,
    }


def of_option(option: Option) -> Json:
    """One option of a part, with its default."""
    schema = of_type(option.annotation)
    return (
        schema if option.default is inspect.Parameter.empty else {**schema, "default": plain(option.default)}
    )


def plain(default: Any) -> Any:
    """A default as a config writes it: a part by its name, with the defaults of its options."""
    if hasattr(default, "options"):
        return default.name
    return list(default) if isinstance(default, tuple) else default


class _Draft7(GenerateJsonSchema):
    """pydantic's schema in draft 7: sections in place, as $ref has no neighbors there; no titles; all defaults."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def definitions_schema(self, schema: Any) -> Json:
        self.shared = {inner["ref"]: inner for inner in schema["definitions"]}
        return self.generate_inner(schema["schema"])

    def definition_ref_schema(self, schema: Any) -> Json:
        return self.generate_inner(self.shared[schema["schema_ref"]])

    def generate_inner(self, schema: Any) -> Json:
        return super().generate_inner({key: value for key, value in schema.items() if key != "ref"})

    def model_schema(self, schema: Any) -> Json:
        made = super().model_schema(schema)
        del made["title"]
        made["description"] = made["description"].splitlines()[0].rstrip(".")
        given = (name for name in made.get("required", ()) if "default" not in made["properties"][name])
        return {**made, "required": list(given)}

    def default_schema(self, schema: Any) -> Json:
        made = self.generate_inner(schema["schema"])
        default = schema["default_factory"]() if "default_factory" in schema else schema["default"]
        return made if isinstance(default, Section) else {**made, "default": plain(default)}

    def nullable_schema(self, schema: Any) -> Json:
        return either(super().nullable_schema(schema))

    def tagged_union_schema(self, schema: Any) -> Json:
        return either(*super().tagged_union_schema(schema)["oneOf"])

    def literal_schema(self, schema: Any) -> Json:
        return {"enum": list(schema["expected"])}

    def tuple_schema(self, schema: Any) -> Json:
        made = super().tuple_schema(schema)
        if "prefixItems" in made:  # which draft 7 calls by another name
            made["items"] = made.pop("prefixItems")
        return made

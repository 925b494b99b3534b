"""The other forms in which a key may be written, and which `normalize` brings to the one that the schema validates.

They are next to the validators in the annotations of the schema, validate nothing, and change only the JSON Schema.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import GetJsonSchemaHandler, WithJsonSchema

Json = dict[str, Any]


class Form(NamedTuple):
    """Makes the JSON Schema of what may be written from that of what is validated."""

    written: Callable[[Json], Json]

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> Json:
        return self.written(handler(core))


def either(*branches: Json) -> Json:
    """One of several schemas; a choice among choices is one choice."""
    return {"anyOf": [one for branch in branches for one in branch.get("anyOf", [branch])]}


def part_of(definition: str) -> WithJsonSchema:
    """A part: its name alone, or a mapping with options."""
    return WithJsonSchema({"anyOf": [{"$ref": f"#/definitions/{definition}"}]})


def choice(texts: dict[str, str]) -> Json:
    """One of several names, each with what it means."""
    return {"type": "string", "enum": list(texts), "enumDescriptions": list(texts.values())}


def without_default(schema: Json) -> None:
    """For a key whose default is not right in every config."""
    del schema["default"]


def _kinds_of(column: Json) -> Json:
    kinds = column["properties"]["kind"]
    return next(branch for branch in kinds.get("anyOf", [kinds]) if "enum" in branch)


AUTO: Json = {"enum": ["auto"]}
NULL: Json = {"type": "null"}
PATH: Json = {"type": "string", "minLength": 1}

PLACE: Json = {"type": "integer", "minimum": 1}  # of a column in a file without a header


def _listing_places(schema: Json) -> Json:
    """A list of columns, each by its name or its place; perhaps one of several branches."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_listing_places(branch) for branch in schema["anyOf"]]}
    return {**schema, "items": either(schema["items"], PLACE)} if schema.get("type") == "array" else schema


of_places = Form(_listing_places)
or_place = Form(lambda schema: either(schema, PLACE))
one_or_list = Form(lambda schema: either(schema["items"], schema))  # one value for all
or_auto = Form(lambda schema: either(AUTO, schema))
or_none = Form(lambda schema: either({"enum": ["none"]}, schema))
or_null = Form(lambda schema: either(schema, NULL))
or_empty = Form(lambda section: {**section, "type": ["object", "null"]})  # a section without a key
or_kind = Form(lambda schema: either(_kinds_of(schema), schema))  # of a column
or_path = Form(lambda schema: either(PATH, {"type": "array", "items": PATH, "minItems": 1}, schema))
first_branch = Form(
    lambda schema: (schema.get("anyOf") or schema["oneOf"])[0]
)  # the others only a run writes
auto_for_null = Form(lambda schema: either(AUTO, *(one for one in schema["anyOf"] if one != NULL)))

"""The JSON Schema (draft 7) of a config, made from the schema's models and the signatures of the parts.

It knows the forms in which a config may be written, which `config.normalize` brings to one: a name in the place of a
part, one value in the place of a list with one a layer. What it refuses, `load_config` refuses; rules that join keys,
and much else, only `load_config` knows.
"""

import json
from typing import Any

from bptrain.config.json_schema.sections import config_section, definitions

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLE = "bptrain config"


def config_schema() -> dict[str, Any]:
    """The schema, with the parts that are registered now."""
    return {"$schema": DRAFT, "title": TITLE, **config_section(), "definitions": definitions()}


def schema_text() -> str:
    """The schema as a file."""
    return json.dumps(config_schema(), indent=1, ensure_ascii=False) + "\n"

"""What `bptrain init` writes: a config, the schema that its first line names, and the data of a template."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bptrain.build.setup import open_loaded
from bptrain.commands.validate.validate import Validated, validated
from bptrain.config import Loaded, validate
from bptrain.config.document import load_text
from bptrain.config.json_schema import TITLE, schema_text
from bptrain.drain import drain
from bptrain.errors import UsageError
from bptrain.store.atomic import storage, write_atomically

SCHEMA = (
    "bptrain.schema.json"  # next to the config, so that editors find it offline and it moves with the config
)


class Written(NamedTuple):
    """The files that were written."""

    config: Path
    schema: Path
    data: tuple[Path, ...] = ()


def validate_draft(text: str, output: Path) -> Validated:
    """The validation of a config that is not written yet. Raises what `bptrain validate` would."""
    document = load_text(text, str(output))
    loaded = Loaded(validate(document), document, output.absolute())
    return drain(validated(open_loaded(loaded)))


def refuse_to_overwrite(output: Path, data: Mapping[str, bytes], force: bool) -> None:
    """Raises UsageError where a file is there that init did not write, or that is a config, unless by `force`."""
    if force:
        return
    with storage(output, "look for"):
        if output.exists():
            raise UsageError(f"{output} already exists: --force overwrites it, --output FILE names another")
        schema = output.parent / SCHEMA
        if schema.exists() and not is_ours(schema):
            raise UsageError(
                f"{schema} already exists and is not a schema of bptrain's: --force overwrites it"
            )
        for name, content in data.items():
            file = output.parent / name
            if file.exists() and file.read_bytes() != content:
                raise UsageError(f"{file} already exists with other content: --force overwrites it")


def is_ours(schema: Path) -> bool:
    """Whether a file is a schema that init wrote."""
    try:
        return bool(json.loads(schema.read_text(encoding="utf-8"))["title"] == TITLE)
    except (ValueError, KeyError, TypeError):
        return False


def write(text: str, output: Path, data: Mapping[str, bytes]) -> Written:
    """Writes the data of a template, the schema, and last the config. Raises StorageError."""
    schema = output.parent / SCHEMA
    for name, content in data.items():
        write_atomically(output.parent / name, [content])
    write_atomically(schema, [schema_text().encode()])
    write_atomically(output, [text.encode()])
    return Written(output, schema, tuple(output.parent / name for name in data))

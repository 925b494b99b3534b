"""`bptrain schema`: the JSON Schema of a config."""

from typing import TYPE_CHECKING

from bptrain.cli.command import command

if TYPE_CHECKING:
    from bptrain.console.terminal.screen import Screen


@command("schema", "Print the JSON Schema of configs, for editors.", plugins=True)
def schema_command(screen: "Screen") -> None:
    """Print the JSON Schema (draft 7) of a config, for editors: keys, types, bounds, defaults, and every part.

    With --json the schema is the field "schema" of the one object. The first line of a config points to it:
    # yaml-language-server: $schema=bptrain.schema.json; `bptrain init` writes both.

    \b
    Examples:
      bptrain schema > bptrain.schema.json
      bptrain schema --plugin my_parts.py > bptrain.schema.json
    """
    from bptrain.config.json_schema import config_schema, schema_text

    screen.text(schema_text().rstrip("\n"))
    screen.record({"schema": config_schema()})

"""Makes src/bptrain/cli/words.json, which shell completion reads: `python dev/completion_words.py`; --check only tells
that it is stale, by exit code 1.

The commands and their options are read from the signatures of their functions, config keys from the schema, part names
and options from the registries.
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from bptrain.cli.completing import WORDS
from bptrain.cli.completion import SCRIPTS
from bptrain.cli.main import app
from bptrain.config.schema import Config
from bptrain.errors import WARNINGS
from bptrain.parts.describe import KINDS, beside
from bptrain.plugins.records import NAMED

# What the words of an argument are that is not a file; by the name of the function's parameter.
ARGUMENTS = {"run": "run", "subject": "run", "kind": "kind", "shell": "shell"}
OPTIONS = {
    "set_": "set", "split": ["train", "validation", "test"], "checkpoint": ["best", "last"], "resume": "resume",
}  # fmt: skip
ALSO_AUTO = ("network.initializer", "data.scale_target")  # keys that may be auto in the place of a part
LISTS = ("metrics",)  # of parts, whose options --set reaches only by their place in the list
VALUES = {"silence": list(WARNINGS), "data.features": ["all"]}


def words() -> dict[str, Any]:
    """Everything that completion knows."""
    return {
        "commands": dict(commands(app)),
        "keys": dict(sorted(keys().items())),
        "kinds": list(KINDS),
        "shells": list(SCRIPTS),
    }


def commands(of: Typer, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The commands of an application and of its groups."""
    for info in of.registered_commands:
        assert info.name is not None
        assert info.callback is not None
        yield prefix + info.name, command(info.callback)
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, f"{prefix}{group.name} ")


def command(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments and options of one command."""
    hints = get_type_hints(function, include_extras=True)
    arguments: list[Any] = []
    options: dict[str, Any] = {}
    for name in inspect.signature(function).parameters:
        annotation, info = get_args(hints[name])[:2]
        if isinstance(info, ArgumentInfo):
            arguments.append(ARGUMENTS.get(name, "file"))
        elif isinstance(info, OptionInfo):
            takes = "" if annotation is bool else OPTIONS.get(name) or choices(annotation) or "file"
            declared = [f"--{name.strip('_').replace('_', '-')}"]
            if info.default is not ... and isinstance(
                info.default, str
            ):  # the first of Option("--json", "-j", …)
                declared = [info.default]
            declared += list(info.param_decls or ())
            for spelling in declared:
                if spelling.startswith("--"):
                    options[spelling] = {"help": info.help or "", "takes": takes}
    options["--help"] = {"help": "Show help.", "takes": ""}
    return {
        "help": (inspect.getdoc(function) or "").splitlines()[0],
        "arguments": arguments,
        "options": options,
    }


def keys() -> dict[str, list[str]]:
    """Every key of a config that --set takes, with the values it may have, where these can be listed."""
    found = dict(section(Config, ""))
    kind_of = {registry.kind: kind for kind, registry in KINDS.items()}
    for key, kind in NAMED:
        registry, plural = KINDS[kind_of[kind]], kind_of[kind]
        names = [*(["auto"] if key in ALSO_AUTO else []), *registry]
        found[key] = names
        if key in LISTS:
            continue
        found[f"{key}.name"] = names
        for part in registry:
            for option, of in {**registry.options(part), **beside(plural, part)}.items():
                found[f"{key}.{option}"] = choices(of.annotation)
    return found | VALUES


def section(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, list[str]]]:
    """The keys of a section and of the sections in it."""
    for name, field in model.model_fields.items():
        inner = [
            one for one in branches(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        if inner:
            yield from section(inner[0], f"{prefix}{name}.")
        if not inner or name in ("train", "validation", "test"):  # a path stands for {inputs: path}
            yield prefix + name, choices(field.annotation)


def branches(annotation: Any) -> Iterator[Any]:
    """The types of a union, and what stands in Annotated, one by one."""
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from branches(one)
    elif get_origin(annotation) is Annotated:
        yield from branches(get_args(annotation)[0])
    else:
        yield annotation


def choices(annotation: Any) -> list[str]:
    """The values that can be listed."""
    found: list[str] = []
    for one in branches(annotation):
        if get_origin(one) is Literal:
            found += [str(choice) for choice in get_args(one)]
        elif one is bool:
            found += ["true", "false"]
    return found


def text() -> str:
    """The file."""
    return json.dumps(words(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the file, or tells that it is stale."""
    if arguments == ["--check"]:
        return int(WORDS.read_text(encoding="utf-8") != text())
    WORDS.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

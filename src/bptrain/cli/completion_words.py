"""The words that shell completion offers, read from the package itself: commands, options, config keys, part names.

Commands and their options are read from the signatures of their functions, config keys from the schema, part names and
options from the registries.
"""

import inspect
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from bptrain.cli.application import application
from bptrain.cli.completion import SCRIPTS
from bptrain.config.schema import Config
from bptrain.errors import WARNINGS
from bptrain.parts.describe import KINDS, beside
from bptrain.plugins.records import NAMED

ALSO_AUTO = ("network.initializer", "data.scale_target")  # keys that may be auto in place of a part
LISTS = ("metrics",)  # of parts, whose options --set reaches only by their place in the list
VALUES = {"silence": list(WARNINGS), "data.features": ["all"]}


def make_words() -> dict[str, Any]:
    """Everything that completion knows; `completing.py` shows the form."""
    return {
        "commands": dict(commands(application())),
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
    arguments: list[str] = []
    options: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        annotation, info = get_args(parameter.annotation)[:2]
        if isinstance(info, ArgumentInfo):
            arguments.append(takes(annotation, info))
        elif isinstance(info, OptionInfo):
            # the names of Option("--json", "-j", …), of which the first is kept as a default; else the parameter's
            named = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
            for spelling in named or [f"--{name.replace('_', '-')}"]:
                if spelling.startswith("--"):
                    options[spelling] = {
                        "help": info.help or "",
                        "takes": "" if annotation is bool else takes(annotation, info),
                    }
    options["--help"] = {"help": "Show help.", "takes": ""}
    return {
        "help": (inspect.getdoc(function) or "").splitlines()[0],
        "arguments": arguments,
        "options": options,
    }


def takes(annotation: Any, info: ArgumentInfo | OptionInfo) -> str:
    """What an argument or option takes, as its help shows it: RUN, auto|RUN, best|last|PATH, KEY=VALUE."""
    return "|".join(choices(annotation)) or info.metavar or "PATH"


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


def section(model: Any, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """The keys of a section and of the sections in it."""
    for name, field in model.model_fields.items():
        inner = [one for one in branches(field.annotation) if hasattr(one, "model_fields")]
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

"""What `bptrain list` shows: every part of a kind with its formula and options, read from the registries."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Interval

from bptrain.config import shown
from bptrain.config.suggestions import suggest
from bptrain.errors import Problem, UsageError
from bptrain.parts.describe import KINDS, beside, formula
from bptrain.plugins.loading import origin
from bptrain.registry import Option, Registry

_TYPES = {float: "number", int: "whole number", bool: "true or false", str: "text", NoneType: "null"}
_BOUNDS = (("gt", "> "), ("ge", "≥ "), ("lt", "< "), ("le", "≤ "))


class OptionRecord(NamedTuple):
    """One option: what values it takes, and its default."""

    name: str
    type: str  # in words, such as "number" or "mean | sum"
    bounds: str | None  # of the number, or of each in a list: "≥ 0", "> 0, < 1"
    required: bool
    default: Any  # None where it must be given

    @property
    def text(self) -> str:
        """The option in one phrase."""
        allowed = self.type if self.bounds is None else f"{self.type}, {self.bounds}"
        return f"{self.name}: {allowed}" + ("" if self.required else f"; default {written(self.default)}")


class PartRecord(NamedTuple):
    """One part, as its factory describes it."""

    name: str
    formula: str
    options: tuple[OptionRecord, ...]
    plugin: str | None = None  # the file that it comes from; None for a part of bptrain's own

    def record(self) -> dict[str, Any]:
        """The part in list's JSON."""
        return {**self._asdict(), "options": [option._asdict() for option in self.options]}


def list_parts(kind: str | None = None) -> dict[str, tuple[PartRecord, ...]]:
    """The parts of one kind (in the plural, a key of KINDS), or of all. Raises UsageError for another word."""
    if kind is not None and kind not in KINDS:
        message = f"{shown(kind)} is not a kind of part: choose one of {', '.join(KINDS)}"
        raise UsageError(Problem("wrong_choice", message, suggestion=suggest.value(kind, KINDS)))
    wanted = KINDS if kind is None else {kind: KINDS[kind]}
    return {
        name: tuple(describe(registry, part, beside(name, part)) for part in registry)
        for name, registry in wanted.items()
    }


def describe(registry: Registry[Any], name: str, more: Mapping[str, Option]) -> PartRecord:
    """One part, with the options of its factory and those that its kind adds."""
    options = {**registry.options(name), **more}
    records = tuple(option_record(key, option) for key, option in options.items())
    plugin = origin(registry.kind, name)
    return PartRecord(name, formula(registry, name), records, None if plugin is None else plugin.file)


def option_record(name: str, option: Option) -> OptionRecord:
    """An option in words, from the annotation of its argument."""
    branches = [_branch(branch) for branch in _branches(option.annotation)]
    kinds = dict.fromkeys(kind for kind, _ in branches)
    bounds = dict.fromkeys(bound for _, bound in branches if bound)
    required = option.default is inspect.Parameter.empty
    return OptionRecord(
        name, " or ".join(kinds), " or ".join(bounds) or None, required, None if required else option.default
    )


def written(value: Any) -> str:
    """A value as one writes it in YAML."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(entry) for entry in value)}]"
    return value if isinstance(value, str) else shown(value)


def _branches(annotation: Any) -> Sequence[Any]:
    """The types of a union; the type itself where it is none."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _branch(annotation: Any) -> tuple[str, str]:
    """A type in words, and its bounds."""
    if get_origin(annotation) is Annotated:
        bare, *constraints = get_args(annotation)
        return _branch(bare)[0], _bounds(constraints)
    if get_origin(annotation) is Literal:
        return " | ".join(written(choice) for choice in get_args(annotation)), ""
    if get_origin(annotation) is dict:
        return "mapping of labels to numbers", ""
    if get_origin(annotation) is tuple:
        entries = get_args(annotation)
        kind, bounds = _branch(entries[0])
        if entries[-1] is Ellipsis:
            return f"list of {kind}s", bounds
        return f"list of {len(entries)} {kind}s", bounds
    return _TYPES.get(annotation, getattr(annotation, "__name__", str(annotation))), ""


def _bounds(constraints: Iterable[Any]) -> str:
    """The bounds of a number, such as "≥ 0, < 1"."""
    limits = [limit for limit in constraints if isinstance(limit, Interval)]
    return ", ".join(
        f"{sign}{written(getattr(limit, key))}"
        for limit in limits
        for key, sign in _BOUNDS
        if getattr(limit, key) is not None
    )

"""The options of a part, validated by the signature of its factory.

A part is found in its registry when a config names it, and a pydantic model of its options is made only when a config
gives options. So a part that was registered a moment ago, in a test or by a plug-in, needs nothing here, and a part
that is not used costs nothing. Options in addition to the factory's are declared in `parts/describe.py`.
"""

import inspect
import types
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    ValidationError,
    create_model,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from bptrain.config.yaml.places import MAX_PROBLEMS
from bptrain.parts.describe import BESIDE, Beside, beside_options
from bptrain.registry import Factory, Option, Registry

MAX_ENTRIES = 500  # of a list of parts or options, so layers too: each is checked by itself
STRICT = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class PartConfig(NamedTuple):
    """A part by name, with every option of its factory: `registry.get(name)(**options)` makes it.

    An additional option is an attribute too, such as `loss.reduction`; None where the part takes none.
    """

    name: str
    options: dict[str, Any]
    beside: dict[str, Any] = {}  # noqa: RUF012 (never changed)

    def __getattr__(self, name: str) -> Any:
        """An option in addition to the factory's. Raises AttributeError."""
        if name not in self.beside:
            raise AttributeError(f"{self.name} has no additional option {name}")
        return self.beside[name]


def part(registry: Registry[Any], also: tuple[str, ...] = ()) -> PlainValidator:
    """A validator of `{name: …, options}`; the names in `also` are no parts, and take no options."""
    return PlainValidator(lambda value: part_config(registry, value, also))


def part_config(registry: Registry[Any], value: Any, also: tuple[str, ...] = ()) -> PartConfig:
    """A part by name, with its factory's options and the additional ones. Raises ValidationError."""
    if not isinstance(value, dict):
        return _validate(registry, also, value)
    name = value.get("name")
    declared = {one.name: one for one in beside_options(registry, name if isinstance(name, str) else None)}
    given = {key: value[key] for key in declared if key in value}
    errors: list[InitErrorDetails] = []
    try:
        rest = {key: entry for key, entry in value.items() if key not in declared}
        chosen = _validate(registry, also, rest, tuple(declared))
    except ValidationError as error:
        errors += [_again(line) for line in error.errors(include_url=False)]
    errors += _beside_errors(registry.kind, declared, given)
    if errors:
        raise ValidationError.from_exception_data(registry.kind, errors)
    values: dict[str, Any] = {one.name: None for one in BESIDE if one.of.kind == registry.kind}
    for key, one in declared.items():
        values[key] = given[key] if key in given else one.default_for(chosen.name, chosen.options)
    return chosen._replace(beside=values)


def _beside_errors(kind: str, declared: dict[str, Beside], given: dict[str, Any]) -> list[InitErrorDetails]:
    """What is wrong with the additional options; those that are right are converted to their type."""
    errors: list[InitErrorDetails] = []
    typed = {key: declared[key] for key in given if declared[key].faults is None}
    for key in given.keys() - typed.keys():
        faults = declared[key].faults
        assert faults is not None
        errors += [
            _error("wrong_type", fault.value, (key, *fault.path), expected=fault.expected)
            for fault in islice(faults(given[key]), MAX_PROBLEMS + 1)
        ]
    if typed:
        fields = tuple((key, Option(one.type, _EMPTY)) for key, one in typed.items())
        values, wrong = _read(_model(kind, fields), {key: given[key] for key in typed}, dict(fields))
        given |= values
        errors += wrong
    return errors


def default(registry: Registry[Any], name: str) -> PartConfig:
    """A part with the defaults of its options."""
    return part_config(registry, {"name": name})


def _validate(
    registry: Registry[Any], also: tuple[str, ...], value: Any, also_keys: tuple[str, ...] = ()
) -> PartConfig:
    """A part by name, with its options; `also_keys` are the other keys, for the list of allowed ones."""
    kind = registry.kind
    if not isinstance(value, dict):
        expected = f"the name of {_a(kind)}, or {{name: …}} with options"
        raise _failure("wrong_type", value, (), expected=expected)
    if "name" not in value:
        raise _failure("missing_key", value, ("name",), what=f"the name of {_a(kind)}")
    name, given = value["name"], {key: entry for key, entry in value.items() if key != "name"}
    if not isinstance(name, str):
        raise _failure("wrong_type", name, ("name",), expected=f"the name of {_a(kind)}")
    if name not in registry and name not in also:
        raise _failure("wrong_choice", name, ("name",), allowed=(*also, *registry), kind=kind)
    declared = registry.options(name) if name in registry else {}
    options, errors = _options(registry, name, declared, given)
    allowed = ("name", *declared, *also_keys)
    errors += [
        _error("unknown_key", given[key], (key,), allowed=allowed, of=f"{kind} {name}", kind=kind)
        for key in islice((key for key in given if key not in declared), MAX_PROBLEMS + 1)
    ]
    if errors:
        raise ValidationError.from_exception_data(kind, errors)
    if name in registry:
        try:
            registry.get(name)(**options)  # a rule between options is in the factory
        except ValueError as error:
            raise _failure("part_options", value, (), reason=str(error)) from None
    return PartConfig(name, options)


def _options(
    registry: Registry[Any], name: str, declared: dict[str, Option], given: dict[str, Any]
) -> tuple[dict[str, Any], list[InitErrorDetails]]:
    """Every option, given or default, and what is wrong with those given."""
    given = {key: _tuples(entry) for key, entry in given.items() if key in declared}
    long = {
        key: entry for key, entry in given.items() if isinstance(entry, tuple) and len(entry) > MAX_ENTRIES
    }
    if long:
        return {}, [
            InitErrorDetails(type=too_long(entry, MAX_ENTRIES), loc=(key,), input=entry)
            for key, entry in long.items()
        ]
    options = {key: option.default for key, option in declared.items()}
    if not given and all(value is not _EMPTY for value in options.values()):
        return options, []
    return _read(_model_of(registry, name, registry.get(name)), given, declared)


def _read(
    model: type[BaseModel], given: dict[str, Any], declared: dict[str, Option]
) -> tuple[dict[str, Any], list[InitErrorDetails]]:
    """What a model makes of the options given, and what is wrong with them."""
    try:
        read = model(**given)
    except ValidationError as error:
        return {}, [_again(line) for line in error.errors(include_url=False)]
    return {key: getattr(read, _field(key)) for key in declared}, []


_EMPTY: Any = inspect.Parameter.empty


def _field(option: str) -> str:
    return f"option_{option}"  # so that no option hides a method of the model


@lru_cache(maxsize=256)
def _model_of(registry: Registry[Any], name: str, factory: Factory[Any]) -> type[BaseModel]:
    """A model of the options of one factory (a key of the cache too: a name may be given to another)."""
    return _model(name, tuple(registry.options(name).items()))


def _model(name: str, options: tuple[tuple[str, Option], ...]) -> type[BaseModel]:
    """A model of options."""
    fields: dict[str, Any] = {}
    for key, option in options:
        default = ... if option.default is _EMPTY else option.default
        fields[_field(key)] = (_one_branch(option.annotation), Field(default, alias=key))
    return create_model(name, __config__=STRICT, **fields)


def _one_branch(annotation: Any) -> Any:
    """A union whose branch is chosen by the value: a wrong value gives one error, not one per branch."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    branches = [branch for branch in get_args(annotation) if branch is not type(None)]
    if len(branches) < 2:
        return annotation
    tagged = tuple(Annotated[branch, Tag(f"<{i}>")] for i, branch in enumerate(branches))
    union: Any = Annotated[Union[tagged], Discriminator(_chooser(branches))]  # noqa: UP007
    return union if len(branches) == len(get_args(annotation)) else union | None


def _chooser(branches: list[Any]) -> Callable[[Any], str]:
    bare = [get_args(branch)[0] if get_origin(branch) is Annotated else branch for branch in branches]
    kinds = [get_origin(branch) or branch for branch in bare]

    def choose(value: Any) -> str:
        for i, kind in enumerate(kinds):
            literal = kind is Literal and value in get_args(bare[i])
            if literal or type(value) is kind or (type(value) is int and kind is float):
                return f"<{i}>"
        same = [i for i, kind in enumerate(kinds) if kind is Literal and isinstance(value, str)]
        return f"<{same[0] if same else 0}>"

    return choose


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value


def too_long(value: tuple[Any, ...], entries: int) -> PydanticCustomError:
    """What is wrong with a list that has too many entries."""
    return PydanticCustomError("too_long", "too_long", {"max_length": entries, "actual_length": len(value)})


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _error(code: str, value: Any, where: tuple[str | int, ...], **context: Any) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(code, code, context), loc=where, input=value)


def _failure(code: str, value: Any, where: tuple[str | int, ...], **context: Any) -> ValidationError:
    return ValidationError.from_exception_data(code, [_error(code, value, where, **context)])


def _again(line: Any) -> InitErrorDetails:
    """An error of one validation as an error of another."""
    if isinstance(line["type"], PydanticCustomError):
        return InitErrorDetails(type=line["type"], loc=line["loc"], input=line["input"])
    error = PydanticCustomError(line["type"], line["type"], line.get("ctx"))
    return InitErrorDetails(type=error, loc=line["loc"], input=line["input"])

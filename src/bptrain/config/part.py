"""The options of a part, validated by the signature of its factory.

A part is found in its registry when a config names it, and a pydantic model of its options is made only when
a config gives options. So a part that was registered a moment ago, in a test or by a plug-in, needs nothing
here, and a part that is not used costs nothing.
"""

import inspect
import math
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
from bptrain.parts.describe import REDUCTIONS
from bptrain.parts.types import NonNegative
from bptrain.registry import Factory, Option, Registry

MAX_ENTRIES = 500  # of a list of parts or options, so layers too: each is checked by itself
STRICT = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

Beside = tuple[tuple[str, Option], ...]  # options that are no business of a factory
_DECAY: Beside = (("weight_decay", Option(NonNegative, None)),)  # none: that of the rule
_WARMUP: Beside = (("warmup", Option(NonNegative, 0.0)),)


class PartConfig(NamedTuple):
    """A part by name, with every option of its factory: `registry.get(name)(**options)` makes it."""

    name: str
    options: dict[str, Any]


class LossConfig(NamedTuple):
    """The loss of a row, and how the rows of a batch are put together."""

    name: str
    options: dict[str, Any]
    reduction: str = "mean"  # or "sum"
    class_weight: str | dict[Any, float] | None = None  # "balanced", or label -> weight


class OptimizerConfig(NamedTuple):
    """A rule, and the weight decay that is put around it."""

    name: str
    options: dict[str, Any]
    weight_decay: float | None = 0.0  # None: of a solver, whose weights do not decay


class ScheduleConfig(NamedTuple):
    """A schedule, and the epochs over which the learning rate rises to it."""

    name: str
    options: dict[str, Any]
    warmup: float = 0.0


def part(registry: Registry[Any], also: tuple[str, ...] = ()) -> PlainValidator:
    """A validator of `{name: …, options}`; the names in `also` are no parts, and take no options."""
    return PlainValidator(lambda value: _validate(registry, also, value))


def loss(registry: Registry[Any]) -> PlainValidator:
    """A validator of `{name: …, reduction: …, class_weight: …, options}`."""

    def validate(value: Any) -> LossConfig:
        beside: dict[str, Any] = {"reduction": "mean", "class_weight": None}
        errors: list[InitErrorDetails] = []
        if isinstance(value, dict):
            beside |= {key: value[key] for key in beside if key in value}
            value = {key: entry for key, entry in value.items() if key not in beside}
        if beside["reduction"] not in REDUCTIONS:
            errors.append(_error("wrong_choice", beside["reduction"], ("reduction",), allowed=REDUCTIONS))
        errors += _class_weight_errors(beside["class_weight"])
        try:
            chosen = _validate(registry, (), value, also_keys=tuple(beside))
        except ValidationError as error:
            errors += [_again(line) for line in error.errors(include_url=False)]
        if errors:
            raise ValidationError.from_exception_data("loss", errors)
        return LossConfig(chosen.name, chosen.options, **beside)

    return PlainValidator(validate)


def _class_weight_errors(value: Any) -> list[InitErrorDetails]:
    """What is wrong with a class_weight: it is balanced, or a weight of 0 or more for some labels."""
    if value in (None, "balanced"):
        return []
    if not isinstance(value, dict):
        expected = "balanced, or a mapping of labels to weights"
        return [_error("wrong_type", value, ("class_weight",), expected=expected)]
    wrong = (
        _error("wrong_type", weight, ("class_weight", str(label)), expected="a number, 0 or more")
        for label, weight in value.items()
        if type(weight) not in (int, float) or not 0 <= weight < math.inf
    )
    return list(islice(wrong, MAX_PROBLEMS + 1))


def optimizer(registry: Registry[Any], rules: Registry[Any]) -> PlainValidator:
    """A validator of `{name: …, weight_decay: …, options}`; `rules` are those whose weights may decay."""
    return PlainValidator(lambda value: optimizer_config(registry, rules, value))


def optimizer_config(registry: Registry[Any], rules: Registry[Any], value: Any) -> OptimizerConfig:
    """An optimizer; one that is given no weight_decay takes that of its rule."""
    named = value.get("name") if isinstance(value, dict) else None
    is_rule = isinstance(named, str) and named in rules
    name, options = _validate(registry, (), value, beside=_DECAY if is_rule else ())
    decay = options.pop("weight_decay", None)
    if is_rule and decay is None:
        decay = registry.get(name)(**options).weight_decay
    return OptimizerConfig(name, options, decay)


def schedule(registry: Registry[Any]) -> PlainValidator:
    """A validator of `{name: …, warmup: …, options}`."""
    return PlainValidator(lambda value: schedule_config(registry, value))


def schedule_config(registry: Registry[Any], value: Any) -> ScheduleConfig:
    """A schedule; without warmup where none is given."""
    name, options = _validate(registry, (), value, beside=_WARMUP)
    return ScheduleConfig(name, options, options.pop("warmup"))


def default(registry: Registry[Any], name: str) -> PartConfig:
    """A part with the defaults of its options."""
    return _validate(registry, (), {"name": name})


def _validate(
    registry: Registry[Any],
    also: tuple[str, ...],
    value: Any,
    also_keys: tuple[str, ...] = (),
    beside: Beside = (),
) -> PartConfig:
    """A part by name, with its options and those that are written beside them but are no business of its factory."""
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
    declared = {**(registry.options(name) if name in registry else {}), **dict(beside)}
    options, errors = _options(registry, name, declared, given, beside)
    allowed = ("name", *declared, *also_keys)
    errors += [
        _error("unknown_key", given[key], (key,), allowed=allowed, of=f"{kind} {name}", kind=kind)
        for key in islice((key for key in given if key not in declared), MAX_PROBLEMS + 1)
    ]
    if errors:
        raise ValidationError.from_exception_data(kind, errors)
    if name in registry:
        try:
            own = {key: entry for key, entry in options.items() if key not in dict(beside)}
            registry.get(name)(**own)  # a rule between options is in the factory
        except ValueError as error:
            raise _failure("part_options", value, (), reason=str(error)) from None
    return PartConfig(name, options)


def _options(
    registry: Registry[Any], name: str, declared: dict[str, Option], given: dict[str, Any], beside: Beside
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
    try:
        model = _model(registry, name, registry.get(name), beside)(**given)
    except ValidationError as error:
        return {}, [_again(line) for line in error.errors(include_url=False)]
    return {key: getattr(model, _field(key)) for key in declared}, []


_EMPTY: Any = inspect.Parameter.empty


def _field(option: str) -> str:
    return f"option_{option}"  # so that no option hides a method of the model


@lru_cache(maxsize=256)
def _model(registry: Registry[Any], name: str, factory: Factory[Any], beside: Beside) -> type[BaseModel]:
    """A model of the options of one factory (a key of the cache too: a name may be given to another)."""
    fields: dict[str, Any] = {}
    for key, option in (*registry.options(name).items(), *beside):
        default = ... if option.default is _EMPTY else option.default
        fields[_field(key)] = (_one_branch(option.annotation), Field(default, alias=key))
    return create_model(name, __config__=STRICT, **fields)


def _one_branch(annotation: Any) -> Any:
    """A union whose branch is chosen by the value: a wrong value gives one error, not one a branch."""
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
    """What is wrong with a list of more than so many entries."""
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

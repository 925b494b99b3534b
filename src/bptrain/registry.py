"""A registry: named factories of one kind of part.

Registering a factory is all it takes to add a part. Its keyword arguments, with their types, bounds and
defaults, are its options in YAML; its docstring is its documentation; calling it makes the part.
"""

import inspect
from collections import ChainMap
from collections.abc import Callable, Container, Iterator, MutableMapping
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

Part = TypeVar("Part")
Factory = Callable[..., Part]

EQUATIONS = "bptrain_equations"  # the attribute of a factory


class Option(NamedTuple):
    """One keyword argument of a factory: one option in YAML."""

    annotation: Any  # the type, with its bounds in Annotated[...]
    default: Any  # inspect.Parameter.empty where it must be given


class NameTaken(ValueError):
    """A part of that name is registered already."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"{kind} {name!r} is already registered")


@lru_cache(maxsize=1024)
def _options(factory: Factory[Any]) -> dict[str, Option]:
    hints = get_type_hints(factory, include_extras=True)
    parameters = inspect.signature(factory).parameters.values()
    return {p.name: Option(hints[p.name], p.default) for p in parameters}


class Registry(Generic[Part]):
    """The parts of one kind, by name: `add` to register, `get` to look up a factory.

    >>> greetings: Registry[str] = Registry("greeting")
    >>> @greetings.add("hello")
    ... def hello(name: str = "world") -> str:
    ...     return f"hello {name}"
    >>> greetings.get("hello")(name="you")
    'hello you'
    >>> greetings.options("hello")["name"].default
    'world'
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind  # in the singular, as messages say it
        self._factories: MutableMapping[str, Factory[Part]] = {}
        self._name_space: Container[str] = self._factories  # in which a name is given once

    def add(self, name: str, *equations: str) -> Callable[[Callable[..., Part]], Callable[..., Part]]:
        """Register the decorated factory under `name`. Raises NameTaken, a ValueError; TypeError for equations.

        `equations` are the lines that `bptrain explain` prints of the part; {option} in them stands for an option, and
        any other {letter} for a letter of the part's own, such as {d} in "{d} = x − t". They stay with the factory,
        which a plug-in registers again and again.
        """

        def register(factory: Callable[..., Part]) -> Callable[..., Part]:
            if name in self._name_space:
                raise NameTaken(self.kind, name)
            self._factories[name] = factory
            if not all(isinstance(line, str) for line in equations):
                raise TypeError("the equations behind the name of a part are texts")
            if equations:
                factory.__dict__[EQUATIONS] = equations
            return factory

        return register

    @classmethod
    def joined(cls, kind: str, *registries: "Registry[Any]") -> "Registry[Part]":
        """Several registries as one name space, in their order: what is registered in one of them is here at once."""
        whole = cls(kind)
        whole._factories = ChainMap(*(registry._factories for registry in reversed(registries)))
        for registry in (whole, *registries):
            registry._name_space = whole._factories
        return whole

    def remove(self, name: str) -> None:
        """Forget a part. Raises KeyError when it is not there."""
        del self._factories[name]

    def get(self, name: str) -> Factory[Part]:
        """The factory registered under `name`. Raises KeyError when there is none."""
        return self._factories[name]

    def equations(self, name: str) -> tuple[str, ...]:
        """What `bptrain explain` prints of a part; nothing where its registration says nothing."""
        return getattr(self._factories[name], EQUATIONS, ())

    def options(self, name: str) -> dict[str, Option]:
        """The options of a part, read from the signature of its factory."""
        return dict(_options(self._factories[name]))

    def __contains__(self, name: object) -> bool:
        return name in self._factories

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

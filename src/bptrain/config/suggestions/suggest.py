"""The key or the value that was probably meant: a typing mistake, or the name in another tool."""

import re
import tomllib
import types
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from bptrain.config.schema import Config
from bptrain.config.yaml.places import LONGEST
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.schedules import schedules
from bptrain.registry import Registry

ANY_NAME = "*"  # in the dotted name of a key
FOREIGN_NAMES = Path(__file__).with_name("foreign_names.toml")
_PARTS: dict[str, Registry[Any]] = {"optimizer": methods, "loss": losses, "schedule": schedules}


class Meant(NamedTuple):
    """What to write instead of a wrong key, and why, where that is not obvious."""

    key: str | None  # bare where it belongs into the same section, else dotted from the top
    reason: str | None = None


@cache
def foreign_names(*tables: str) -> dict[str, list[str]]:
    """Name in another tool -> what it may mean here, in the order of tables of foreign_names.toml."""
    found: dict[str, list[str]] = {}
    for table in tables:
        for meant, names in _foreign_names()[table].items():
            for name in names.split():
                found.setdefault(squeezed(name), []).append(meant)
    return found


@cache
def _foreign_names() -> dict[str, dict[str, str]]:
    return tomllib.loads(FOREIGN_NAMES.read_text(encoding="utf-8"))


def squeezed(name: str) -> str:
    """A name without case, underscores, hyphens and spaces."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def value(wrong: str, allowed: Iterable[str]) -> str | None:
    """The allowed value nearest to a wrong one."""
    allowed = list(allowed)
    known = {squeezed(choice): choice for choice in allowed}
    for name in _plain_names(wrong):
        if name in known:
            return known[name]
        for meant in foreign_names("values").get(name, ()):
            if meant in allowed:
                return meant
    return _near(wrong.strip().lower(), allowed)


def _plain_names(wrong: str) -> Iterable[str]:
    """The names that a value may be a form of: `torch.nn.MSELoss()`, `FANN_TRAIN_RPROP`, `Dense(16)`."""
    if len(wrong) > LONGEST:
        return
    bare = re.sub(r"\(.*", "", wrong).strip().rpartition(".")[2]
    for text in (wrong, bare, re.sub(r"(?i)^fann_", "", bare)):
        yield squeezed(text)


def key(wrong: str, section: str, siblings: Iterable[str]) -> Meant:
    """The key that was meant by one that is unknown in `section`."""
    siblings = list(siblings)
    name = squeezed(wrong.strip())
    for sibling in siblings:
        if name == squeezed(sibling):
            return Meant(sibling)
    meant = foreign_names("keys", "options").get(name, [])
    for sibling in meant:
        home, _, last = sibling.rpartition(".")
        if last in siblings and home in ("", section):
            return Meant(last, f"{wrong} is called {last} here")
    meant = [place for place in meant if ANY_NAME not in place]
    if near := _slip(wrong.lower(), siblings):
        return Meant(near)
    return _elsewhere(wrong, name, section, meant) or Meant(_near(wrong.lower(), siblings) or _far(wrong))


def _elsewhere(wrong: str, name: str, section: str, meant: list[str]) -> Meant | None:
    """The key, or the name of a part, that belongs into another section."""
    for home, registry in _PARTS.items():
        for part in registry:
            if name == squeezed(part):
                if home == section:
                    return Meant(f"name: {part}", f"{part} is the name of another {home}")
                return Meant(f"{home}: {part}", f"{part} belongs under `{home}`")
    everywhere = _everywhere()
    for place in meant:
        if place.rpartition(".")[0] != section and ("." in place or place in everywhere):
            last = place.rpartition(".")[2]
            return Meant(place, _moved(wrong, last, place))
    for last, place in everywhere.items():
        if name == squeezed(last) and place.rpartition(".")[0] != section:
            return Meant(place, _moved(wrong, last, place))
    for option in (wrong.lower(), *(place.rpartition(".")[2] for place in meant)):
        owners = {home: having for home in _PARTS if (having := _having(home, option))}
        if section in owners:
            some = ", ".join(owners[section][:4]) + (", …" if len(owners[section]) > 4 else "")
            return Meant(None, f"{option} is an option of {some}")
        for home in owners:
            place = f"{home}.{option}"
            return Meant(place, _moved(wrong, option, place))
    for option in foreign_names("command_line").get(name, ()):
        return Meant(option, f"this is the option {option} of the command line")
    return None


def _moved(wrong: str, last: str, place: str) -> str:
    """Says that a key belongs elsewhere, and what it is called there."""
    home = place.rpartition(".")[0]
    under = f"belongs under `{home}`" if home else "belongs at the top of the config"
    called = "" if squeezed(wrong) == squeezed(last) else f"is called {last} here, and "
    return f"{wrong} {called}{under}"


def _far(wrong: str) -> str | None:
    """The key of another section with a similar spelling."""
    near = _near(wrong.lower(), (name for name in _everywhere() if len(name) > 3), 0.8)
    return _everywhere()[near] if near else None


def _near(wrong: str, allowed: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The nearest of the allowed names: one typing mistake away, else one that looks like it."""
    allowed = list(allowed)
    if len(wrong) > LONGEST:
        return None
    return _slip(wrong, allowed) or next(iter(get_close_matches(wrong, allowed, 1, cutoff)), None)


def _slip(wrong: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that is one typing mistake away: an insertion, deletion, substitution or transposition."""
    found = [name for name in allowed if _one_slip(wrong, name)]
    return next(iter(found if len(found) < 2 else get_close_matches(wrong, found, 1, 0.0)), None)


def _one_slip(a: str, b: str) -> bool:
    """Whether one insertion, deletion, substitution or transposition makes b of a."""
    if abs(len(a) - len(b)) > 1:
        return False
    whole, start = a, 0
    while start < len(a) and start < len(b) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if len(a) == len(b) == 1:
        return len(whole) > 2  # f2 is no slip of r2
    return len(a) <= 1 >= len(b) or (len(a) == 2 and a == b[::-1])


def keys(section: tuple[str | int, ...]) -> list[str]:
    """The keys of a section of the config."""
    model: type[BaseModel] | None = Config
    of_values: type[BaseModel] | None = None  # of a mapping of names to sections, such as data.columns
    for step in section:
        if of_values is not None:
            model, of_values = of_values, None
            continue
        field = model.model_fields.get(str(step)) if model else None
        model = _model(field.annotation) if field else None
        of_values = _model_of_values(field.annotation) if field and model is None else None
    return list(model.model_fields) if model else []


def _model_of_values(annotation: Any) -> type[BaseModel] | None:
    """The section that the values of a mapping are, wherever it stands in an annotation."""
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        return _section_in(inner[1])
    return next((found for one in inner if (found := _model_of_values(one)) is not None), None)


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _section_in(one)) is not None), None)


def _having(home: str, option: str) -> list[str]:
    """The parts of a section that have an option."""
    return [part for part in _PARTS[home] if option in _PARTS[home].options(part)]


@cache
def _everywhere() -> dict[str, str]:
    """Each key of the config, and where it belongs; the shallowest place first."""
    found: dict[str, str] = {}
    queue: list[tuple[str, type[BaseModel]]] = [("", Config)]
    for prefix, model in queue:
        for name, field in model.model_fields.items():
            found.setdefault(name, prefix + name)
            if inner := _model(field.annotation):
                queue.append((f"{prefix}{name}.", inner))
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    branches = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return next((b for b in branches if isinstance(b, type) and issubclass(b, BaseModel)), None)

"""What pydantic and the rules find, as problems: what is wrong, where, the value, and what to do."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from bptrain.config.document import Document
from bptrain.config.rules.base import BrokenRule
from bptrain.config.suggestions import suggest
from bptrain.config.yaml.places import MAX_PROBLEMS, KeyPath, Mark, Place, dotted, in_order, order
from bptrain.config.yaml.scalars import number, resolved, shown
from bptrain.errors import Problem

SOURCE = "a path, a list of paths, or {inputs: PATH, target: PATH}"
# What a key wants, where the type alone does not say it; * is any item.
MANY_CHOICES = 24  # from more on they are not listed beside the one that is probably meant

_WANTED: dict[tuple[str, ...], str] = {
    ("network", "sizes"): "a list such as [auto, 16, auto]",
    ("network", "sizes", "*"): "a whole number, or auto",
    ("data", "train"): SOURCE,
    ("data", "validation"): SOURCE,
    ("data", "test"): SOURCE,
    ("data", "features"): "all, or a list of columns",
    ("data", "target"): "a column, or a list of columns",
    ("data", "missing"): "error, mean, median, most_frequent or drop, or a mapping with one per column",
    ("data", "columns"): "a mapping of columns to their kinds, such as {price: numeric}",
    ("data", "missing_markers"): "a list of texts",
    ("data", "split", "stratify"): "auto, true or false",
    ("silence",): "a list of names of warnings",
    ("checkpoint", "every"): "auto, {epochs: n} or {seconds: s}",
}

_TYPES = {  # pydantic's name of an error -> what is wanted
    "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "string_type": "text", "tuple_type": "a list", "dict_type": "a mapping",
    "model_type": "a mapping of keys", "model_attributes_type": "a mapping of keys",
}  # fmt: skip

_BOUNDS = {
    "greater_than": ("gt", "greater than"), "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"), "less_than_equal": ("le", "at most"),
}  # fmt: skip

_KINDS_OF_PART = ("activation", "loss", "optimizer", "schedule", "initializer", "metric", "scaler")


class Said(NamedTuple):
    """One error in words."""

    code: str
    message: str
    suggestion: str | None = None


Wrong = Any  # an error as pydantic reports it


def to_problems(wrong: Iterable[Wrong], broken: Iterable[BrokenRule], document: Document) -> list[Problem]:
    """What the schema and the rules between keys found, in the order of the file."""
    said: dict[Any, tuple[Place, KeyPath, Callable[[], Said]]] = {}
    for line in wrong:
        location: KeyPath = line["loc"]
        if line["type"] == "too_short" and len(line["input"]) >= line["ctx"]["min_length"]:
            continue  # pydantic counts the valid entries; the others have an error of their own
        path = document.written(location)
        if line["type"] in ("missing", "missing_key"):
            # A part that is a bare value misses no key: that value is what is wrong.
            section = document.written(location[:-1])
            path = (*(section or location[:-1]), location[-1])
        of_key = line["type"] in ("extra_forbidden", "unknown_key")
        # One value for all layers is wrong once.
        said.setdefault(
            (path, line["type"]),
            (document.place(path, of_key), path, partial(_in_words, line, path, document)),
        )
    for rule in broken:
        path = rule.path if rule.code == "missing_key" else document.written(rule.path)
        words = Said(rule.code, rule.message, rule.suggestion)
        said.setdefault((path, rule.message), (document.place(path), path, partial(Said, *words)))
    # Words, and what was probably meant, only for those that are reported.
    first = sorted(said.values(), key=lambda entry: order(entry[0]))[: MAX_PROBLEMS + 1]
    problems = []
    for at, path, words_of in first:
        words = words_of()
        problems.append(
            Problem(words.code, words.message, dotted(path), *at, words.suggestion, document.source(at))
        )
    return in_order(problems)


def _in_words(line: Any, path: KeyPath, document: Document) -> Said:
    """An error of pydantic, or of a part, in plain words."""
    kind, value, context = line["type"], line["input"], line.get("ctx", {})
    mark = document.positions.get(path)
    written = shown(value, mark.written if mark else None)
    generic = tuple("*" if isinstance(step, int) else step for step in path)
    wanted = _WANTED.get(generic) or context.get("expected") or _TYPES.get(kind)
    if kind in ("extra_forbidden", "unknown_key"):
        return _unknown_key(path, context)
    if kind in ("missing", "missing_key"):
        what = _WANTED.get(generic) or context.get("what")
        return Said("missing_key", f"must be given: {what}" if what else "must be given")
    if generic == ("network", "sizes", "*") and kind != "literal_error" and isinstance(value, dict):
        return Said("wrong_type", f"must be {wanted}, but is {written}", _units(value.values()))
    if kind == "literal_error" and generic in _WANTED and generic[-1] in ("*", "stratify"):
        return Said("wrong_type", f"must be {wanted}, but is {written}", _meant(value, kind, generic))
    if kind in ("literal_error", "wrong_choice"):
        return _wrong_choice(value, written, context)
    if kind in _TYPES or kind == "wrong_type":
        return Said("wrong_type", f"must be {wanted}, but is {written}", _meant(value, kind, generic, mark))
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return Said("out_of_range", f"must be {words} {number(context[bound])}, but is {written}")
    if kind == "finite_number":
        return Said("not_finite", f"must be a finite number, but is {written}")
    if kind in ("too_short", "too_long"):
        fewest = kind == "too_short"
        entries = context["min_length" if fewest else "max_length"]
        message = f"must have at {'least' if fewest else 'most'} {entries} entries, but has {context['actual_length']}"
        return Said("wrong_length", message.replace(" 1 entries", " 1 entry"))
    if kind == "string_too_short":
        return Said("wrong_type", "must not be empty")
    if kind == "string_pattern_mismatch":
        return Said("wrong_type", f"must be a path, but is {written}")
    if kind == "part_options":
        return Said("part_options", str(context["reason"]))
    return Said("wrong_value", f"{line['msg'][:1].lower()}{line['msg'][1:]}, but is {written}")


def _unknown_key(path: KeyPath, context: dict[str, Any]) -> Said:
    section, wrong = path[:-1], str(path[-1])
    allowed = context.get("allowed") or suggest.keys(section)
    of_what = context.get("of") or dotted(section) or "the config"
    home = "optimizer" if context.get("kind") == "optimizer" else dotted(section)
    if path[:1] == ("data",) and len(section) == len(("data", "columns", "NAME")):
        home = dotted((*section[:-1], suggest.ANY_NAME))
    meant = suggest.key(wrong, home, allowed)
    why = f": {meant.reason}" if meant.reason else ""
    it_has = "" if meant.reason and meant.key else f"; it has {', '.join(allowed)}"
    return Said("unknown_key", f"{of_what} has no such key{why}{it_has}", meant.key)


def _wrong_choice(value: Any, written: str, context: dict[str, Any]) -> Said:
    allowed = context.get("allowed")
    if allowed is None:
        found = re.findall(r"'([^']*)'|(True|False|-?\d+)", context["expected"])
        allowed = [text or other.lower() for text, other in found]
    what = f"is not {_article(context['kind'])}" if "kind" in context else "is not one of the choices"
    suggestion = suggest.value(value, allowed) if isinstance(value, str) else None
    own = context.get("kind") in _KINDS_OF_PART and suggestion is None
    hint = "; add your own with --plugin FILE" if own else ""
    choices = "" if suggestion is not None and len(allowed) > MANY_CHOICES else f": {', '.join(allowed)}"
    return Said("wrong_choice", f"{written} {what}{choices}{hint}", suggestion)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _meant(value: Any, kind: str, path: tuple[str, ...], mark: Mark | None = None) -> str | None:
    """The same value in the wanted type, if it can be converted; a text as it was written."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if kind == "string_type":
            return f'"{(mark.written if mark else None) or number(value)}"'
        if kind == "tuple_type":
            return f'["{number(value)}"]' if path[-1] == "missing_markers" else f"[{number(value)}]"
        whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole and kind == "int_type" else None
    if not isinstance(value, str):
        return None
    if kind == "tuple_type":
        return f"[{value}]"
    if kind == "bool_type":
        return suggest.value(value, ("true", "false"))
    if path[:2] == ("network", "bias") and kind == "wrong_type":
        return suggest.value(value, ("true", "false"))
    if path == ("data", "split", "stratify"):
        return suggest.value(value, ("auto", "true", "false"))
    if path == ("network", "sizes", "*"):  # Dense(16), or a slip of auto
        return _units(re.findall(r"\d+", value)) or suggest.value(value, ("auto",))
    return _number_meant(value) if kind in ("int_type", "float_type", "wrong_type") else None


def _number_meant(text: str) -> str | None:
    """A number that was put in quotes, or written in a way that YAML does not read as a number."""
    bare = text.strip().replace("_", "").replace("\u2212", "-")
    forms = (bare, bare.replace(",", ".")) if bare.count(",") == 1 else (bare,)
    for form in forms:
        if type(resolved(form)) in (int, float):
            return form
    if bare.endswith("%") and type(resolved(bare[:-1])) in (int, float):
        return number(float(bare[:-1]) / 100)
    return None


def _units(values: Iterable[Any]) -> str | None:
    """The size of a layer that is written as in another tool, if it holds a single number."""
    numbers = [
        str(value) for value in values if type(value) is int or (isinstance(value, str) and value.isdecimal())
    ]
    return numbers[0] if len(numbers) == 1 else None

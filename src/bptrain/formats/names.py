"""Names of columns, which may be spelled in several ways."""

from collections.abc import Callable, Collection
from typing import TypeVar
from unicodedata import normalize

ODD_BLANKS = {ord(c): " " for c in "\u00a0\u2007\u202f"} | dict.fromkeys(map(ord, "\ufeff\u2060"))


def name_key(text: str) -> str:
    """What two spellings of one name have in common: Unicode NFC, no blanks around it, no-break blanks as others."""
    return text.strip() if text.isascii() else normalize("NFC", text.translate(ODD_BLANKS)).strip()


Name = TypeVar("Name", str, str | None)


def own_spelling(names: Collection[str]) -> Callable[[Name], Name]:
    """A function from a name to how it is spelled among these; to itself where none means the same."""
    known = names if isinstance(names, dict) else frozenset(names)
    by_key: dict[str, str] = {}

    def own(name: Name) -> Name:
        if name is None or name in known:
            return name
        if not by_key:
            by_key.update((name_key(one), one) for one in names)
        return by_key.get(name_key(name), name)

    return own

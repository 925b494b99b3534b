"""A derivation as it is printed: sections of lines, each an equation and its shapes."""

from typing import Any, NamedTuple


class DerivationLine(NamedTuple):
    """One equation."""

    equation: str
    shapes: str = ""  # "5×1 = 5×4 · 4×1", or "" for a remark


class DerivationSection(NamedTuple):
    """Some equations under a heading."""

    title: str
    lines: tuple[DerivationLine, ...]


class Explanation(NamedTuple):
    """The derivation of one network."""

    sections: tuple[DerivationSection, ...]

    def record(self) -> dict[str, Any]:
        """The fields of explain's JSON."""
        return {
            "sections": [
                {"title": section.title, "lines": [line._asdict() for line in section.lines]}
                for section in self.sections
            ]
        }


def shape(rows: int, columns: int) -> str:
    """rows×columns."""
    return f"{rows}×{columns}"


def number(value: float) -> str:
    """A number with every digit that it has in the config, and no more."""
    return repr(value).removesuffix(".0")


def listed(names: list[str], sign: str = ", ") -> str:
    """Names in a row, those in the middle of many left out."""
    shown = names if len(names) <= 4 else [names[0], "…", names[-1]]
    return sign.join(shown)

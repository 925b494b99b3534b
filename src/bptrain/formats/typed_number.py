"""Numbers that a file tells from texts."""


class TypedNumber(str):
    """A number as it is written, in a column that has texts, too.

    To a model that knows the column, it has a decimal point, whatever marks the numbers in texts have.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        return hash((0, str(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedNumber) and str(self) == str(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def untyped(cells: list[str]) -> list[str]:
    """The cells as texts."""
    if not any(isinstance(cell, TypedNumber) for cell in cells):
        return cells
    return [str(cell) if isinstance(cell, TypedNumber) else cell for cell in cells]

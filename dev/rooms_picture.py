"""Draws docs/rooms.svg, the rooms of src/bptrain and who imports whom: `python dev/rooms_picture.py`.

A room stands above every room that it imports. An arrow goes from a room to one that it imports; arrows that follow
from others (a imports b, b imports c, so a may import c) are left out.
"""

import ast
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "bptrain"
PICTURE = ROOT / "docs" / "rooms.svg"
WIDTH, HEIGHT = 132, 34  # of a box, in pixels
ACROSS, DOWN = 168, 78  # from one box to the next
MARGIN = 24


def rooms_and_imports() -> dict[str, set[str]]:
    """Each file and folder of src/bptrain, with those that it imports."""
    found: dict[str, set[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        room = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room.startswith("__"):
            continue
        below = found.setdefault(room, set())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    steps = f"{node.module}.{alias.name}".split(".")
                    if steps[0] == "bptrain" and steps[1] != room and not steps[1].startswith("__"):
                        below.add(steps[1])
    return found


def floors(imports: dict[str, set[str]]) -> dict[str, int]:
    """The floor of each room: one above the highest of those that it imports; 0 for those that import none."""
    found: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in found:
            found[room] = 1 + max(map(floor, imports[room]), default=-1)
        return found[room]

    for room in imports:
        floor(room)
    return found


def without_shortcuts(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """The imports that do not follow from others."""
    reached: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in reached:
            reached[room] = imports[room].union(*map(below, imports[room]))
        return reached[room]

    return {room: direct - set().union(*map(below, direct)) for room, direct in imports.items()}


def picture(imports: dict[str, set[str]]) -> str:
    """The picture as SVG."""
    level = floors(imports)
    top = max(level.values())
    rows = [sorted(room for room in level if level[room] == number) for number in range(top + 1)]
    width = max(map(len, rows)) * ACROSS + 2 * MARGIN
    place = {
        room: (
            width / 2 + (position - (len(row) - 1) / 2) * ACROSS,
            MARGIN + (top - number) * DOWN + HEIGHT / 2,
        )
        for number, row in enumerate(rows)
        for position, room in enumerate(row)
    }
    arrows = [
        arrow(place[room], place[other])
        for room, others in sorted(without_shortcuts(imports).items())
        for other in sorted(others)
    ]
    boxes = [box(room, *place[room], folder=(SOURCE / room).is_dir()) for room in sorted(place)]
    height = 2 * MARGIN + top * DOWN + HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">',
            "<title>The rooms of bptrain: an arrow goes from a room to one that it imports</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0 8 4 0 8z" fill="#888888"/></marker></defs>',
            *arrows,
            *boxes,
            "</svg>",
            "",
        ]
    )


def arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A curve from the lower edge of one box to the upper edge of another."""
    (a, b), (c, d) = start, end
    b, d = b + HEIGHT / 2, d - HEIGHT / 2
    bend = (d - b) / 2
    return (
        f'<path d="M{a:g} {b:g}C{a:g} {b + bend:g} {c:g} {d - bend:g} {c:g} {d:g}" fill="none" '
        'stroke="#888888" marker-end="url(#tip)"/>'
    )


def box(room: str, x: float, y: float, folder: bool) -> str:
    """A box with a room's name; a folder's ends in /."""
    name = escape(f"{room}/" if folder else f"{room}.py")
    return (
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
        f'fill="{"#eef3fa" if folder else "#f6f1e4"}" stroke="#556677"/>'
        f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle" fill="#111111">{name}</text>'
    )


def main() -> None:
    """Writes the picture."""
    PICTURE.write_text(picture(rooms_and_imports()), encoding="utf-8")


if __name__ == "__main__":
    main()

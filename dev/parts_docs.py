"""Makes docs/parts from the registries: `python dev/parts_docs.py`; --check only reports what is stale, by exit code 1.

One page per kind, with formula, source and options of every part, as `bptrain list` prints them; and a plot of each
activation with its derivative, drawn here as SVG so that the same formulas give the same bytes everywhere.
"""

import inspect
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from bptrain.commands.list import OptionRecord, PartRecord, list_parts, written
from bptrain.parts.activations import Activation, activations
from bptrain.parts.describe import BESIDE, KINDS

PLACE = Path(__file__).resolve().parent.parent / "docs" / "parts"
MADE = "<!-- made by dev/parts_docs.py from the docstrings in src/bptrain/parts; change them, then run it again -->"
ABOUT = {
    "activations": "x = f(z), in `network.activations`. In the plots f is blue, its derivative f′ orange and dashed.",
    "losses": "The loss E of one row, from its outputs x and targets t, in `loss`. Logarithms are natural.",
    "optimizers": "How the gradient g updates the weights, in `optimizer`. α: learning rate times schedule factor.",
    "schedules": "The factor on the learning rate, in `schedule`.",
    "initializers": "The initial values of the weights W (n_out × n_in), in `network.initializer`. `auto` is he_normal"
    " for the relu family, glorot_uniform for other activations.",
    "metrics": "How good predictions are, in `metrics`.",
    "embeddings": "What is made of each number before the first layer, in `network.input.embed`.",
    "scalers": "How a column of numbers is scaled, in `data.scale` and `data.scale_target`.",
}
WIDTH, HEIGHT, MARGIN = 420, 300, 10  # of a plot
Z, X = (-4.0, 4.0), (-2.0, 3.4)  # what it shows


# --- pages --------------------------------------------------------------------------------------------


def documents() -> dict[str, str]:
    """Every file of docs/parts by its name."""
    made = {"README.md": index()}
    for kind, parts in list_parts().items():
        made[f"{kind}.md"] = page(kind, parts)
    for name in activations:
        drawing = plot(name, activations.get(name)())
        if drawing is not None:
            made[f"activations/{name}.svg"] = drawing
    return made


def index() -> str:
    """The page that names the others."""
    rows = [f"* [{kind}]({kind}.md): {', '.join(registry)}" for kind, registry in KINDS.items()]
    return "\n".join(
        ["# Parts", "", MADE, "", "What a config can use. `bptrain list` shows the same.", "", *rows, ""]
    )


def page(kind: str, parts: tuple[PartRecord, ...]) -> str:
    """The page of a kind."""
    text = [f"# {kind.capitalize()}", "", MADE, "", ABOUT.get(kind, ""), ""]
    also = [f"`{one.name}`: {one.about}" for one in BESIDE if one.of.kind == KINDS[kind].kind]
    if also:
        text += [f"In addition to its own options, each part takes {'; '.join(also)}.", ""]
    for part in parts:
        text += section(kind, part)
    return "\n".join(text)


def section(kind: str, part: PartRecord) -> list[str]:
    """A part: its formula, what else its docstring says, its options, its plot."""
    said = inspect.getdoc(KINDS[kind].get(part.name)) or ""
    rest = said[len(part.formula) :].lstrip(".").strip()
    text = [f"## {part.name}", "", escaped(part.formula) if "`" in part.formula else f"`{part.formula}`", ""]
    for paragraph in filter(None, rest.split("\n\n")):
        text += [paragraph if paragraph.startswith("    ") else escaped(paragraph), ""]
    if part.options:
        text += ["| option | type | default |", "| --- | --- | --- |"]
        text += [option_row(option) for option in part.options]
        text.append("")
    if kind == "activations" and activations.get(part.name)().df is not None:
        text += [f"![{part.name} and its derivative](activations/{part.name}.svg)", ""]
    return text


def option_row(option: OptionRecord) -> str:
    """An option as a row of a table."""
    allowed = option.type if option.bounds is None else f"{option.type}, {option.bounds}"
    default = "must be given" if option.required else f"`{written(option.default)}`"
    return f"| `{option.name}` | {escaped(allowed)} | {default} |"


def escaped(text: str) -> str:
    """Text in which Markdown finds no marks of its own, but for code in backticks."""
    pieces = text.split("`")
    for position in range(0, len(pieces), 2):
        for mark in "\\*_<|":
            pieces[position] = pieces[position].replace(mark, "\\" + mark)
    return "`".join(pieces)


# --- plots --------------------------------------------------------------------------------------------


def plot(name: str, part: Activation) -> str | None:
    """f and f' over Z as an SVG; None where there is no f' of a single z."""
    if part.df is None:
        return None
    edges = [Z[0], *(kink for kink in part.kinks if Z[0] < kink < Z[1]), Z[1]]
    values, slopes = [], []
    for left, right in pairwise(edges):
        z = np.linspace(left, right, 1 + round(20 * (right - left)))
        inner = z.copy()  # at a kink f' is that of this side
        inner[0], inner[-1] = left + 1e-9, right - 1e-9
        x = part.f(inner)
        values.append(polyline(z, x, "f"))
        slopes.append(polyline(z, part.df(inner, x), "d"))
    return "\n".join([*frame(name), *slopes, *values, "</g>", *labels(), "</svg>", ""])


def across(z: float) -> float:
    """Where z stands, from the left."""
    return MARGIN + (WIDTH - 2 * MARGIN) * (z - Z[0]) / (Z[1] - Z[0])


def down(x: float) -> float:
    """Where x stands, from the top."""
    return MARGIN + (HEIGHT - 2 * MARGIN) * (X[1] - x) / (X[1] - X[0])


def polyline(z: np.ndarray, x: np.ndarray, kind: str) -> str:
    """A curve."""
    points = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in zip(z.tolist(), x.tolist(), strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def frame(name: str) -> list[str]:
    """The head of a plot: colors, a white ground, a grid of whole numbers, the axes."""
    inside = f'x="{MARGIN}" y="{MARGIN}" width="{WIDTH - 2 * MARGIN}" height="{HEIGHT - 2 * MARGIN}"'
    grid = [line(across(z), MARGIN, across(z), HEIGHT - MARGIN, "g" if z else "a") for z in range(-4, 5)]
    grid += [line(MARGIN, down(x), WIDTH - MARGIN, down(x), "g" if x else "a") for x in range(-1, 4)]
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<title>{name} and its derivative</title>",
        "<style>.g{stroke:#e4e4e4}.a{stroke:#888}polyline{fill:none;stroke-width:2.5;stroke-linejoin:round}"
        ".f{stroke:#1f6fb4}.d{stroke:#e07b1a;stroke-dasharray:7 4}text{font:12px sans-serif;fill:#555}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<clipPath id="inside"><rect {inside}/></clipPath>',
        *grid,
        '<g clip-path="url(#inside)">',
    ]


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def labels() -> list[str]:
    """Numbers along the edges, and which curve is which."""
    text = [(across(z) + 3, HEIGHT - MARGIN - 4.0, str(z)) for z in range(-3, 4)]
    text += [(MARGIN + 3.0, down(x) - 3, str(x)) for x in range(-1, 4)]
    key = [(HEIGHT - 50, "f", "f(z)"), (HEIGHT - 32, "d", "f′(z)")]
    text += [(WIDTH - 62.0, y + 4.0, name) for y, _, name in key]
    return [
        *(f'<polyline class="{kind}" points="{WIDTH - 96},{y} {WIDTH - 68},{y}"/>' for y, kind, _ in key),
        *(f'<text x="{x:.1f}" y="{y:.1f}">{words}</text>' for x, y, words in text),
    ]


# --- files --------------------------------------------------------------------------------------------


def stale() -> list[str]:
    """The files of docs/parts that are not what the registries say: missing, different, or of a part that is gone."""
    made = documents()
    there = {
        file.relative_to(PLACE).as_posix(): file.read_text(encoding="utf-8")
        for file in PLACE.rglob("*")
        if file.is_file()
    }
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Writes what is stale, or with --check only tells it."""
    names = stale()
    if "--check" in arguments:
        print("\n".join(names), end="\n" if names else "")
        return 1 if names else 0
    made = documents()
    for name in names:
        file = PLACE / name
        if name in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made[name], encoding="utf-8", newline="\n")
        else:
            file.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

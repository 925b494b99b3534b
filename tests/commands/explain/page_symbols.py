"""A page of `explain` as a reader takes it: its symbols, where each is defined, and its shapes."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Sequence

from bptrain.commands.explain import DerivationLine, Explanation

# A letter, Latin or Greek, with hat or bar, with index and prime; or a word.
LETTERS = "A-Za-zΑ-Ωα-ω"
SYMBOL = re.compile(rf"[{LETTERS}]+[\u0302\u0304]?[₀-₉⁺⁻]*(?:_(?:[A-Za-z_]+|\d+))*'?(?![A-Za-z0-9_])")
# Written by everybody in the same sense.
KNOWN = {"max", "min", "tanh", "sin", "cos", "cosh", "π", "GB"}
ARTICLE = "a"
SIGNS = {"ln", "sign", "diag", "step"}  # words that are symbols, on any page
DEFINED = re.compile(
    rf"(?:^|[,;:] |\b(?:with|and|where|first) )((?:[{LETTERS}][^\s,:;=←()]*(?:\([a-z, ]*\)(?:_j)?)?(?:, | = ))*"
    rf"[{LETTERS}‖⌊Σ][^\s,:;=←()]*(?:\([a-z, ]*\)(?:_j)?)?)(?= =| ←|:| is )"
)
ENTRY = re.compile(r"_[jk]$")  # an entry of a column
LAYER = re.compile(r"_\d+(?='?$)")


def equations(page: Explanation) -> list[str]:
    """Every line of a page, with hats and bars as signs of their own."""
    return [
        unicodedata.normalize("NFD", line.equation) for section in page.sections for line in section.lines
    ]


def words_of_keys(line: str) -> str:
    """A line without the keys of the config that it names in brackets."""
    return re.sub(r"\((?:[a-z_]+\.)[^()]*\)|\(network\.[^()]*\)|seed", "", line)


def symbols(line: str, options: set[str]) -> Iterator[str]:
    """The symbols of a line; a word is one where it is the name of an option, or one of SIGNS."""
    line = re.sub(r"\d[\d.]*e-?\d+", "", words_of_keys(line))
    line = re.sub(r"\be\^", "exp ", line)
    line = re.sub(r"[A-Za-z]+'s\b|(?:schedule|scaled by) \w+:", "", line)  # a word, the name of a part
    for found in SYMBOL.finditer(line):
        text = found[0]
        plain = text.isascii() and text.isalpha()
        if text in KNOWN or text == ARTICLE:
            continue
        if plain and len(text) > 1 and text not in options | SIGNS:
            continue
        if not plain and re.fullmatch(r"[a-z]{2,}(?:_[a-z]+)+", text) and text not in options:
            continue  # a word such as half_squared_error
        yield text


def definitions(line: str) -> set[str]:
    """What a line defines: what stands before =, ←, a colon or `is`, with the arguments of a function."""
    found: set[str] = set()
    for match in DEFINED.finditer(line):
        for name in re.split(r", (?![^(]*\))| = ", match[1]):
            bare = re.sub(r"\(.*", "", name)
            found |= {bare, *re.findall(r"[a-z]", name[len(bare) :])}
    return found


def undefined(page: Explanation, options: set[str]) -> dict[str, str]:
    """The symbols that no line of the page defines, each with a line that has it."""
    lines = equations(page)
    known = set[str]().union(*(definitions(line) for line in lines))
    missing = {}
    for line in lines:
        if line.startswith("the data cannot be read: "):  # which names a file
            continue
        for symbol in symbols(line, options):
            generic = LAYER.sub("_i", symbol)
            entry = ENTRY.sub("", symbol)
            entry_known = entry != symbol and entry in known and symbol[-1] in known
            if not {symbol, generic} & known and not entry_known:
                missing[symbol] = line
    return missing


def values(page: Explanation) -> dict[str, list[str]]:
    """Each symbol that stands for an option, with the values that the page gives it."""
    found: dict[str, list[str]] = {}
    for line in equations(page):
        match = re.fullmatch(r"(\S+) = (.+) \([a-z_.]+\.[a-z_0-9]+\)", line)
        if match:
            found.setdefault(match[1], []).append(match[2])
    return found


# --- shapes -------------------------------------------------------------------------------------------


class Matrix:
    """A matrix that is only a shape; each operation asserts that it can be done."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = (rows, columns)

    def __matmul__(self, other: "Matrix") -> "Matrix":
        assert self.shape[1] == other.shape[0], (self.shape, other.shape)
        return Matrix(self.shape[0], other.shape[1])

    def __mul__(self, other: "Matrix") -> "Matrix":
        assert self.shape == other.shape, (self.shape, other.shape)
        return self

    __add__ = __sub__ = __mul__


def computed(text: str) -> tuple[int, int]:
    """The shape that an expression of shapes comes to; · is the product of matrices."""
    python = re.sub(r"(\d+)×(\d+)", r"Matrix(\1, \2)", text.removeprefix("f"))
    for sign, operator in (("·", "@"), ("∘", "*"), ("−", "-")):
        python = python.replace(sign, operator)
    return _value(ast.parse(python.strip(), mode="eval").body).shape


def _value(node: ast.expr) -> Matrix:
    if isinstance(node, ast.Call):
        rows, columns = (int(ast.unparse(argument)) for argument in node.args)
        return Matrix(rows, columns)
    assert isinstance(node, ast.BinOp), ast.dump(node)
    left, right = _value(node.left), _value(node.right)
    if isinstance(node.op, ast.MatMult):
        return left @ right
    return left * right


def assert_shapes(line: DerivationLine, sizes: Sequence[int], parameters: int) -> None:
    """Every factor has the shape that the network gives it, and the sides of an equation are equal."""
    shown = [(int(a), int(b)) for a, b in re.findall(r"(\d+)×(\d+)", line.shapes)]
    equation = re.split(r",  |  \(", line.equation)[0]
    if line.shapes.startswith("w, g: "):
        assert shown == [(parameters, 1)]
        return
    if re.match("[hξη]|x_0 is|∂E/∂[Vφ]", equation):
        assert_shapes_of_inputs(equation, shown, sizes)
        return
    if "←" in equation:  # W_i minus what has its shape, term by term
        wanted = shape_of(equation.split(" ")[0], sizes)
        assert shown == [wanted] * (1 + equation.count(" − ")), line
        return
    if equation.startswith("E = "):
        assert shown == [(1, 1), (sizes[-1], 1), (sizes[-1], 1)], line
        return
    sides = line.shapes.split(" = ")
    assert len({computed(side) for side in sides}) == 1, line
    equation = re.sub(r"\((x_\d+) − t'?\) ∘", r"\1 ∘", equation)  # one factor
    factors = re.findall(r"f_\d+'\(z_\d+\)|∂E/∂[Wbx]_\d+|(?<![\w/∂])(?:[Wxzbδ]_\d+|J_\d+|t'?)ᵀ?", equation)
    if equation.startswith("t' = "):
        factors = ["t'", "t", "t"]
    if len(sides) == 1 or equation.startswith(("x_0:", "t:", "∂E/∂x")):
        factors = factors[:1]
    elif equation.startswith("x_"):
        factors = factors[:2]
    assert shown == [shape_of(factor, sizes) for factor in factors], (line, factors)


def assert_shapes_of_inputs(equation: str, shown: list[tuple[int, int]], sizes: Sequence[int]) -> None:
    """The same of an embedding: h_q, ν_q and φ_q have as many entries as V_q has columns."""
    whole, above = (sizes[0], 1), [(sizes[0], sizes[1]), (sizes[1], 1)]
    match equation.split(" ")[0]:
        case "x_0":
            assert shown == [whole], equation
        case "ξ:" | "η_q" | "∂E/∂φ_q":
            assert len(shown) == 1, equation
        case "η":
            assert shown == [whole, *above], equation
        case "h_q":
            assert shown == [shown[0], shown[0], (1, 1), shown[0]], equation
        case "∂E/∂V_q":
            assert shown == [(shown[1][0], shown[2][1]), (shown[1][0], 1), (1, shown[2][1])], equation
        case _:
            raise AssertionError(f"no shape is known of {equation}")


def shape_of(symbol: str, sizes: Sequence[int]) -> tuple[int, int]:
    """The shape of a symbol of the derivation in a network."""
    transposed = symbol.endswith("ᵀ")
    name = symbol.removesuffix("ᵀ").removeprefix("∂E/∂")
    if name in ("t", "t'"):
        return (sizes[-1], 1)
    i = int(re.findall(r"_(\d+)", name)[0])
    rows, columns = sizes[i], {"W": sizes[i - 1] if i else 0, "J": sizes[i]}.get(name[0], 1)
    return (columns, rows) if transposed else (rows, columns)

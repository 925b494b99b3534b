"""Signs in letters, for a stream whose encoding lacks them: δ_1 is delta_1 there, and W_2ᵀ is W_2^T.

It is an error handler of Python's codecs, so that it is the same for all that is printed, by whomever. A character
that is not in the table is printed as its number, such as \\u0416, as `backslashreplace` does.

Letters of names and paths of the user's own must stay apart, so the table has no letter with an accent, and a hat or a
bar within a word is a number. Greek letters and signs such as ² are spelled in names too: `α` and `alpha` print alike.
"""

import codecs
from typing import TextIO
from unicodedata import combining

SPELLED = "bptrain.spelled"  # as the `errors` of a stream

SPELLING = {
    "→": "->",
    "←": "<-",
    "−": "-",
    "–": "-",
    "—": "-",
    "─": "-",
    "·": "*",
    "×": "x",
    "∘": "o",
    "∂": "d",
    "∇": "grad ",
    "Σ": "sum",
    "Π": "prod",
    "√": "sqrt ",
    "∞": "inf",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "±": "+-",
    "∓": "-+",
    "½": "1/2",
    "⅙": "1/6",
    "ᵀ": "^T",
    "ᵏ": "^k",
    "ᵗ": "^t",
    "⁰": "^0",
    "²": "^2",
    "³": "^3",
    "⁴": "^4",
    "⁵": "^5",
    "⁶": "^6",
    "ⁿ": "^n",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "⁷": "^7",
    "¹": "^1",
    "⁻": "_minus",
    "⁺": "_plus",
    "₀": "0",
    "₁": "1",
    "₂": "2",
    "₃": "3",
    "₄": "4",
    "₊": "+",
    "ₜ": "_t",
    "\u0302": "_hat",
    "\u0304": "_bar",
    "‖": "||",
    "⌊": "floor(",
    "⌋": ")",
    "⌈": "ceil(",
    "⌉": ")",
    "…": "...",
    "′": "'",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "•": "*",
    "├": "+",
    "└": "+",
    "▁": "_",
    "█": "#",
    "━": "=",
    "╸": "=",
    "╺": "=",
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "Δ": "Delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "Φ": "Phi",
    "ψ": "psi",
    "ω": "omega",
}


def spelled(error: UnicodeError) -> tuple[str, int]:
    """What is printed for the characters that an encoding lacks, and where to go on."""
    assert isinstance(error, UnicodeEncodeError)
    places = range(error.start, error.end)
    return "".join(spelling(error.object, place) for place in places), error.end


def spelling(text: str, place: int) -> str:
    """What is printed for one character of a text: that of the table, unless it is the accent of a letter in a word."""
    sign = text[place]
    in_word = combining(sign) and (
        text[place - 2 : place - 1].isalpha() or text[place + 1 : place + 2].isalpha()
    )
    return numbered(sign) if in_word or sign not in SPELLING else SPELLING[sign]


def numbered(sign: str) -> str:
    """A character as its number."""
    return sign.encode("ascii", "backslashreplace").decode("ascii")


def as_printed(text: str, stream: TextIO) -> str:
    """A text as a stream prints it, so that its width can be known; unchanged where the stream has all signs."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if text.isascii() or getattr(stream, "errors", None) != SPELLED:
        return text
    return text.encode(encoding, SPELLED).decode(encoding)


def has_all_signs(stream: TextIO) -> bool:
    """Whether a stream can print every character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name.startswith("utf-")


codecs.register_error(SPELLED, spelled)

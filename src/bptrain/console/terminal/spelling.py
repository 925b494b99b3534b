"""Signs in letters, for a stream whose encoding lacks them: δ_1 is delta_1 there, and W_2ᵀ is W_2^T.

It is an error handler of Python's codecs, so that it is the same for all that is printed, by whomever. A character
that is not in the table is printed as its number, such as \\u0416, as `backslashreplace` does.
"""

import codecs
from typing import TextIO

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
    "²": "^2",
    "³": "^3",
    "⁴": "^4",
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
    "û": "u_hat",
    "‖": "||",
    "⌊": "floor(",
    "⌋": ")",
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
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "µ": "mu",
    "μ": "mu",
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
    lacking = error.object[error.start : error.end]
    return "".join(SPELLING.get(sign) or numbered(sign) for sign in lacking), error.end


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

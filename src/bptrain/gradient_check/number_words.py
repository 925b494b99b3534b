"""Numbers in messages, with as many digits as what is said needs."""

MOST = 17  # significant digits: no two numbers of float64 look alike with them
CUT = 0.05  # of the difference between a factor and the round number next to it: digits must not cut off more
NOISE = 1e-10  # as a share of a factor: a smaller difference is the rounding of its fit


def told_apart(a: float, b: float, digits: int) -> tuple[str, str]:
    """Two numbers with that many significant digits, or with as many more as it takes to tell them apart."""
    for some in range(digits, MOST + 1):
        texts = f"{a:.{some}g}", f"{b:.{some}g}"
        if texts[0] != texts[1]:
            return texts
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def factor_words(c: float) -> str:
    """A factor, such as 2.5; one next to a round number, from which 7 digits do not tell it, as 0.5 + 1e-09."""
    text, near = f"{c:.7g}", float(f"{c:.3g}")
    off = abs(c - near)
    if off > NOISE * abs(near) and abs(float(text) - c) > CUT * off:
        return f"{near:g} {'+' if c > near else '−'} {off:.3g}".replace("-", "−", int(near < 0))
    return text

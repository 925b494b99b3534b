"""Numbers in messages, with as many digits as what is said needs."""

MOST = 17  # significant digits: no two numbers of float64 look alike with them
ABOUT = 5e-7  # a factor that is nearer to a round number, as a share of it, is written by its difference


def told_apart(a: float, b: float, digits: int) -> tuple[str, str]:
    """Two numbers with that many significant digits, or with as many more as it takes to tell them apart."""
    for some in range(digits, MOST + 1):
        texts = f"{a:.{some}g}", f"{b:.{some}g}"
        if texts[0] != texts[1]:
            return texts
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def factor_words(c: float) -> str:
    """A factor, such as 2.5; one next to a round number as 1 + 1e-08."""
    near = round(c)
    if near and 0 < abs(c - near) < ABOUT * abs(near):
        return f"{near} {'+' if c > near else '−'} {abs(c - near):.3g}".replace("-", "−", int(near < 0))
    return f"{c:.7g}"

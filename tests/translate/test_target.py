"""A formula is written for a target: the same one as Python for Numba and as a language like C."""

from collections.abc import Sequence

from bptrain.engines.compiled.target import NUMBA
from bptrain.parts.activations import activations
from bptrain.parts.optimizers import optimizers
from bptrain.translate.expressions import each
from bptrain.translate.formulas import translate
from bptrain.translate.target import Target
from bptrain.translate.update_rules import write_rule


class LikeC:
    """Float arithmetic with semicolons; every operation keeps its parentheses."""

    def literal(self, value: float) -> str:
        return repr(value)

    def typed(self, code: str) -> str:
        return f"{code}f" if "." in code else f"{code}.0f"

    def real(self, code: str) -> str:
        return f"(double){code}"

    def operation(self, sign: str, left: str, right: str) -> str:
        if sign == "**":
            return f"pow({left}, {right})"
        return f"({left} {({'and': '&&', 'or': '||'}).get(sign, sign)} {right})"

    def negative(self, code: str) -> str:
        return f"(-{code})"

    def negation(self, condition: str) -> str:
        return f"(!{condition})"

    def choice(self, condition: str, a: str, b: str) -> str:
        return f"({condition} ? {a} : {b})"

    def call(self, function: str, codes: Sequence[str]) -> str:
        return f"{function}f({', '.join(codes)})"

    def call_of_numbers(self, function: str, codes: Sequence[str]) -> str:
        return f"{function}({', '.join(codes)})"

    def reduction(self, name: str, array: str) -> str:
        return f"{name}({array}, n)"

    def assignment(self, variable: str, code: str) -> str:
        return f"{variable} = {code};"

    def loop(self, entries: int, lines: Sequence[str]) -> list[str]:
        return [f"for (int j = 0; j < {entries}; j++) {{", *(f"    {line}" for line in lines), "}"]

    def returned(self, codes: Sequence[str]) -> str:
        return f"return {', '.join(codes)};"

    def tidy(self, code: str) -> str:
        return code


C: Target = LikeC()


def test_a_choice() -> None:
    f = activations.get("relu")().f
    assert translate(f, 3, NUMBA, z=each("z")).lines == ("return F(0.0) if z <= F(0) else z",)
    assert translate(f, 3, C, z=each("z")).lines == ("return ((z <= 0.0f) ? 0.0f : z);",)


def test_sums_over_a_row() -> None:
    f = activations.get("softmax")().f
    assert translate(f, 3, C, z=each("z")).lines == (
        "largest_1 = largest(z, n);",
        "for (int j = 0; j < 3; j++) {",
        "    s0[j] = expf((z[j] - largest_1));",
        "}",
        "total_3 = total(s0, n);",
        "for (int j = 0; j < 3; j++) {",
        "    out[j] = (s0[j] / total_3);",
        "}",
    )


def test_numbers_of_an_update() -> None:
    rule = write_rule(optimizers.get("adam")(), C)
    assert rule.numbers == {"c0": "(1.0 - pow(0.9, t))", "c1": "(1.0 - pow(0.999, t))", "c2": "rate"}
    assert "slot_mean" in rule.formula.lines[0]
    assert rule.formula.lines[0].endswith(";")


def test_how_a_rule_folds() -> None:
    fold = write_rule(optimizers.get("gradient_descent")(), C).fold
    assert fold is not None
    assert (fold.alpha, fold.beta) == ("(-c0)", "1.0f")

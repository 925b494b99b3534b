"""The lines of a formula as it is written out: its variables, and loops over the entries of a row."""

import re
from dataclasses import dataclass, field, replace

from bptrain.translate.expressions import Expression, Numbers, Untranslatable
from bptrain.translate.target import Target

NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")  # of a variable, and not of a function of a library


@dataclass
class Writing:
    """The lines so far; a formula `by_row` is a sequence of loops, between which sums are taken."""

    n: int  # entries of a row
    by_row: bool
    target: Target
    lines: list[str] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)  # (variable, code) of the loop under way
    stored: dict[str, str] = field(default_factory=dict)  # variable of an earlier loop -> scratch entry
    scratch: int = 0
    variables: int = 0

    def __post_init__(self) -> None:
        self.numbers = Numbers(self.target)

    def variable(self, name: str, value: Expression) -> Expression:
        """A value under a name of its own, so that it is worked out once."""
        if value.kind not in ("each", "row", "condition") or value.constant is not None:
            return value
        self.variables += 1
        here = f"{name}_{self.variables}"
        if self.by_row and value.kind == "each":
            self.pending.append((here, value.code))
        else:
            self.lines.append(self.target.assignment(here, self.placed(value.code)))
        return replace(value, code=here)

    def close_loop(self, code: str) -> str:
        """Ends the loop under way, which stores each of its variables and `code` in a scratch row: that of `code`."""
        lines = []
        entries = [*self.pending] if code in dict(self.pending) else [*self.pending, ("", code)]
        for variable, value in entries:
            place = f"s{self.scratch}[j]"
            lines.append(self.target.assignment(place, self.placed(value)))
            self.stored[variable or code] = place
            self.scratch += 1
        self.lines += self.target.loop(self.n, lines)
        self.pending.clear()
        return self.stored[code].removesuffix("[j]")

    def placed(self, code: str) -> str:
        """Code in which variables of earlier loops are read from where they were stored."""
        return self.target.tidy(NAME.sub(lambda name: self.stored.get(name[0], name[0]), code))

    def finish(self, result: Expression) -> list[str]:
        """All lines, the last loop of a row formula included, which writes `out`; a single value is returned."""
        if not self.by_row:
            codes = [self.placed(self.numbers.typed(value)) for value in result.flat]
            return [*self.lines, self.target.returned(codes)]
        if result.kind == "row":
            return [*self.lines, self.target.returned([self.placed(result.code)])]
        if result.kind != "each":
            raise Untranslatable("the formula gives neither a number for each entry nor one for each row")
        last = [self.target.assignment(name, self.placed(code)) for name, code in self.pending]
        last.append(self.target.assignment("out[j]", self.placed(result.code)))
        return [*self.lines, *self.target.loop(self.n, last)]

    def reduced(self, reduction: str, over: Expression) -> Expression:
        """The sum, or the like, over the entries of a row."""
        code = self.placed(self.numbers.typed(over))
        array = code.removesuffix("[j]")
        if not array.isidentifier() or array == code:  # not a row that is there already
            array = self.close_loop(code)
        self.variables += 1
        name = f"{reduction}_{self.variables}"
        self.lines.append(self.target.assignment(name, self.target.reduction(reduction, array)))
        return Expression("row", name)

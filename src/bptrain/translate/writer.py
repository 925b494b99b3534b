"""The lines of a formula as it is written out: its variables, and loops over the entries of a row."""

import ast
from dataclasses import dataclass, field, replace

from bptrain.translate.values import Numbers, Untranslatable, Value


@dataclass
class Writing:
    """The lines so far; a formula `by_row` is a sequence of loops, between which sums are taken."""

    n: int  # entries of a row
    by_row: bool
    lines: list[str] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)  # (variable, code) of the loop under way
    stored: dict[str, str] = field(default_factory=dict)  # variable of an earlier loop -> scratch entry
    numbers: Numbers = field(default_factory=Numbers)
    scratch: int = 0
    variables: int = 0

    def variable(self, name: str, value: Value) -> Value:
        """A value under a name of its own, so that it is worked out once."""
        if value.kind not in ("each", "row", "condition") or value.constant is not None:
            return value
        self.variables += 1
        here = f"{name}_{self.variables}"
        if self.by_row and value.kind == "each":
            self.pending.append((here, value.code))
        else:
            self.lines.append(f"{here} = {self.placed(value.code)}")
        return replace(value, code=here)

    def close_loop(self, code: str) -> str:
        """Ends the loop under way, which stores each of its variables and `code` in a scratch row: that of `code`."""
        self.lines.append(f"for j in range({self.n}):")
        entries = [*self.pending] if code in dict(self.pending) else [*self.pending, ("", code)]
        for variable, value in entries:
            place = f"s{self.scratch}[j]"
            self.lines.append(f"    {place} = {self.placed(value)}")
            self.stored[variable or code] = place
            self.scratch += 1
        self.pending.clear()
        return self.stored[code].removesuffix("[j]")

    def placed(self, code: str) -> str:
        """Code in which variables of earlier loops are read from where they were stored."""
        tree = ast.parse(code, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = self.stored.get(node.id, node.id)
        return ast.unparse(tree)

    def finish(self, result: Value) -> list[str]:
        """All lines, the last loop of a row formula included, which writes `out`; a single value is returned."""
        if not self.by_row:
            return [
                *self.lines,
                "return " + ", ".join(self.placed(self.numbers.typed(value)) for value in result.flat),
            ]
        if result.kind == "row":
            return [*self.lines, f"return {self.placed(result.code)}"]
        if result.kind != "each":
            raise Untranslatable("the formula gives neither a number for each entry nor one for each row")
        last = [f"    {variable} = {self.placed(code)}" for variable, code in self.pending]
        return [*self.lines, f"for j in range({self.n}):", *last, f"    out[j] = {self.placed(result.code)}"]

    def reduced(self, reduction: str, over: Value) -> Value:
        """The sum, or the like, over the entries of a row."""
        code = self.placed(self.numbers.typed(over))
        array = code.removesuffix("[j]")
        if not array.isidentifier() or array == code:  # not a row that is there already
            array = self.close_loop(code)
        self.variables += 1
        name = f"{reduction}_{self.variables}"
        self.lines.append(f"{name} = {reduction}({array})")
        return Value("row", name)

"""Loops of constant length written out, and short vectors as variables of their own.

In a network of a few weights each step waits for the one before, and a number that passes through memory on its way
arrives later: with its loops written out, such a network is trained some 12 % faster.
"""

import ast
import copy
import re
from collections.abc import Iterable, Iterator

# A comment is no part of a syntax tree, so it passes through one as a text that stands alone in its line.
COMMENT = re.compile(r"^( *)(# .*)$")
TEXT = re.compile(r'^( *)((?:"""|[\'"])# .*)$')


def unrolled(lines: Iterable[str], vectors: set[str]) -> Iterator[str]:
    """The lines with every `for … in range(<number>)` written out.

    The entries of `vectors` become variables, but for a vector that is handed to a function as a whole.
    """
    tree = ast.parse("\n".join(COMMENT.sub(lambda found: found[1] + repr(found[2]), line) for line in lines))
    tree.body = [written for statement in tree.body for written in _written_out(statement)]
    entries = [node.value for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    whole = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in entries}
    _Variables(vectors - whole).visit(tree)
    for line in ast.unparse(tree).splitlines():
        yield TEXT.sub(lambda found: found[1] + ast.literal_eval(found[2]), line)


class _Fixed(ast.NodeTransformer):
    """Puts a number in place of a loop's index."""

    def __init__(self, index: str, value: int) -> None:
        self.index, self.value = index, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.value) if node.id == self.index else node


def _written_out(statement: ast.stmt) -> list[ast.stmt]:
    match statement:
        case ast.For(
            target=ast.Name(id=index),
            iter=ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int() as n)]),
            body=body,
        ):
            copies = (_Fixed(index, k).visit(copy.deepcopy(inner)) for k in range(n) for inner in body)
            return [written for inner in copies for written in _written_out(inner)]
    return [statement]


class _Variables(ast.NodeTransformer):
    """Writes z1[3] as z1_3."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as place)) if (
                name in self.names
            ):
                return ast.Name(f"{name}_{place}", node.ctx)
        return node

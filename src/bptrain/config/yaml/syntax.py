"""What the YAML parser complains of, in the words of someone who writes a config."""

import re
from typing import Any

# What libyaml or PyYAML says: the same in plain words.
_WORDS = {
    r"expected ',' or '\]'": "the list that starts with [ here is not closed, or a comma is missing in it",
    r"expected ',' or '\}'": "the mapping that starts with { here is not closed, or a comma is missing in it",
    r"unexpected end of stream|unexpected document separator": "the quotation that starts here is not closed",
    r"mapping values are not allowed": "a second colon in one line, or a line too far to the right: put text "
    "with ': ' in quotes, and start the keys of a section in one column",
    r"sequence entries are not allowed": "a list written with - starts on a line of its own",
    r"could not find expected ':'": "a key without its colon, or text that needs quotes",
    r"expected <block end>|expected key|expected '-'": "the indentation does not match the lines above",
    r"unknown escape character": r"an unknown escape after \ in double quotes: use single quotes, or \\",
    r"undefined tag handle": "a config has no tags (!…); put text that starts with ! in quotes",
    r"alphabetic or numeric character": "text that starts with * or & must be in quotes",
    r"expected the node content|expected node content": "a value is missing here",
}


def in_words(error: Any, lines: list[str]) -> tuple[str, int, int]:
    """A message for a `yaml.MarkedYAMLError`, and line and column of what is at fault, counted from 1."""
    message, mark = _in_words(error, lines)
    above = _line_without_colon(lines, mark.line) if "a second colon" in message else None
    if above is not None:
        return "a key without its colon", above + 1, len(lines[above]) - len(lines[above].lstrip()) + 1
    return message, mark.line + 1, mark.column + 1


def _line_without_colon(lines: list[str], line: int) -> int | None:
    """The line above one that has a key, where it starts in the same column and should have one too."""
    above = next((i for i in range(line - 1, -1, -1) if lines[i].strip()), None)
    if above is None or line >= len(lines) or ":" in lines[above]:
        return None
    text = lines[above].lstrip()
    same_column = len(lines[above]) - len(text) == len(lines[line]) - len(lines[line].lstrip())
    return above if same_column and text[0].isalpha() else None


def _in_words(error: Any, lines: list[str]) -> tuple[str, Any]:
    problem, mark = error.problem or error.context or "unknown", error.problem_mark or error.context_mark
    if "cannot start any token" in problem:
        line = lines[mark.line] if mark.line < len(lines) else ""
        character = line[mark.column : mark.column + 1]
        if character == "\t":
            return "a tab; YAML is indented with spaces", mark
        return f"text that starts with {character} must be in quotes", mark
    for pattern, words in _WORDS.items():
        if re.search(pattern, problem):
            return words, (error.context_mark or mark) if "not closed" in words else mark
    return f"not valid YAML: {problem}", mark

"""What a stream is: a terminal or a file, how wide, whether it may be colored or drawn over. And texts and bars on it.

NO_COLOR (no-color.org) takes all colors away, FORCE_COLOR gives them to a file or pipe too; TERM=dumb and CI get plain
lines in place of bars. A signal cannot leave a bar half drawn, so that the terminal has its cursor back whatever ends a
command.
"""

import os
import shutil
import textwrap
from typing import TYPE_CHECKING, TextIO
from unicodedata import combining, east_asian_width

from bptrain.errors import JOINERS, undisturbed

if TYPE_CHECKING:
    from rich.progress import Progress


RED, GREEN, YELLOW, BOLD = "1;31", "1;32", "1;33", "1"
LEAST = 20  # columns that text is given, however narrow a terminal says it is


def _is_set(name: str) -> bool:
    """Whether a variable of the environment says yes."""
    return os.environ.get(name, "").lower() not in ("", "0", "false")


def is_redrawn(stream: TextIO) -> bool:
    """Whether a bar may be drawn over itself there."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not _is_set("CI")


def is_colored(stream: TextIO) -> bool:
    """Whether text there may have colors."""
    if os.environ.get("NO_COLOR"):  # whatever its value
        return False
    return _is_set("FORCE_COLOR") or (stream.isatty() and os.environ.get("TERM") != "dumb")


def width_of(stream: TextIO) -> int | None:
    """The columns of a terminal; None for a file or pipe, whose lines are as long as they are."""
    return max(shutil.get_terminal_size().columns, LEAST) if stream.isatty() else None


def styled(text: str, style: str, stream: TextIO) -> str:
    """The text in a style, where the stream has colors."""
    return f"\x1b[{style}m{text}\x1b[0m" if is_colored(stream) else text


def wrapped(text: str, width: int | None, further: str = "  ") -> str:
    """A text whose lines are broken between words, with `further` before the rest of each."""
    if width is None:
        return text
    broken = []
    for line in text.split("\n"):
        if cells(line) < width:
            broken.append(line)
            continue
        bare = line.lstrip()
        indent = line[: len(line) - len(bare)]
        broken += textwrap.wrap(
            bare,
            max(width - 1, LEAST),
            initial_indent=indent,
            subsequent_indent=indent + further,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(broken)


def cells(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) or c in JOINERS else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def begin(bar: "Progress") -> "Progress":
    """Draws a bar for the first time; it hides the cursor and starts a thread."""
    with undisturbed():
        bar.start()
    return bar


def end(bar: "Progress | None") -> None:
    """Takes a bar away, if there is one."""
    if bar is not None:
        with undisturbed():
            bar.stop()

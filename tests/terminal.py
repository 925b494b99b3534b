"""bptrain in a real pseudo-terminal, and what then stands on its screen."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bptrain.console.terminal.terminal import cells
from bptrain.errors import JOINERS

# The terminal becomes that of the process, so that what is typed reaches it as from a keyboard.
TAKE = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
SCRIPT = (
    f"{TAKE}import sys; from bptrain.cli.entry import main; sys.argv = ['bptrain', *sys.argv[1:]]; main()"
)
TOLD = ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST")
CONTROL = re.compile(rb"\x1b\[(\??)([\d;]*)([A-Za-z])")
LONGEST = 60.0  # seconds


class Seen(NamedTuple):
    """What a command left behind."""

    code: int
    raw: bytes
    text: str  # the lines of the screen and of what has scrolled away
    cursor_shown: bool
    column: int  # of the cursor
    styled: bool  # a style was left on


def environment(**changes: str) -> dict[str, str]:
    """The environment without what terminals and CI say there, and with changes."""
    kept = {name: value for name, value in os.environ.items() if name not in TOLD}
    return {**kept, "TERM": "xterm-256color", "PYTHONUTF8": "1", **changes}


def in_terminal(
    *arguments: object,
    columns: int = 80,
    env: Mapping[str, str] | None = None,
    type_after: tuple[str, bytes] | None = None,
    script: str = SCRIPT,
    cwd: Path | None = None,
) -> Seen:
    """Runs `bptrain ARGUMENTS`; with `type_after`, types something once a text is on the screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**environment(), **(env or {})},
        cwd=cwd,
    ) as process:
        os.close(slave)
        raw, begun = b"", time.monotonic()
        while True:
            assert time.monotonic() - begun < LONGEST, raw
            try:
                piece = os.read(master, 65536)
            except OSError:  # Linux says so that the other end is closed
                break
            if not piece:
                break
            raw += piece
            if type_after is not None and type_after[0].encode() in raw:
                os.write(master, type_after[1])
                type_after = None
        code = process.wait(LONGEST)
    os.close(master)
    return Seen(code, raw, *drawn(raw, columns))


def drawn(raw: bytes, columns: int) -> tuple[str, bool, int, bool]:
    """Text, whether the cursor is shown, its column, and whether a style is on, after a terminal has read it all."""
    lines: list[list[str]] = [[]]
    row, column, shown, style = 0, 0, True, False

    def put(letter: str) -> None:
        nonlocal row, column
        if column + cells(letter) > columns:
            row, column = row + 1, 0
        while len(lines) <= row:
            lines.append([])
        line = lines[row]
        line += [" "] * (column - len(line) + 1)
        line[column : column + 1] = [letter]
        column += cells(letter)

    position = 0
    while position < len(raw):
        found = CONTROL.match(raw, position)
        if found:
            position = found.end()
            private, number, action = found[1], found[2].decode(), found[3].decode()
            count = int(number) if number.isdecimal() else 1
            if action == "m":
                style = number not in ("", "0")
            elif private:
                assert number == "25", found[0]
                shown = action == "h"
            elif action == "A":
                row = max(0, row - count)
            elif action == "B":
                row += count
            elif action == "K" and number == "2":
                lines[row : row + 1] = [[]]
            elif action == "K" and number in ("", "0"):
                del lines[row][column:]
            else:
                raise AssertionError(found[0])
            continue
        length = next(n for n in (1, 2, 3, 4) if n == 4 or _is_whole(raw[position : position + n]))
        letter = raw[position : position + length].decode()
        position += length
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
            while len(lines) <= row:
                lines.append([])
        else:
            assert letter.isprintable() or letter in JOINERS, letter
            put(letter)
    text = "\n".join("".join(line).rstrip() for line in lines).rstrip() + "\n"
    return text, shown, column, style


def _is_whole(letter: bytes) -> bool:
    try:
        letter.decode()
    except UnicodeDecodeError:
        return False
    return True


def in_pipe(
    *arguments: object, env: Mapping[str, str] | None = None, script: str = SCRIPT, cwd: Path | None = None
) -> tuple[int, str, str]:
    """Runs `bptrain ARGUMENTS` with pipes in place of a terminal: exit code, stdout, stderr."""
    command = [sys.executable, "-c", script.replace(TAKE, ""), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**environment(), **(env or {})},
        cwd=cwd,
    )
    return done.returncode, done.stdout, done.stderr

"""What may stand where a Tab is pressed: commands, options, config keys and their values, part names, runs.

The words come from the commands, the schema and the registries, and reading them there takes a few tenths of a second.
So the first Tab keeps them, and later ones load nothing; where they cannot be kept, each Tab reads them again.

    <cache>/words/<version>-<key>.json       key = a checksum of the names, times and sizes of the package's sources

    {"commands": {"fit": {"help": …, "arguments": ["CONFIG"], "options": {"--set": {"help": …, "takes": "KEY=VALUE"}}}},
     "keys": {"training.mode": ["sgd", "minibatch", "batch"]}, "kinds": ["activations", …]}

`takes` and `arguments` are what help shows: RUN stands for runs, KIND for kinds of parts, KEY=VALUE for a key and its
value; what is in lower case stands for itself. All else is left to the shell, which offers files. An option that takes
nothing is a flag.
"""

import json
import os
import re
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bptrain
from bptrain.caches import cache_directory

Candidate = tuple[str, str]  # the word, and what it is

KEPT = 5  # files of words, one for each installation in use
NAME = re.compile(r"[0-9][0-9A-Za-z.+]*-[0-9a-f]{8}\.json")  # of such a file
DAY = 86_400.0  # seconds
RUNS = Path("runs")
DEPTH = 4  # of a run below runs/, so that a large directory is not searched to the bottom


def answer(shell: str, words: list[str]) -> None:
    """Prints what may stand in place of the last word, one per line, as the shell's script reads it."""
    if shell == "bash":  # which gives the line up to the cursor, and replaces what follows its last = or :
        line = words[0] if words else ""
        words = split(line)
    found = candidates(words[1:-1], words[-1] if words else "")
    current = words[-1] if words else ""
    for word, about in found:
        if shell == "bash":
            rest = word[max(current.rfind("="), current.rfind(":")) + 1 :]
            print(re.sub(r"[^\w@%+=:,./-]", r"\\\g<0>", rest))  # quoted: bash types it as it is
        else:
            print(f"{word}\t{about}" if about else word)
    sys.stdout.flush()


def split(line: str) -> list[str]:
    """The words of a line that may end in the middle of one; the last is empty behind a space."""
    import shlex  # for bash alone

    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = []
    try:
        words = list(lexer)
    except ValueError:  # a quote that is still open
        return [*line.split(), ""] if line.endswith(" ") else line.split()
    return words if words and not line.endswith(" ") else [*words, ""]


def candidates(before: list[str], current: str) -> list[Candidate]:
    """What the word that begins with `current` may be, behind the words after `bptrain`."""
    return [one for one in offered(known_words(), before, current) if one[0].startswith(current)]


def offered(known: dict[str, Any], before: list[str], current: str) -> Iterable[Candidate]:
    """Everything that may stand there."""
    name, rest = command_of(known["commands"], before)
    if name not in known["commands"]:
        return subcommands(known["commands"], name)
    command = known["commands"][name]
    options = command["options"]
    position, waiting = 0, ""  # of the argument; the option that waits for its value
    for word in rest:
        if waiting:
            waiting = ""
        elif word.startswith("-"):
            waiting = word if options.get(word, {}).get("takes") else ""
        else:
            position += 1
    if waiting:
        return of_kind(known, options[waiting]["takes"], current)
    option, equals, value = current.partition("=")
    if equals and option in options:
        return [
            (f"{option}={word}", about) for word, about in of_kind(known, options[option]["takes"], value)
        ]
    if current.startswith("-"):
        return [(word, about["help"]) for word, about in options.items()]
    arguments = command["arguments"]
    found = of_kind(known, arguments[position], current) if position < len(arguments) else []
    below = [] if rest else [one for one in subcommands(known["commands"], name) if one[0] != "--help"]
    return [*below, *found]


def command_of(commands: dict[str, Any], before: list[str]) -> tuple[str, list[str]]:
    """The command that the words name, such as "config show", and the words after it."""
    words = [word for word in before if not word.startswith("-")]
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if len(words) >= length and name in commands:
            at = before.index(words[length - 1])
            return name, before[at + 1 :]
    within = " ".join(words[:2])
    return within if any(name.startswith(f"{within} ") for name in commands) else " ".join(words[:1]), []


def subcommands(commands: dict[str, Any], group: str) -> Iterator[Candidate]:
    """The commands, or those of a group; and the options that stand before a command."""
    prefix = f"{group} " if group else ""
    seen = set()
    for name, command in commands.items():
        first, _, more = name.removeprefix(prefix).partition(" ")
        if name.startswith(prefix) and first not in seen:
            seen.add(first)
            yield first, "" if more else command["help"]
    yield from (("--help", "Show help."), *((("--version", "Print the version."),) if not group else ()))


def of_kind(known: dict[str, Any], takes: str, current: str) -> list[Candidate]:
    """The words that an option or argument takes; none for a file, which the shell completes itself."""
    found: list[str] = []
    for word in takes.replace("[RUN] ", "RUN|").split(
        "|"
    ):  # a run, which may be left out, or what stands behind it
        if word == "KEY=VALUE":  # first a key, and behind its = a value
            key, equals, _ = current.partition("=")
            keys: dict[str, list[str]] = known["keys"]
            found += (
                [f"{key}={value}" for value in keys.get(key, ())] if equals else [f"{one}=" for one in keys]
            )
        elif word == "RUN":
            found += runs()
        elif word == "KIND":
            found += known["kinds"]
        elif word.islower():
            found.append(word)
    return [(word, "") for word in found]


def runs() -> list[str]:
    """The runs under runs/, the newest number first; none whose name a shell cannot show as it is."""
    found = []
    for depth in range(1, DEPTH):
        found += [str(record.parent) for record in RUNS.glob("/".join(["*"] * depth + ["run.json"]))]
    return sorted((run for run in found if run.isprintable()), reverse=True)


def known_words() -> dict[str, Any]:
    """Everything that completion knows, from the cache if an earlier Tab has put it there."""
    file = cache_directory("words") / f"{bptrain.__version__}-{key_of_sources()}.json"
    try:
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    except (
        OSError,
        ValueError,
    ):  # this is the first Tab, the directory cannot be read, or the file is damaged
        from bptrain.cli.completion_words import make_words

        words = make_words()
        keep(file, words)
        return words


def key_of_sources() -> str:
    """A checksum that changes with any of the package's sources; they are not read."""
    listing = "\n".join(sorted(sources(os.path.dirname(bptrain.__file__))))
    return f"{zlib.crc32(listing.encode()):08x}"


def sources(directory: str) -> Iterator[str]:
    """Name, time and size of each source below a directory."""
    for entry in os.scandir(directory):
        if entry.is_dir():
            yield from sources(entry.path)
        elif entry.name.endswith(".py"):
            status = entry.stat()
            yield f"{entry.path} {status.st_mtime_ns} {status.st_size}"


def keep(file: Path, words: dict[str, Any]) -> None:
    """Writes the words to a temporary file and renames it, so that no other Tab reads half of them."""
    from bptrain.temporary import is_left_over, written_beside  # for the first Tab alone

    with suppress(OSError):  # a full or read-only disk: the next Tab makes them anew
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written_beside(file) as unfinished:
            unfinished.write(json.dumps(words, ensure_ascii=False).encode())
        ours = [one for one in file.parent.iterdir() if NAME.fullmatch(one.name)]
        for old in sorted(ours, key=lambda one: one.lstat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        for left in file.parent.iterdir():
            if is_left_over(left, NAME.pattern) and left.stat().st_mtime < time.time() - DAY:
                left.unlink(missing_ok=True)

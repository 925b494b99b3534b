"""Wrong configs by the thousand: `python dev/fuzz_configs.py [N [FIRST]]` tries N of them (default 100,000).

Whatever is written, a config is read or refused with a UsageError; any other exception ends this, and the config is
shown before it. What is read is written out and must read back as the same. One in four is damaged until nothing near a
valid config is left. tests/config/test_config_fuzz.py tries a fixed sample.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bptrain.config import dump_yaml, to_plain, validate
from bptrain.config.document import load_text
from bptrain.console.terminal.screen import problem_text
from bptrain.errors import UsageError
from config.mutants import accident, mutant

FURTHER = 4  # one in so many is damaged by up to FURTHER² accidents more


def text_of(number: int) -> str:
    """The config of a number."""
    random = Random(number)
    text = mutant(random)
    if number % FURTHER == 0:
        for _ in range(random.randint(1, FURTHER**2)):
            text = accident(text, random)
    return text


def tried(text: str) -> list[str]:
    """The codes of what is wrong with a config; none where it is read."""
    try:
        config = validate(load_text(text, "fuzz.yaml"))
    except UsageError as error:
        if not error.problems or not all(problem_text(problem) for problem in error.problems):
            raise AssertionError("refused without a word") from error
        return [problem.code for problem in error.problems]
    if validate(load_text(dump_yaml(to_plain(config)), "again.yaml")) != config:
        raise AssertionError("what is written out reads as another config")
    return []


def main(count: int, first: int) -> None:
    """Tries so many configs."""
    codes: Counter[str] = Counter()
    slowest, read = 0.0, 0
    for number in range(first, first + count):
        text, found = text_of(number), None
        clock = time.process_time()
        try:
            found = tried(text)
        finally:
            if found is None:
                print(f"--- config {number}\n{text}\n---")
        slowest = max(slowest, time.process_time() - clock)
        codes.update(found)
        read += not found
    said = ", ".join(f"{code} {n:,}" for code, n in codes.most_common())
    print(
        f"{count:,} configs: {read:,} read, {count - read:,} refused; slowest {slowest * 1e3:.0f} ms; {said}"
    )


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    main(*(numbers + [100_000, 0][len(numbers) :]))

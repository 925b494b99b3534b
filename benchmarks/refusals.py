"""How long a config takes to be refused, and how much memory: the bombs and the wrong configs of the tests.

    python benchmarks/refusals.py [--repeats 7] [--json FILE]

Each is read in a process of its own, which has imported what a command imports and refused a small config
before. The time is the least of the repeats, of the processor, since nothing waits here; the memory is by how
much the process has grown at most. Exit code 1 where one takes more than 50 ms or 50 MB.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bptrain.config import load_config
from bptrain.config.yaml import reader
from bptrain.errors import UsageError
from config.bad_configs import TABLE
from config.yaml.bombs import BOMBS
from machine import in_words, machine

MILLISECONDS, MEGABYTES = 50.0, 50.0


def refuse(file: Path) -> float:
    """The milliseconds that it takes."""
    clock = time.process_time()
    try:
        load_config(file)
    except UsageError:
        return (time.process_time() - clock) * 1e3
    raise SystemExit(f"{file} is read")


def measured(file: Path, small: Path, repeats: int, answer: Connection) -> None:
    """Sends the milliseconds and megabytes."""
    refuse(small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = [refuse(file)]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    times += [refuse(file) for _ in range(repeats - 1)]
    answer.send((min(times), grown / (2**20 if sys.platform == "darwin" else 2**10)))


def main() -> int:
    """Prints the table, the slowest first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    context = get_context("fork")
    texts = {**BOMBS, **{f"wrong: {bad.rule}": bad.text for bad in TABLE}}
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        small, file = Path(place, "small.yaml"), Path(place, "config.yaml")
        small.write_text("lr: 1\n")
        refuse(small)
        for name, text in texts.items():
            file.write_text(text, encoding="utf-8")
            here, there = context.Pipe()
            process = context.Process(target=measured, args=(file, small, options.repeats, there))
            process.start()
            figures[name] = here.recv()
            process.join()
    parser_of = "C" if reader._LOADER.__name__.startswith("C") else "Python"
    print(f"{in_words(machine())}; YAML parser in {parser_of}; {len(texts)} texts\n")
    print("| text | ms | MB |\n| --- | ---: | ---: |")
    ordered = sorted(figures.items(), key=lambda entry: -entry[1][0])
    for name, (milliseconds, megabytes) in ordered[:20]:
        print(f"| {name} | {milliseconds:.1f} | {megabytes:.1f} |")
    slowest, largest = (max(figure[i] for figure in figures.values()) for i in (0, 1))
    print(f"\nat most {slowest:.1f} ms and {largest:.1f} MB")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "figures": figures}, indent=1))
    return int(slowest > MILLISECONDS or largest > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

"""Damaged files by the thousand: `python dev/fuzz_readers.py [N [FIRST]]` reads N of them (default 20,000).

Files of every format, damaged where it hurts (tests/formats/damaged_files.py), each by its number. A file is a table or
a DataError; any other exception, a warning, more memory than the cap or more time than SECONDS ends this with the
number. Files are read in child processes, so that a crash of a library is found, too. tests/formats/test_reader_fuzz.py
reads a fixed sample.
"""

import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

BATCH = 500  # files that one child reads
SECONDS = 20  # that a file may take


def read_all(first: int, count: int) -> int:
    """Reads these files in this process; prints one line for each: its number, what it is, and what came out."""
    from formats.damaged_files import contents
    from formats.reading_damaged import Limits, limited, outcome

    warnings.simplefilter("error")
    contents()  # loads the libraries
    with tempfile.TemporaryDirectory() as folder, limited(Limits()):
        for number in range(first, first + count):
            print(number, end=" ", flush=True)
            clock = time.process_time()
            found = outcome(number, Path(folder))
            seconds = time.process_time() - clock
            print(f"{found.what.split(':')[0]}|{found.result}|{found.grown}|{seconds:.3f}", flush=True)
    return 0


def main(count: int, first: int) -> int:
    """Reads so many files; 1 where one of them does what none may do."""
    results: Counter[str] = Counter()
    grown, slowest, read = 0, 0.0, 0
    for begin in range(first, first + count, BATCH):
        size = min(BATCH, first + count - begin)
        command = [sys.executable, __file__, str(size), str(begin), "child"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS * BATCH)
        for line in done.stdout.splitlines():
            if "|" in line:
                _, result, size_grown, seconds = line.split("|")
                results[result] += 1
                read += result == "table"
                grown, slowest = max(grown, int(size_grown)), max(slowest, float(seconds))
        if done.returncode != 0:
            last = done.stdout.splitlines()[-1] if done.stdout else "?"
            print(f"file {last} ended its reader ({done.returncode}):\n{done.stderr[-4000:]}")
            return 1
        print(f"\r{begin + size - first:,} of {count:,}", end="", file=sys.stderr, flush=True)
    said = ", ".join(f"{result} {n:,}" for result, n in results.most_common())
    print(
        f"\n{count:,} files from {first:,} on: {read:,} read; {grown / 1e6:.0f} MB of memory for one at most, slowest "
        f"{slowest:.2f} s; {said}"
    )
    return 0


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    run = read_all if sys.argv[3:] == ["child"] else main
    if run is read_all:
        sys.exit(read_all(numbers[1], numbers[0]))
    sys.exit(main(*(numbers + [20_000, 0][len(numbers) :])))

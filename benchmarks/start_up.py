"""How quickly a command answers: whole processes by wall clock, in pairs, round after round.

    python benchmarks/start_up.py [--repeats 11] [--json FILE]

`bptrain --help` beside `python -c "import typer"`, on which it is built; a Tab in a shell and `--version` beside a
Python that does nothing; `bptrain fit` on xor, a thousand epochs with a run that can be resumed, beside
`python -c "import torch"`. The first round warms the file cache and is not counted.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from machine import installed
from rounds import Table, interleaved, ratio, short, timed, write_json
from worker import surroundings

ROOT = Path(__file__).resolve().parent.parent
BPTRAIN = [sys.executable, "-m", "bptrain"]
HELP, TAB, FIT = "K1: help", "K2: a Tab", "K3: a whole fit"
TYPER, TORCH = 'python -c "import typer"', 'python -c "import torch"'
TARGETS = {FIT: ((TORCH, 1.0),)}


def runner(line: list[str], **variables: str) -> Callable[[], float]:
    """Runs a command in the surroundings of this process, and returns its seconds."""
    before = [f"{name}={value}" for name, value in variables.items()]
    whole = ["env", *before, *line] if before else line
    return lambda: timed(lambda: subprocess.run(whole, capture_output=True, check=True, cwd=ROOT))


def python(code: str) -> list[str]:
    """A Python that does one thing."""
    return [sys.executable, "-c", code]


def main() -> None:
    """Prints three tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fit = [*BPTRAIN, "fit", "configs/xor.yaml", "--overwrite", "--out", str(Path(folder, "run"))]
        groups = {
            HELP: {
                TYPER: runner(python("import typer")),
                "bptrain --help": runner([*BPTRAIN, "--help"]),
                "bptrain fit --help": runner([*BPTRAIN, "fit", "--help"]),
            },
            TAB: {
                "python -c pass": runner(python("pass")),
                "completion": runner([*BPTRAIN, "bptrain", "fit", ""], _BPTRAIN_COMPLETE="zsh"),
                "bptrain --version": runner([*BPTRAIN, "--version"]),
            },
            FIT: {"bptrain fit configs/xor.yaml": runner(fit)},
        }
        if installed("torch") is not None:
            groups[FIT][TORCH] = runner(python("import torch"))
        tables = []
        for title, lines in groups.items():
            with surroundings(2):
                for run in lines.values():
                    run()
                rounds = interleaved(lines, options.repeats)
            tables.append(Table(title, "seconds", next(iter(lines)), rounds, TARGETS.get(title, ())))
            print(tables[-1], flush=True)
            if title == HELP:
                most = max(
                    ratio(rounds[name], rounds[TYPER]) for name in rounds if name.startswith("bptrain")
                )
                print(f"* target ≤ 1.5× {TYPER}: {short(most)}×: {'met' if most <= 1.5 else 'MISSED'}\n")
    write_json(options.json, tables)


if __name__ == "__main__":
    main()

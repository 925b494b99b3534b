"""bptrain's engines beside PyTorch, JAX, Keras, scikit-learn and FANN, on the same work: the cases A to H.

    pip install -e '.[fast]' torch jax keras scikit-learn; for FANN: gcc and Debian's libfann-dev
    python benchmarks/peers.py [--cases A,B] [--threads 1,2] [--repeats 5] [--only numba,jax]
                               [--json FILE] [--markdown FILE]

Whoever is not installed is left out, and said so. See measure.py for how it is measured, contestants.py for who takes
part, cases.py for the work. The other benchmarks are whole_process.py, matrix_form.py and predict.py.
"""

import argparse
import json
import sys
from pathlib import Path

from cases import CASES
from machine import machine
from measure import Outcome, measure
from report import lines_of, markdown, plain


def main(arguments: list[str]) -> None:
    """Runs the cases, prints a table for each, and writes the files that were asked for."""
    options = parse(arguments)
    outcomes: list[Outcome] = []
    for threads in options.threads:
        for case in CASES:
            if case.key in options.cases:
                print(f"case {case.key}, threads: {threads} …", file=sys.stderr)
                outcomes.append(measure(case, threads, options.repeats, options.only))
                print("\n".join(lines_of(outcomes[-1])), flush=True)
    facts = machine()
    if options.json is not None:
        report = plain(outcomes, facts, options.repeats)
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.markdown is not None:
        options.markdown.write_text(markdown(outcomes, facts, options.repeats), encoding="utf-8")


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; an unknown case is an error."""
    known = [case.key for case in CASES]

    def listed(text: str) -> list[str]:
        return text.split(",")

    def cases(text: str) -> list[str]:
        for key in listed(text):
            if key not in known:
                raise argparse.ArgumentTypeError(f"there is no case {key}, only {', '.join(known)}")
        return listed(text)

    def counts(text: str) -> list[int]:
        return [int(word) for word in listed(text)]

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=cases, default=known, help="such as A,F-adam")
    parser.add_argument("--threads", type=counts, default=[1, 2], help="such as 1,2")
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument(
        "--only", type=listed, default=[], help="parts of contestants' names, such as numba,jax"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

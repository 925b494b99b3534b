"""False alarms and false negatives of the gradient check: `python dev/gradcheck_slips.py`; exit code 1 for one.

Random deep networks of every registered part, in ordinary and in extreme states. Right code must pass. Slips of 1e-6 in
each δ_i, block and part must fail wherever right code agrees with the numeric gradient to 1e-12.
`--networks N` (default 2000) and `--seed S` (the first, default 0) choose the networks, and `--steps` gives
them steps before W_1;
tests/gradient_check/test_slip_search.py runs a small sample.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from gradient_check.slip_search import deep_network, false_alarm, false_negatives


def main(networks: int, first: int, steps: bool) -> int:
    """Prints what is found, and the counts."""
    alarms = negatives = 0
    for seed in range(first, first + networks):
        one = deep_network(seed, steps)
        said = false_alarm(one)
        if said is not None:
            alarms += 1
            print(f"FALSE ALARM {one.name}: {said}", flush=True)
        for missed in false_negatives(one):
            negatives += 1
            print(f"MISSED {one.name}: {missed}", flush=True)
    print(f"{networks} networks from seed {first}: {alarms} false alarms, {negatives} slips that pass")
    return 1 if alarms or negatives else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Search for false alarms and false negatives of gradcheck.")
    parser.add_argument("--networks", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--steps", action="store_true", help="with steps before W_1")
    chosen = parser.parse_args()
    sys.exit(main(chosen.networks, chosen.seed, chosen.steps))

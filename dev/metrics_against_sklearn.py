"""Every metric against scikit-learn's, at length: `python dev/metrics_against_sklearn.py [N]`; 1 for a difference.

N random cases (default 1,000) of one class per row, of yes/no outputs, and of values, others at each call;
tests/parts/test_metrics_against_sklearn.py runs a small sample.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import sklearn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from parts.metric_cases import (
    OF_CLASSES,
    OF_LABELS,
    OF_VALUES,
    Case,
    Variant,
    check,
    of_classes,
    of_labels,
    of_values,
)

KINDS: list[tuple[str, Callable[[], st.SearchStrategy[Case]], list[Variant]]] = [
    ("one class per row", of_classes, OF_CLASSES),
    ("yes/no outputs", of_labels, OF_LABELS),
    ("values", of_values, OF_VALUES),
]


def compared(n: int, strategy: st.SearchStrategy[Case], variants: list[Variant]) -> int:
    """How many cases were compared. Raises AssertionError for the simplest case that hypothesis finds to differ."""
    cases = 0

    @seed(time.time_ns())
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def on_random_cases(case: Case) -> None:
        nonlocal cases
        cases += 1
        check(case, variants)

    on_random_cases()
    return cases


def main(n: int) -> int:
    """Prints, for each kind of target, how many cases were compared in how many metrics."""
    failed = 0
    print(f"scikit-learn {sklearn.__version__}")
    for title, strategy, variants in KINDS:
        try:
            cases = compared(n, strategy(), variants)
            print(f"ok      {title}: {cases} cases, {len(variants)} metrics and variants each")
        except AssertionError as error:
            failed += 1
            print(f"FAILED  {title}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))

"""Every metric that scikit-learn has equals scikit-learn's, to 1e-12, on random cases.

`python dev/metrics_against_sklearn.py` tries many more of them.
"""

import pytest
from hypothesis import given, settings

pytest.importorskip("sklearn", reason="comes with the extra `dev`")

from bptrain.parts.metrics import metrics
from parts.metric_cases import (
    OF_CLASSES,
    OF_LABELS,
    OF_VALUES,
    Case,
    check,
    of_classes,
    of_labels,
    of_values,
)

CASES = settings(max_examples=60, derandomize=True, deadline=None)


@CASES
@given(of_classes())
def test_of_classes(case: Case) -> None:
    check(case, OF_CLASSES)


@CASES
@given(of_labels())
def test_of_yes_and_no(case: Case) -> None:
    check(case, OF_LABELS)


@CASES
@given(of_values())
def test_of_values(case: Case) -> None:
    check(case, OF_VALUES)


def test_none_is_forgotten() -> None:
    compared = {name for name, _, _ in (*OF_CLASSES, *OF_VALUES)}
    assert compared == set(metrics) - {"expected_calibration_error"}  # which scikit-learn has not
    of_each_label = {name for name in metrics if metrics.get(name)().multilabel} - {
        name for name, _, _ in OF_VALUES
    }
    assert of_each_label == {name for name, _, _ in OF_LABELS}

"""Metrics against values worked by hand."""

import numpy as np
import pytest

from bptrain.parts.metrics import metrics

TRUE, PREDICTED = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])


def test_classes() -> None:
    assert metrics.get("accuracy")().of(PREDICTED, TRUE, 3) == 0.6
    assert metrics.get("error_rate")().of(PREDICTED, TRUE, 3) == 0.4
    assert metrics.get("confusion_matrix")().of(PREDICTED, TRUE, 3) == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_every_label_must_be_right() -> None:
    true, predicted = np.array([[1, 0], [1, 1]]), np.array([[1, 0], [1, 0]])
    assert metrics.get("accuracy")().of(predicted, true, 2) == 0.5


def test_values() -> None:
    true, predicted = np.array([[1.0], [2.0], [6.0]]), np.array([[1.0], [4.0], [5.0]])
    assert metrics.get("rmse")().of(predicted, true, 0) == pytest.approx((5 / 3) ** 0.5)
    assert metrics.get("mae")().of(predicted, true, 0) == 1.0
    assert metrics.get("r2")().of(predicted, true, 0) == pytest.approx(1 - 5 / 14)


def test_several_targets_are_averaged() -> None:
    true = np.array([[0.0, 0.0], [2.0, 4.0]])
    predicted = np.array([[0.0, 2.0], [2.0, 2.0]])
    assert metrics.get("rmse")().of(predicted, true, 0) == 1.0  # (0 + 2) / 2
    assert metrics.get("r2")().of(predicted, true, 0) == 0.5  # (1 + 0) / 2


def test_r2_of_a_constant_target() -> None:
    true = np.array([[3.0], [3.0]])
    assert metrics.get("r2")().of(true, true, 0) == 1.0
    assert metrics.get("r2")().of(true + 1, true, 0) == 0.0
    nearly = np.array([[0.0], [1e-5]])  # it varies, though little
    assert metrics.get("r2")().of(nearly + 1e-5, nearly, 0) == pytest.approx(-3.0)

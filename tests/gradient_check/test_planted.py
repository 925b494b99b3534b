"""Every planted fault is caught, and those that match a known pattern are said to."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.gradient_check.check import gradcheck
from bptrain.gradient_check.point import GradientPoint
from bptrain.gradient_check.slips import diagnose
from gradient_check.planted import PLANTED, Planted, case, wrong_gradient


def test_the_library() -> None:
    """No two with the same change in the same network, and some for which there is no pattern."""
    assert len({(fault.of, fault.changes) for fault in PLANTED}) == len(PLANTED) >= 40
    assert len({fault.name for fault in PLANTED}) == len(PLANTED)
    assert sum(fault.code is None for fault in PLANTED) >= 10


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_planted(fault: Planted, tmp_path: Path) -> None:
    net, w, X, T, context = case(fault.of)
    g = wrong_gradient(fault, tmp_path)
    assert not gradcheck(net, w, X, T, analytic=g, context=context).passed
    found = diagnose(GradientPoint(net, w, X, T, context), g)
    assert (found and (found.code, found.layer)) == (fault.code and (fault.code, fault.layer)), found


@pytest.mark.parametrize("of", sorted({fault.of for fault in PLANTED}))
def test_the_same_code_without_a_fault(of: str, tmp_path: Path) -> None:
    net, w, X, T, context = case(of)
    for module in ("backprop", "reference"):
        g = wrong_gradient(Planted("none", of, (), None, None, module), tmp_path)
        report = gradcheck(net, w, X, T, analytic=g, context=context)
        assert report.max_relative_error < 1e-12
        assert diagnose(GradientPoint(net, w, X, T, context), g) is None
        assert np.isfinite(g).all()

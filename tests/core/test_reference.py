"""The oracle stands on its own: it shares no line with what it checks."""

import subprocess
import sys

CHECKED = {"bptrain.core.backprop", "bptrain.core.objective", "bptrain.core.curvature"}


def test_it_imports_nothing_that_it_checks() -> None:
    code = "import sys, bptrain.core.reference; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "bptrain.core.reference" in loaded
    assert not CHECKED & loaded

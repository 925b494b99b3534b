"""What a process of its own has loaded."""

import os
import subprocess
import sys

from bptrain.cli.entry import VARIABLE

TELL = "print('\\n'.join(sys.modules), file=sys.stderr)"


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command line has loaded when it ends."""
    code = f"import sys\nfrom bptrain.cli.main import run\nrun({list(arguments)!r})\n{TELL}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def loaded_by_entry(shell: str, *words: str) -> set[str]:
    """The modules that completing a command line has loaded."""
    code = f"import sys\nfrom bptrain.cli.entry import main\nsys.argv = ['bptrain', *{list(words)!r}]\nmain()\n{TELL}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, VARIABLE: shell},
    )
    assert done.stdout
    return set(done.stderr.split())

"""Where the command `bptrain` begins: a Tab in a shell is answered at once, without typer; all else goes to `main`."""

import os
import sys

VARIABLE = "_BPTRAIN_COMPLETE"  # set by the completion script of a shell, to the shell's name

# Threads of libraries wait asleep, not in a busy loop: where other programs run, that takes the processor from the
# thread that is waited for (engines/threads.py). The libraries read this once, when they are loaded.
OPENMP = {
    "OMP_WAIT_POLICY": "passive",
    "GOMP_SPINCOUNT": "1000",
}  # some microseconds first, between two products
OPENBLAS = {"OPENBLAS_THREAD_TIMEOUT": "4"}  # 2⁴ ticks of the clock, the least it takes


def main() -> None:
    """Completes a command line, or runs it."""
    shell = os.environ.get(VARIABLE)
    if shell:
        from bptrain.cli.completing import answer

        answer(shell, sys.argv[1:])
    else:
        wait_asleep()
        from bptrain.cli.main import main as run_command_line

        run_command_line()


def wait_asleep() -> None:
    """Sets how threads of libraries wait; not where the user has."""
    for variables in (OPENMP, OPENBLAS):
        if not any(name in os.environ for name in variables):
            os.environ.update(variables)

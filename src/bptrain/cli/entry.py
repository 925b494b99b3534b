"""Where the command `bptrain` begins: a Tab in a shell is answered at once, without typer; all else goes to `main`."""

import gc
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
# pydantic would look for plug-ins of its own in every package that is installed.
NO_PLUGINS = ("PYDANTIC_DISABLE_PLUGINS", "__all__")
# What a command loads is kept to its end. Python would look through all of it for cycles again and again, a tenth of
# the time of a short command; with this many new objects between two looks there is none while a command is loaded.
NEW_OBJECTS = 200_000


def main() -> None:
    """Completes a command line, or runs it."""
    shell = os.environ.get(VARIABLE)
    if shell:
        from bptrain.cli.completing import answer

        answer(shell, sys.argv[1:])
    else:
        gc.set_threshold(NEW_OBJECTS)
        wait_asleep()
        os.environ.setdefault(*NO_PLUGINS)
        from bptrain.cli.main import main as run_command_line

        run_command_line()


def wait_asleep() -> None:
    """Sets how threads of libraries wait; not where the user has."""
    for variables in (OPENMP, OPENBLAS):
        if not any(name in os.environ for name in variables):
            os.environ.update(variables)

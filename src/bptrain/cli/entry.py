"""Where the command `bptrain` begins: a Tab in a shell is answered at once, without typer; all else goes to `main`."""

import os
import sys

VARIABLE = "_BPTRAIN_COMPLETE"  # set by the completion script of a shell, to the shell's name


def main() -> None:
    """Completes a command line, or runs it."""
    shell = os.environ.get(VARIABLE)
    if shell:
        from bptrain.cli.completing import answer

        answer(shell, sys.argv[1:])
    else:
        from bptrain.cli.main import main as run_command_line

        run_command_line()

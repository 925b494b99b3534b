"""`python -m bptrain`."""

from bptrain.cli.entry import main

main()

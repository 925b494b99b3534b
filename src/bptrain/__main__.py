"""`python -m bptrain`."""

from bptrain.cli.main import main

main()

"""`python -m benchmark` is the command `sparsefront`."""

from benchmark.cli.commands import main

main()

"""`python -m benchmark` is the command `sparsefront`."""

from benchmark.cli import main

main()

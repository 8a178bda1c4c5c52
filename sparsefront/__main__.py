"""`python -m sparsefront` is the command `sparsefront`."""

from benchmark.cli.commands import main

if __name__ == "__main__":
    main()

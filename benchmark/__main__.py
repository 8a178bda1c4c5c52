"""`python -m benchmark` is the command `sparsefront`."""

from sparsefront.__main__ import main  # `sparsefront` comes before packages of a user with the names of ours

main()

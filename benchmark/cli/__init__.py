"""The command line: commands, their options, and how they change an experiment.

commands.py is the entry point with `list` and `show`, which take their lines from lists.py; running.py holds `plan`,
`run`, `status` and `smoke`, reports.py `report`, `compare` and `docs`, page.py `report --html`, stale.py finds stale
rows for both, merging.py `merge`, export.py `export`, checking.py `check`, and claims.py `check-claims`. options.py has
the options that commands share, overrides.py those that change an experiment, machine.py those that depend on the
machine. method_table.py prints the table of methods for the documentation. output.py has the consoles and keeps
commands running when their output is lost.
"""

from benchmark.cli.commands import main

__all__ = ["main"]

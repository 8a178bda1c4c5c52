"""The command line: commands, their options, and how they change an experiment.

commands.py defines the commands, options.py the options that they share, and overrides.py the options that change an
experiment. machine.py resolves the options that depend on the machine, and method_table.py prints the table of methods
for the documentation. output.py has the consoles and keeps commands running when their output is lost. lists.py holds
`list` and `show`, reports.py `report`, `compare` and `docs`, page.py `report --html`, merging.py `merge`, and claims.py
`check-claims`.
"""

from benchmark.cli.commands import main

__all__ = ["main"]

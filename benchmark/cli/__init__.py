"""The command line.

commands.py holds the commands, options.py the options that they share, overrides.py changes an experiment as options
say, and machine.py resolves the options that depend on the machine.
"""

"""A sweep computes the runs of an experiment and writes their rows.

sweep.py is the sweep itself. folder.py holds the results folder, rows.py makes a row, invocation.py records what a call
of the command did, estimate.py estimates the time left, progress.py shows it, and status.py describes a folder.
"""

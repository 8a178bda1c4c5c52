"""A sweep computes the runs of an experiment and writes their rows.

sweep.py is the sweep itself. folder.py holds the results folder, tables.py checks and repairs its tables, lock.py
keeps it for one sweep, upgrade.py gives tables of older versions the present columns, rows.py makes a row, and
invocation.py records what a call of the command did. estimate.py estimates the time left, progress.py shows it, and
status.py describes a folder. merge.py joins folders into a new one. kept.py finds a run by its key and rebuilds its
network.
"""

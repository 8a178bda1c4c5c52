"""The tables of a comparison, one file each, with an interval, n finished and n asked beside their numbers.

accuracy.py holds accuracies at given compressions, tolerance.py compressions at given losses of accuracy. write.py
writes them to files.
"""

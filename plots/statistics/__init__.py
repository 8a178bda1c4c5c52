"""The tables of a comparison, one file each, with an interval, n finished and n asked beside their numbers.

accuracy.py holds accuracies at given compressions, tolerance.py compressions at given losses of accuracy, volume.py the
hypervolume of fronts, improvement.py the probability that one method beats another, profiles.py how often each is close
to the best, attainment.py the worst, median and best seed, mcnemar.py tests example by example, objectives.py
objectives compared with those of factors. write.py writes all but the last to files.
"""

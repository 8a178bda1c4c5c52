"""Benchmarks of the suite itself.

step.py times a training step, loop.py a training loop, and sweep.py the work of a sweep besides training, with
rows.py for a folder of many runs. inference.py times final networks in the forms of forms.py, and memory.py measures
the memory of each. timing.py holds what they share.
"""

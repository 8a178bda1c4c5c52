"""Benchmarks of the suite itself.

step.py times a training step, loop.py a training loop, and sweep.py the work of a sweep besides training. timing.py
holds what they share.
"""

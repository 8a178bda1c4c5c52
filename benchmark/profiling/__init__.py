"""Benchmarks of the suite itself: a training step, a training loop, and a sweep."""

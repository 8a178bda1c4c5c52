"""From an experiment to its rows: plan, compute, write, and report progress."""

"""Measures sparse training: tasks, runs, the training loop, and the CSVs that everything else reads."""

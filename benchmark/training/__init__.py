"""Training R runs of one task and method, and measuring their final networks."""

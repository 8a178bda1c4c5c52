"""The machinery that all methods share; it names no method."""

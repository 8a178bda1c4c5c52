"""The way from a final network to one that is small and fast.

storage.py writes and reads files of networks, with each tensor in the smallest of the layouts of layouts.py.
"""

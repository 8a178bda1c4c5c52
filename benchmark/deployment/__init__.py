"""The way from a final network to one that is small and fast.

storage.py writes and reads files of networks, with each tensor in the smallest of the layouts of layouts.py.
compact.py removes dead units: tracer.py follows them through a forward pass, by the rules of features.py for the
operations that operations.py names.
sparse_rows.py and two_of_four.py multiply by sparse matrices, for which fast_path.py shuts torch's fast path.
exports.py writes the formats of other programs.
"""

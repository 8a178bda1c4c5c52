"""The CSV files. schema.py holds their columns; table.py appends, reads, repairs and compresses them.

bits.py writes and reads a cell with one bit for each example.
"""

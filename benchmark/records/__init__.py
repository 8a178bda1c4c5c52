"""The CSV files. schema.py holds their columns; table.py appends and reads them; repair.py repairs and compresses them.

files.py replaces a file whole or not at all. bits.py writes and reads a cell with one bit for each example.
"""

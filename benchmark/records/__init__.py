"""The CSV files. schema.py holds their columns; table.py appends, reads, repairs and compresses them."""

"""The CSV files: their columns, and how they are appended, read and repaired."""

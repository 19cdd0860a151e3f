"""Formulas. NumPy columns in, NumPy columns out: no files, no objects to run, no loop over candidates."""

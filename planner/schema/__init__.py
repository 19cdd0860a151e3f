"""Frozen records: what plans, profiles, workloads and results are made of. No I/O and no formulas."""

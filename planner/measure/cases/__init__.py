"""Suites, one a file, found by being in this folder: each lays out its grid of cases by tier."""

"""Measurements to coefficients: each law fitted to kernel times, with its error on shapes the fit never saw. Pure."""

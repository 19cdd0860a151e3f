"""Networks that no package has, by their papers and their authors' code: what count_networks.py counts as ``paper/``."""

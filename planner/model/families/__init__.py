"""Architecture families: each turns its sizes and one pass into a list of operators."""

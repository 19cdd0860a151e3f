"""From a plan's inputs to candidates: options as columns, evaluated at once, the best of each place explained."""

"""From estimates to a decision: how sure, which one, and what would change it."""

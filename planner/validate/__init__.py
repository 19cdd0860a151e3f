"""Published measurements against estimates: what could be estimated, and how far off it was."""

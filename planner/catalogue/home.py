"""The planner's own folder on this machine."""

import os
from pathlib import Path


def home() -> Path:
    """``$PLANNER_HOME``, or ``~/.planner``."""
    return Path(os.environ.get("PLANNER_HOME") or Path.home() / ".planner")

"""No test reads what ``planner`` keeps in the home of who runs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def planner_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PLANNER_HOME is an empty folder: prices that somebody refreshed would change every decision."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_HOME", str(home))
        yield home

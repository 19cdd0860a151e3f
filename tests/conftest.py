"""No test reads what ``planner`` keeps in the home of who runs it, or depends on the shell that started it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def planner_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PLANNER_HOME is an empty folder: prices that somebody refreshed would change every decision."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_HOME", str(home))
        yield home


@pytest.fixture(autouse=True, scope="session")
def interrupts() -> None:
    """Children can be interrupted: a shell that starts the tests in the background has them ignore it, and so their children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

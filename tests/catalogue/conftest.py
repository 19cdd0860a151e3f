"""A folder of profiles of our own, so that no test rests on what the shipped catalogue has."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.catalogue.profiles import Profiles
from planner.errors import InputError

OWN = Path(__file__).parent / "own"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the profiles, to break."""
    return Path(shutil.copytree(OWN, tmp_path / "own"))


@pytest.fixture
def catalogue(own: Path) -> Profiles:
    return Profiles([own])


@pytest.fixture
def refused() -> Callable[..., InputError]:
    """Calls a function and gives the InputError it must raise, which must fit a terminal."""

    def call(function: Callable[..., object], *arguments: object) -> InputError:
        with pytest.raises(InputError) as caught:
            function(*arguments)
        message = str(caught.value)
        assert message.replace("\n", "").isprintable()
        assert len(message) < 1500
        return caught.value

    return call

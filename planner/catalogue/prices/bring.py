"""From a feed's text to the table that shall be in force."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from planner.catalogue.document import read_text
from planner.catalogue.prices import feeds, store
from planner.catalogue.prices.merge import Taken, merge
from planner.catalogue.prices.origins import MOST, PLACES
from planner.catalogue.profiles import Profiles
from planner.errors import InputError, printable
from planner.schema.quote import Table


@dataclass(frozen=True)
class Brought:
    """A feed laid over the prices in force."""

    old: Table
    taken: Taken


def bring(text: str, origin: feeds.Origin, profiles: Profiles, *, force: bool = False) -> Brought:
    """Read a feed and lay it over the prices in force. Nothing is written."""
    provider = profiles.described(origin.provider)
    feed = feeds.read(text, origin)
    old = _in_force(provider.id, profiles, force)
    named = {i.system for i in provider.instances.values()} | {q.system for t in (feed, old) for q in t.quotes if q.system}
    systems = {id: profiles.system(id) for id in named if id in profiles.files["system"]}
    return Brought(old, merge(feed, old, provider, systems, force=force))


def _in_force(provider: str, profiles: Profiles, force: bool) -> Table:
    """The table in force; the shipped one where that cannot be read and is to be overwritten."""
    try:
        return store.in_force(provider, profiles)
    except InputError:
        if not force:
            raise
        return store.as_shipped(provider)


def from_file(path: Path, provider: str, day: date | None) -> tuple[str, feeds.Origin]:
    """The text of a file and where it is from; its prices are of ``day``, by default the day the file was written."""
    text = read_text(path, MOST)
    day = day or date.fromtimestamp(path.stat().st_mtime)
    return text, feeds.Origin(str(path), f"import-{day}", f"imported from {printable(path.name)}, prices of {day}", day, provider)


def from_place(url: str, place: str, provider: str, today: date) -> feeds.Origin:
    """Where a download is from."""
    cited = f"{PLACES[place].name}, {printable(url, 300)}, read {today}"
    return feeds.Origin(printable(url, 200), f"{place}-{today}", cited, today, provider)

"""``planner prices``: how old the prices are, and fresh ones from feeds or files."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, progress, say, table, write
from planner.errors import InputError, visible

if TYPE_CHECKING:
    from planner.catalogue.prices.bring import Brought
    from planner.catalogue.prices.fetch import Fetcher
    from planner.catalogue.profiles import Profiles
    from planner.schema.quote import Table

app = typer.Typer(
    help="Prices of the catalogue: how old they are, what changed, and fresh ones. Only 'refresh' uses the network.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Place(StrEnum):
    """Where prices are published."""

    skypilot = "skypilot"
    gpuhunt = "gpuhunt"
    azure = "azure"


ForceOption = Annotated[
    bool, typer.Option("--force", help="Take prices that look cut off or of another unit, and overwrite a table edited by hand.")
]
DateOption = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], metavar="DAY", help="Day of the file's prices; by default when it was written."),
]


@app.command("status", epilog="Example: planner prices status")
def status(format: FormatOption = Format.table, profiles_dir: ProfilesOption = None) -> None:
    """Show how many prices there are of each provider, how old they are, and from which file."""
    from dataclasses import asdict

    from planner.catalogue.prices import store

    catalogue = profiles(profiles_dir)
    found = [store.status(p, catalogue) for p in catalogue.providers() if p.offers]
    if format is Format.json:
        write(dump({"schema_version": 1, "rows": [{k: v if isinstance(v, int) else v and str(v) for k, v in asdict(s).items()}
                                                  for s in found]}), None)  # fmt: skip
        return
    today = date.today()
    rows = [[s.provider, f"{s.prices:,}", str(s.oldest), str(s.newest), f"{(today - s.oldest).days:,} days",
             "shipped" if s.shipped else str(s.file)] for s in found if s.oldest]  # fmt: skip
    say(table(["provider", "rents", "oldest", "newest", "age of the oldest", "from"], rows, "lrllrl"))


@app.command("refresh", epilog="Examples: planner prices refresh; planner prices refresh --provider azure --from azure")
def refresh(
    provider: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only these providers; by default all there are.")
    ] = None,
    place: Annotated[Place, typer.Option("--from", help="Where from.")] = Place.skypilot,
    url: Annotated[
        str, typer.Option("--url", envvar="PLANNER_PRICES_URL", metavar="BASE", help="A mirror of that place instead.")
    ] = "",
    force: ForceOption = False,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Fetch prices and put them in force, in $PLANNER_HOME/offers over the shipped ones.

    What arrives is checked before it replaces anything; where that fails the old prices stay, and the exit status is 1.
    """
    from planner.catalogue.prices.fetch import Fetcher
    from planner.catalogue.prices.origins import PLACES

    catalogue = profiles(profiles_dir)
    wanted = provider or [id for id in PLACES[place].providers if id in catalogue.files["provider"]]
    for id in wanted:
        catalogue.described(id)  # an unknown one is an error before anything is fetched
    failed = 0
    with Fetcher() as fetcher, progress("prices") as tick:
        for done, id in enumerate(wanted):
            tick(done, len(wanted))
            failed += not _refreshed(id, place, url, fetcher, catalogue, force)
    if failed:
        raise typer.Exit(1)


def _refreshed(id: str, place: str, url: str, fetcher: "Fetcher", catalogue: "Profiles", force: bool) -> bool:
    from planner.catalogue.prices import store
    from planner.catalogue.prices.bring import bring, from_place
    from planner.catalogue.prices.origins import download

    try:
        text, address = download(fetcher, place, catalogue.described(id), url)
        brought = bring(text, from_place(address, place, id, date.today()), catalogue, force=force)
        file = store.save(brought.taken.table, id, force=force)
    except InputError as error:
        stay = store.age(store.status(catalogue.provider(id), catalogue), date.today())
        typer.echo(f"planner: {id}: {error}\n  The prices in force stay: {stay}.", err=True)
        return False
    _told(id, brought, file)
    return True


def _told(id: str, brought: "Brought", file: Path) -> None:
    """What came in, in a few lines."""
    from planner.catalogue.prices.changes import changes

    kinds = [c.kind for c in changes(brought.old, brought.taken.table)]
    counts = ", ".join(f"{kinds.count(k):,} {k}" for k in ("added", "removed", "dearer", "cheaper"))
    say(f"{id}: {sum(len(q.prices) for q in brought.taken.table.quotes):,} prices in {file}: {counts}")
    for why, n in brought.taken.left.most_common():
        say(f"  left out: {n:,} {why}, like {', '.join(brought.taken.named[why])}")


@app.command("import", epilog="Example: planner prices import vms.csv --provider aws")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A feed's file: SkyPilot's or gpuhunt's CSV, or Azure's JSON.")],
    provider: Annotated[str, typer.Option(metavar="ID", help="Whose prices they are.")],
    day: DateOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write the table here; by default in $PLANNER_HOME/offers.")
    ] = None,
    force: ForceOption = False,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Read prices from a file and put them in force, without a network."""
    from planner.catalogue.prices import store
    from planner.catalogue.prices.bring import bring, from_file

    catalogue = profiles(profiles_dir)
    catalogue.described(provider)
    brought = bring(*from_file(file, provider, day.date() if day else None), catalogue, force=force)
    _told(provider, brought, store.save(brought.taken.table, provider, to, force=force))


@app.command("diff", epilog="Examples: planner prices diff; planner prices diff vms.csv --provider aws")
def diff(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A feed's file: what importing it would change.")] = None,
    provider: Annotated[str, typer.Option(metavar="ID", help="Whose prices; needed with FILE, else all there are.")] = "",
    day: DateOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Changes shown of each provider, the largest first; 0 shows all.")] = 20,
    force: ForceOption = False,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Show what changed: the prices in force against the shipped ones, or a file's against those in force."""
    from dataclasses import asdict

    from planner.catalogue.prices.changes import changes

    catalogue = profiles(profiles_dir)
    if file is not None and not provider:
        raise InputError("needs --provider with a file", hint="planner prices diff vms.csv --provider aws")
    wanted = [provider] if provider else catalogue.ids("provider")
    pairs = {id: _tables(file, id, day, catalogue, force) for id in wanted}
    found = {id: changes(old, new) for id, (old, new) in pairs.items()}
    if format is Format.json:
        rows = [{"provider": id, **asdict(c), "share": c.share} for id, all_ in found.items() for c in all_]
        write(dump({"schema_version": 1, "rows": rows}), None)
        return
    shown = [_shown(id, all_, limit) for id, all_ in found.items() if all_]
    say("\n\n".join(shown) or "no price changed")


def _tables(file: Path | None, id: str, day: datetime | None, catalogue: "Profiles", force: bool) -> tuple["Table", "Table"]:
    from planner.catalogue.prices import store
    from planner.catalogue.prices.bring import bring, from_file

    catalogue.described(id)
    if file is None:
        return store.as_shipped(id), store.in_force(id, catalogue)
    brought = bring(*from_file(file, id, day.date() if day else None), catalogue, force=force)
    return brought.old, brought.taken.table


def _shown(id: str, all_: list[Any], limit: int) -> str:
    kinds = [c.kind for c in all_]
    head = f"{id}: " + ", ".join(f"{kinds.count(k):,} {k}" for k in ("added", "removed", "dearer", "cheaper"))
    rows = [[c.kind, c.instance, c.region, c.term.replace("_", " "), _money(c.before), _money(c.after), c.currency,
             "" if c.share is None else f"{c.share:+.1%}"] for c in (all_[:limit] if limit else all_)]  # fmt: skip
    more = [f"… {len(all_) - len(rows):,} more (--limit 0 shows all)"] if len(all_) > len(rows) else []
    titles = ["change", "instance", "region", "term", "was", "is", "", "by"]
    return visible("\n".join([head, table(titles, rows, "llllrrlr"), *more]))


def _money(price: float | None) -> str:
    return "–" if price is None else f"{price:,.4f}"

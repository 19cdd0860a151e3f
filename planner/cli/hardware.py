"""``planner hardware``: what the catalogue knows of devices, systems and offers, and whether it is sound."""

from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, dump, profiles, say, table, write

app = typer.Typer(help="Devices, systems and offers: list, show and check them.", no_args_is_help=True, rich_markup_mode=None)

TITLES = {"devices": "devices", "offers": "offers by provider", "offers_of": "offers by kind", "prices": "prices by term"}


@app.command("list", epilog="Examples: planner hardware list --kind fpga; planner hardware list --offers --provider aws")
def list_(
    kind: Annotated[str, typer.Option(help="Only cpu, gpu, tpu, fpga or asic.")] = "",
    systems: Annotated[bool, typer.Option("--systems", help="Systems instead of devices.")] = False,
    offers: Annotated[bool, typer.Option("--offers", help="Offers with their prices instead of devices.")] = False,
    provider: Annotated[str, typer.Option(metavar="ID", help="Only offers of this provider.")] = "",
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """List devices with their main figures, or systems, or offers."""
    from planner.catalogue import listing
    from planner.catalogue.profiles import FOLDERS
    from planner.errors import unknown

    if kind and kind not in FOLDERS["device"]:
        raise unknown("kind", kind, FOLDERS["device"])
    catalogue = profiles(profiles_dir)
    wanted = [catalogue.provider(provider)] if provider else None
    rows = (
        listing.offers(catalogue, wanted)
        if offers or wanted
        else listing.systems(catalogue)
        if systems
        else listing.devices(catalogue)
    )
    rows = [row for row in rows if not kind or row["kind"] == kind]
    if format is Format.json:
        write(dump({"schema_version": 1, "rows": rows}), None)
        return
    header = list(rows[0]) if rows else []
    say(table(header, [[listing.cell(name, row[name]) for name in header] for row in rows]) if rows else "none")


@app.command("show", epilog="Example: planner hardware show nvidia-h100-sxm")
def show(
    id: Annotated[str, typer.Argument(help="A device, system or provider id.")],
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Show everything about one device, system or provider, with sources."""
    from planner.catalogue import listing
    from planner.catalogue.document import plain

    catalogue = profiles(profiles_dir)
    record = listing.find(id, catalogue)
    if format is Format.json:
        write(dump({"schema_version": 1, **plain(record)}), None)
    else:
        say(listing.text(record, catalogue))


@app.command("check", epilog="Example: planner hardware check --profiles my-hardware/")
def check(format: FormatOption = Format.table, profiles_dir: ProfilesOption = None) -> None:
    """Check every profile: readable, sourced, consistent; exit status 1 where something is wrong.

    Peaks must follow from units, clock and operations a cycle within 5 %; rents older than 90 days are warned of.
    """
    from dataclasses import asdict

    from planner.catalogue.check import check as run
    from planner.search.machines import misfits

    found = run(profiles(profiles_dir), {"calibration": misfits})
    if format is Format.json:
        write(dump({"schema_version": 1, **asdict(found)}), None)
    else:
        counts = ", ".join(f"{n:,} {what}" for what, n in found.counts.items())
        parts = [f"{TITLES[name]}: " + ", ".join(f"{n:,} {one.replace('_', ' ')}" for one, n in sorted(part.items()))
                 for name, part in found.parts.items()]  # fmt: skip
        say("\n".join([*found.problems, *(f"warning: {w}" for w in found.warnings), counts, *parts]))
    if found.problems:
        raise typer.Exit(1)

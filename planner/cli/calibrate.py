"""``planner calibrate``: measurements to a handful of coefficients with an honest error."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, about, dump, profiles, say, table, write
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.catalogue.profiles import Profiles
    from planner.schema.coefficients import Calibration
    from planner.schema.hardware import Device

EXAMPLES = """Examples: planner calibrate --from-aiconfigurator h100_sxm -o my/calibrations;
planner calibrate --from-bench latest -o my/calibrations;
planner calibrate --from-csv kernels.csv --device nvidia-l4 -o my/calibrations; planner calibrate --report"""


def command(
    from_aiconfigurator: Annotated[
        list[str] | None, typer.Option(metavar="SYSTEM", help="Kernel tables of a system of the aiconfigurator-core wheel.")
    ] = None,
    from_bench: Annotated[
        str | None, typer.Option(metavar="RECORD", help="A record of 'planner bench': file, start of its id, or 'latest'.")
    ] = None,
    from_csv: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Kernel timings in a plain CSV; its columns: docs/laws.md.")
    ] = None,
    device: Annotated[str, typer.Option(metavar="ID", help="The device that --from-csv or --from-bench timed.")] = "",
    from_networks: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A table of published vision throughput (as for 'validate').")
    ] = None,
    from_runs: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Tables of published language-model runs: what each stack keeps.")
    ] = None,
    families: Annotated[
        bool, typer.Option("--families", help="What families and kinds of devices borrow from their members.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Print the error of every fit on shapes it never saw."),
    ] = False,
    transfer: Annotated[
        bool, typer.Option("--transfer", help="Print how well each system of the wheel is predicted from the others alone.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder of calibrations to add to, or to report on.")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The wheel's systems/data, where it is not installed.")
    ] = None,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Fit the laws to measurements and write calibrations/<device>.yaml, with the error on what the fit never saw."""
    from planner.schema.coefficients import Calibration

    catalogue = profiles(profiles_dir)
    folder = output or Path("calibrations")
    if not (from_aiconfigurator or from_bench or from_csv or from_networks or from_runs or families or report or transfer):
        raise InputError("nothing to calibrate from", hint=EXAMPLES)
    for system in from_aiconfigurator or []:
        from planner.validate.kernels import calibrated

        _add(calibrated(system, tables, catalogue), folder)
    if from_bench or from_csv:
        _timings(from_bench, from_csv or [], device, catalogue, folder)
    for file in from_networks or []:
        from planner.calibrate.networks import laws
        from planner.validate.fit import network_fits

        for (name, stack), fit in network_fits(file, catalogue).items():
            _add(Calibration(name, "device", {stack: fit.source}, laws(stack, fit.cited(stack))), folder)
    if families:
        _families(folder, catalogue)
    if from_runs:
        from planner.schema.claim import NETWORKS
        from planner.validate.fit import engine_fits, run_on

        for (whose, stack), fit in engine_fits(from_runs, catalogue).items():
            covers: Literal["family", "kind"] = "kind" if stack.endswith(NETWORKS) else "family"
            _add(Calibration(whose, covers, {stack: fit.source}, {"engine": {stack: fit.cited(stack)}}), folder)
        _power(run_on(from_runs, catalogue), folder, catalogue)
        _share(folder, catalogue)
    if report or transfer:
        _report(_fits(output, catalogue), report, transfer, tables, catalogue, format)


def _timings(record: str | None, files: list[Path], device: str, catalogue: "Profiles", folder: Path) -> None:
    from planner.catalogue import records, timings
    from planner.catalogue.starter import known
    from planner.validate.kernels import agreement, from_timings

    sources = [(timings.from_csv(file), str(file)) for file in files]
    if record:
        found = records.load(records.find(record))
        device = device or known(found, catalogue)
        if not device:
            hint = f"'planner bench profile {found.id} -o my-hardware' writes a starter profile; then --profiles my-hardware."
            raise InputError(f"the catalogue does not know '{found.device.name}'", where=found.id, hint=hint)
        sources.append((timings.from_record(found), found.id))
    if not device:
        raise InputError("whose timings are these?", hint="Name the device: --device ID ('planner hardware list').")
    catalogue.device(device)
    for tables, where in sources:
        with about(Path(where)):
            fitted, few = from_timings(device, tables, catalogue)
        rows = [[a.law, a.variant, str(a.points), _cell(a.median), _cell(a.p90)] for a in agreement(fitted, tables, catalogue)]
        _add(fitted, folder)
        for text in few:
            typer.echo(f"left out: {text}", err=True)
        if rows:
            say(table(["beside the catalogue's", "", "points", "median difference", "90th percentile"], rows, "llrrr"))


def _fits(folder: Path | None, catalogue: "Profiles") -> "list[Calibration]":
    """The calibrations of a folder, or all the catalogue has."""
    from planner.catalogue.calibration_file import read_folder

    if folder is not None:
        return read_folder(folder)
    return [c for c in map(catalogue.calibration, catalogue.ids("calibration")) if c]


def _families(folder: Path, catalogue: "Profiles") -> None:
    from planner.calibrate.borrow import lent
    from planner.validate.kernels import measured

    for calibration in lent(measured(_fits(folder, catalogue), catalogue)):
        _add(calibration, folder)


def _power(devices: "dict[str, list[Device]]", folder: Path, catalogue: "Profiles") -> None:
    """The law of power for families of which runs are known and no kernels: by the kernels that they borrow."""
    from planner.calibrate.borrow import power
    from planner.schema.coefficients import Calibration

    timed = {c.id for c in _fits(folder, catalogue) if "matmul" in c.laws}
    for family, members in devices.items():
        lenders = map(catalogue.calibration, (members[0].alike, members[0].kind))
        products = next((c.laws["matmul"]["bf16"] for c in lenders if c and "matmul" in c.laws), None)
        law = power(members, products.coefficients["e"]) if products and family not in timed else {}
        if law:
            sources = {"siblings": f"datasheets of {', '.join(d.id for d in members)}"}
            _add(Calibration(family, "family", sources, {"power": law}), folder)


def _share(folder: Path, catalogue: "Profiles") -> None:
    """Stacks of families to devices alike and to their kind."""
    from planner.calibrate.borrow import shared_stacks

    devices = [catalogue.device(id) for id in catalogue.ids("device")]
    names = {d.family: (d.alike, d.kind) for d in devices}
    families = [c for c in _fits(folder, catalogue) if c.covers == "family" and c.id in names]
    for calibration in shared_stacks([(names[c.id], c) for c in families]):
        _add(calibration, folder)


def _report(
    fits: "list[Calibration]", report: bool, transfer: bool, tables: Path | None, catalogue: "Profiles", format: Format
) -> None:
    from dataclasses import asdict

    from planner.calibrate.report import table as laws
    from planner.validate.kernels import measured, transferred

    members = measured(fits, catalogue)
    answer: dict[str, Any] = {"schema_version": 1, "laws": laws(fits) if report else None}
    answer["transfer"] = [asdict(row) for row in transferred(members, tables, catalogue)] if transfer else None
    if format is Format.json:
        write(dump({name: value for name, value in answer.items() if value is not None}), None)
        return
    for name in ("laws", "transfer"):
        if answer[name] is not None:
            rows = [{k: v for k, v in row.items() if k != "note"} for row in answer[name]]
            say(
                table([k.replace("_", " ") for k in rows[0]], [list(map(_cell, row.values())) for row in rows])
                if rows
                else "none"
            )


def _cell(value: object) -> str:
    return "–" if value is None else f"{100 * value:.1f} %" if isinstance(value, float) else str(value)


def _add(found: "Calibration", output: Path, *, merge: bool = True) -> None:
    """Write ``found``, into the file that is there where its other laws shall stay."""
    from planner.catalogue.calibration_file import merged, text

    path = output / f"{found.id}.yaml"
    write(text(merged(path, found) if merge else found), path)
    for law, fits in found.laws.items():
        for variant, fit in fits.items():
            error = f", mean error on what it never saw {100 * fit.held_out_error:.1f} %" if fit.held_out_error else ""
            typer.echo(f"{found.id} {law} {variant}: {fit.points} points{error}", err=True)

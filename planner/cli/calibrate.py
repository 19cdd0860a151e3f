"""``planner calibrate``: measurements to a handful of coefficients with an honest error."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import ProfilesOption, profiles, write
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.catalogue.profiles import Profiles
    from planner.schema.coefficients import Calibration

EXAMPLES = """Examples: planner calibrate --from-aiconfigurator h100_sxm -o my/calibrations;
planner calibrate --families -o my/calibrations"""


def command(
    from_aiconfigurator: Annotated[
        list[str] | None, typer.Option(metavar="SYSTEM", help="Kernel tables of a system of the aiconfigurator-core wheel.")
    ] = None,
    from_networks: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A table of published vision throughput (as for 'validate').")
    ] = None,
    from_runs: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Tables of published language-model runs: what each stack keeps.")
    ] = None,
    families: Annotated[
        bool, typer.Option("--families", help="What families and kinds of devices borrow from their members.")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of calibrations to add to.")] = Path(
        "calibrations"
    ),
    tables: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The wheel's systems/data, where it is not installed.")
    ] = None,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Fit the laws to measurements and write calibrations/<device>.yaml, with the error on what the fit never saw."""
    from planner.schema.coefficients import Calibration

    catalogue = profiles(profiles_dir)
    if not (from_aiconfigurator or from_networks or from_runs or families):
        raise InputError("nothing to calibrate from", hint=EXAMPLES)
    for system in from_aiconfigurator or []:
        _add(_kernels(system, tables, catalogue), output)
    for file in from_networks or []:
        from planner.validate.fit import network_fits

        for (device, stack), fit in network_fits(file, catalogue).items():
            _add(Calibration(device, "device", {stack: fit.source}, {"network": {stack: fit.cited(stack)}}), output)
    if families:
        _families(output, catalogue)
    if from_runs:
        from planner.validate.fit import engine_fits

        for (family, stack), fit in engine_fits(from_runs, catalogue).items():
            _add(Calibration(family, "family", {stack: fit.source}, {"engine": {stack: fit.cited(stack)}}), output)


def _kernels(system: str, tables: Path | None, catalogue: "Profiles") -> "Calibration":
    from planner.calibrate.record import calibrate
    from planner.catalogue import kernels
    from planner.errors import unknown
    from planner.search.machines import Setting, machine
    from planner.validate.tables import cluster

    if system not in kernels.SYSTEMS:
        raise unknown("system", system, kernels.SYSTEMS)
    device = catalogue.device(kernels.SYSTEMS[system])
    columns, _ = machine([Setting(device, cluster(device.id, catalogue), "bf16")], lambda _: None)
    read = {law: kernels.read(system, law, tables) for law in kernels.LAWS}
    peaks = {str(dtype): figure.value for dtype, figure in device.peak.items()}
    return calibrate(device.id, columns.device, peaks, {law: (t.columns, t.source) for law, t in read.items() if t})


def _families(output: Path, catalogue: "Profiles") -> None:
    from planner.calibrate.record import borrowed
    from planner.catalogue.calibration_file import read_folder
    from planner.schema.coefficients import EVERY

    members = [c for c in read_folder(output) if c.covers == "device"]
    groups: dict[tuple[str, str], list[Calibration]] = {}
    for member in members:
        device = catalogue.device(member.id)
        groups.setdefault(("family", device.family), []).append(member)
        groups.setdefault(("kind", device.kind), []).append(member)
        groups.setdefault(("kind", EVERY), []).append(member)
    for (covers, name), some in groups.items():
        _add(borrowed(name, "family" if covers == "family" else "kind", some), output)


def _add(found: "Calibration", output: Path, *, merge: bool = True) -> None:
    """Write ``found``, into the file that is there where its other laws shall stay."""
    from planner.catalogue.calibration_file import merged, text

    path = output / f"{found.id}.yaml"
    write(text(merged(path, found) if merge else found), path)
    for law, fits in found.laws.items():
        for variant, fit in fits.items():
            error = f", mean error on what it never saw {100 * fit.held_out_error:.1f} %" if fit.held_out_error else ""
            typer.echo(f"{found.id} {law} {variant}: {fit.points} points{error}", err=True)

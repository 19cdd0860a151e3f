"""``planner calibrate``: measured kernel times to a handful of coefficients with an honest error."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import ProfilesOption, profiles, write

EXAMPLES = "Example: planner calibrate h100_sxm -o hardware_profiles/calibrations/nvidia-h100-sxm.yaml"


def command(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="A system of the aiconfigurator-core wheel, e.g. h100_sxm.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the calibration here.")] = None,
    tables: Annotated[
        Path | None, typer.Option("--tables", metavar="DIR", help="The wheel's systems/data, if not installed.")
    ] = None,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Fit the laws to the measured kernel tables of the aiconfigurator-core wheel (extra: planner[calibrate])."""
    from planner.calibrate.record import calibrate
    from planner.catalogue import kernels
    from planner.catalogue.calibration_file import text
    from planner.errors import unknown
    from planner.search.machines import Setting, machine
    from planner.validate.tables import cluster

    if system not in kernels.SYSTEMS:
        raise unknown("system", system, kernels.SYSTEMS)
    catalogue = profiles(profiles_dir)
    device = catalogue.device(kernels.SYSTEMS[system])
    columns, _ = machine([Setting(device, cluster(device.id, catalogue), "bf16")], lambda _: None)
    read = {law: kernels.read(system, law, tables) for law in kernels.FILES}
    found = calibrate(
        device.id,
        columns.device,
        {dtype: figure.value for dtype, figure in device.peak.items()},
        {law: (t.columns, t.source) for law, t in read.items() if t is not None},
    )
    write(text(found), output)
    for law, fits in found.laws.items():
        for variant, fit in fits.items():
            error = f"{100 * (fit.held_out_error or 0):.1f} %"
            typer.echo(f"{device.id} {law} {variant}: {fit.points} points, held-out mean error {error}", err=True)

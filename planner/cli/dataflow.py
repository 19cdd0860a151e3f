"""``planner dataflow``: whether a network fits an FPGA as a pipeline of its layers, and how fast it runs then."""

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.common import Format, FormatOption, ProfilesOption, answer, dump, profiles, table
from planner.errors import InputError

EXAMPLES = """Examples: planner dataflow resnet-18 xilinx-alveo-u250; planner dataflow mobilenetv2 xilinx-alveo-u55c --bits 4;
planner dataflow resnet-18 xilinx-kv260-dpu --reuse 20000 --clock '150 MHz'"""


def command(
    network: Annotated[str, typer.Argument(help="A zoo id or a workload YAML of a network.")],
    part: Annotated[str, typer.Argument(help="An FPGA: planner hardware list --kind fpga.")],
    bits: Annotated[int, typer.Option(min=1, max=32, help="Bits of a weight.")] = 8,
    clock: Annotated[str, typer.Option(help="Clock that the design reaches.")] = "200 MHz",
    reuse: Annotated[int, typer.Option(min=0, help="Products a multiplier does a position; 0 takes the least that fits.")] = 0,
    format: FormatOption = Format.table,
    profiles_dir: ProfilesOption = None,
) -> None:
    """Whether a network fits an FPGA as a spatial pipeline (FINN, hls4ml), and its interval, rate and latency there."""
    from planner import units
    from planner.search.dataflow import spatial

    catalogue = profiles(profiles_dir)
    from planner.catalogue.models import find_workload

    try:
        hertz = units.parse(clock, "hertz")
    except ValueError as error:
        raise InputError(str(error), where="--clock") from None
    found = spatial(find_workload(network, catalogue, Path()), catalogue.device(part), bits, hertz, reuse)
    rows = [
        ["fits", "yes" if found.fits else f"no: {found.why}"], ["reuse factor", f"{found.reuse:,.0f}"],
        ["multipliers", f"{found.multipliers:,.0f}"], ["DSP slices", f"{found.dsp:,.0f} of {found.has_dsp:,.0f}"],
        ["weights on the chip", f"{units.show(found.memory, 'byte')} of {units.show(found.room, 'byte')}"],
        ["initiation interval", f"{found.cycles:,.0f} cycles, {units.duration(found.interval)}"],
        ["samples a second", units.plainly(1 / found.interval)], ["latency, at most", units.duration(found.latency)],
    ]  # fmt: skip
    note = "Balanced layers; buffers between layers, LUTs and what routing leaves of the clock are not counted."
    answer(format, lambda: dump({"schema_version": 1, **found.__dict__}), lambda: f"{table(['', ''], rows, 'll')}\n\n{note}")

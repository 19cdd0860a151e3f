"""One network as a spatial pipeline on one FPGA: what it takes of the part."""

from dataclasses import dataclass

import numpy as np

from planner.errors import InputError
from planner.model import dataflow
from planner.model.columns import Columns
from planner.schema.hardware import Device
from planner.schema.workload import Workload
from planner.search import estimate


@dataclass(frozen=True)
class Spatial:
    """A design: interval [cycles, s], latency at most [s], multipliers, slices and bytes of what the part has."""

    network: str
    part: str
    fits: bool
    why: str
    reuse: float
    multipliers: float
    dsp: float
    has_dsp: float
    memory: float
    room: float
    cycles: float
    interval: float
    latency: float


def spatial(workload: Workload, device: Device, bits: int, clock: float, reuse: int) -> Spatial:
    """The design of a network with weights of so many bits; raises InputError where the part's resources are not published."""
    if workload.network is None:
        raise InputError(f"'{workload.id}' is not a network of layers with a graph", hint="Language models do not fit a fabric.")
    fabric = device.fpga
    if fabric is None or fabric.dsp is None or fabric.bram36 is None:
        raise InputError(f"the DSP slices and block RAM of {device.name} are not published", hint="'planner hardware list'.")
    if not clock > 0:
        raise InputError("the clock must be above 0", where="--clock")
    g = estimate.network_table([workload.network])
    layers = np.maximum(g.layers, 1.0)
    network = Columns(macs=g.macs, weights=g.weights, layers=layers, bits=float(bits), length=1)
    uram = fabric.uram.value if fabric.uram else 0.0
    part = Columns(
        dsp=fabric.dsp.value, bram36=fabric.bram36.value, uram=uram, clock=clock, reuse=float(reuse), length=1
    )  # fmt: skip
    one = {name: float(values[0]) for name, values in dict(_columns(dataflow.design(network, part))).items()}
    fits = bool(one.pop("fits"))
    short = [
        name
        for name, over in (("DSP slices", one["dsp"] > fabric.dsp.value), ("memory for weights", one["memory"] > one["room"]))
        if over
    ]
    why = f"not enough {' and '.join(short)}" if short else ""
    return Spatial(workload.name, device.name, fits, why, has_dsp=fabric.dsp.value, **one)


def _columns(c: Columns) -> dict[str, np.ndarray]:
    return {name: c[name] for name in c}

"""The law of whole networks fitted to published throughput of a zoo: one set a software stack and device.

Only the fifth of the networks that ``schema.claim.feeds_fit`` names feeds a fit; the error is that on all the others.
"""

from collections.abc import Mapping

import numpy as np

from planner.calibrate.fit import Range, solve
from planner.model.columns import Array, Columns
from planner.model.operation import Machine, Op
from planner.model.ops import network
from planner.schema.coefficients import Fit

RANGES: Mapping[str, Range] = {
    "e": Range(0.3, 0.005, 1.5),
    "e_a": Range(0.3, 0.02, 1.2),
    "e_w": Range(0.7, 0.3, 1.2),
    "t0": Range(1e-4, 1e-9, 0.1),
    "t1": Range(1e-6, 1e-10, 0.05),
}
LEAST = 12
INSIDE = 1e6
"""Where a zoo publishes no activations or no weights, their time is inside the share of the peak: their own term vanishes."""


def fit_networks(op: Op, machine: Machine, seconds: Array, fed: Array, source: str) -> Fit:
    """Coefficients from the passes marked ``fed`` (N,); op and machine as ``ops.network`` takes them, seconds a pass (N,).

    Raises ValueError with how many networks are needed where too few are fed.
    """
    if fed.sum() < LEAST:
        raise ValueError(f"{int(fed.sum())} networks feed the fit; at least {LEAST} are needed")
    unseen = {"e_a": not np.any(op.activation_bytes), "e_w": not np.any(op.weight_bytes)}
    fixed = {name: INSIDE for name, nothing in unseen.items() if nothing}
    points = Columns(row=np.arange(len(seconds)))

    def predict(p: Columns, c: Columns) -> Array:
        some = Op(op.name, op.kind, op.part, op.count[p.row], {"batch": op.shape["batch"][p.row]}, op.flop[p.row],
                  weight_bytes=op.weight_bytes[p.row], activation_bytes=op.activation_bytes[p.row])  # fmt: skip
        return network.seconds(some, Machine(machine.device.take(p.row), {"network": c.with_(**dict.fromkeys(fixed, INSIDE))}))

    found = solve(predict, points, seconds, {n: r for n, r in RANGES.items() if n not in fixed}, ~fed)
    values = {name: float(f"{value:.4g}") for name, value in found.coefficients.items()} | fixed
    others = f"median error {found.held_out_median:.3f} on {found.held_out_points} others"
    note = f"fitted to the networks whose name's sha256 is 0 mod 5; {others}"
    return Fit(values, source, found.points, round(found.held_out_error, 4), note)

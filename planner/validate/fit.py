"""Published network throughput to a fit of the network law, by the same translation that scores it."""

from pathlib import Path

import numpy as np

from planner.calibrate.networks import fit_networks
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.model.families import network
from planner.schema.claim import feeds_fit
from planner.schema.coefficients import Fit
from planner.validate.predict import Rows
from planner.validate.tables import translated


def network_fits(path: Path, profiles: Profiles) -> dict[tuple[str, str], Fit]:
    """(device, stack) -> fit, for every device with enough multi-sample inference rows of a zoo in the table at ``path``."""
    found = translated(path, profiles)
    t = found.table
    of_network = np.array([s.network is not None for s in found.subjects])[t["subject"]]
    usable = (t["skip"] == "") & of_network & (t["task"] == "inference") & (t["metric"] == "samples_per_s")
    usable &= ~t["scenario"].isin(["single_thread", "singlestream"])
    fits = {}
    for (device, stack), rows in t[usable].groupby(["hardware", "stack"]):
        index = t.index.get_indexer(rows.index)
        r = Rows(found, index, lambda _: None)
        batch = r.number("batch", 1.0)
        seconds = batch * r.number("devices") / rows["value"].to_numpy(float)
        fed = rows["workload"].map(feeds_fit).to_numpy(bool)
        op = network.forward(r.networks(), r.base.with_(batch=batch))[0]
        source = f"{rows['source'].iloc[0]}, {rows['ref'].iloc[0].split('#')[0]}"
        try:
            fits[str(device), str(stack)] = fit_networks(op, r.machine, seconds, fed, source)
        except ValueError as error:
            raise InputError(str(error), where=f"{path} {device}") from None
    return fits

"""Published throughput to fits of the network law and of software stacks, by the same translation that scores it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize

from planner.calibrate.fit import Range
from planner.calibrate.networks import fit_networks
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.model.families import network
from planner.schema.claim import feeds_fit
from planner.schema.coefficients import Calibration, Fit
from planner.validate.predict import Rows, predict
from planner.validate.tables import translated
from planner.validate.translate import Translated


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


TRAINING = ("compute", "communication", "attention", "elementwise", "dispatch")
INFERENCE = ("compute", "decode_step", "prefill_step", "attention")
SHARE = Range(0.95, 0.2, 1.5)
RANGES = {"prefill_step": Range(2e-3, 1e-6, 0.5), "decode_step": Range(5e-4, 1e-6, 0.1)}
RANGES["communication"] = Range(2.0, 0.2, 20.0)  # a stack that overlaps it with products leaves little of it to see
PULL = (
    0.5  # towards 1 for every share, in units of the loss (an error of 10 %) by square of the logarithm: few runs, no wild shares
)
EACH = 3
"""Runs that must feed a fit for each coefficient it may move."""


def engine_fits(paths: Sequence[Path], profiles: Profiles) -> dict[tuple[str, str], Fit]:
    """(family, stack) -> what that stack keeps of its kernels' speed, and its time on the host, from runs of language models.

    A third of the runs, by the hash of what they are, feeds a fit; the error is that on the others. Stacks with fewer
    than EACH such runs have none.
    """
    tables = [predict(translated(path, profiles), profiles.calibration) for path in paths]
    found = [translated(path, profiles) for path in paths]
    runs: dict[tuple[str, str], list[tuple[int, pd.Index[int]]]] = {}
    for number, (t, f) in enumerate(zip(tables, found, strict=True)):
        families = np.array([s.device.family for s in f.settings] + [""])[t["setting"].to_numpy()]
        usable = t["estimate"].notna() & (t["kind"] != "network") & (t["metric"] != "ttft_s") & (t["stack"] != "default")
        usable &= t["scenario"] != "concurrency_disaggregated"  # what such runs add is not the stack's share of kernels
        for key, rows in t[usable].groupby([pd.Series(families, index=t.index), "stack"]):
            runs.setdefault((str(key[0]), str(key[1])), []).append((number, rows.index))
    fits = {}
    for (family, stack), where in runs.items():
        fit = _engine_fit(family, stack, [(found[n], rows) for n, rows in where], profiles)
        if fit is not None:
            fits[family, stack] = fit
    return fits


def _engine_fit(family: str, stack: str, runs: list[tuple[Translated, "pd.Index[int]"]], profiles: Profiles) -> Fit | None:
    some = [Translated(f.table.loc[rows], f.settings, f.subjects) for f, rows in runs]
    fed = [Translated(f.table[f.table["feeds"]], f.settings, f.subjects) for f in some if f.table["feeds"].any()]
    training = any((f.table["task"] == "training").any() for f in some)
    names = (TRAINING if training else INFERENCE)[: sum(len(f.table) for f in fed) // EACH]
    if not names:
        return None

    def errors(values: dict[str, float], tables: list[Translated]) -> NDArray[Any]:
        def trial(id: str) -> Calibration | None:
            plain = profiles.calibration(id)
            if id != family:
                return plain
            laws = dict(plain.laws) if plain else {}
            laws["engine"] = {stack: Fit(values, "trial")}
            return Calibration(family, "family", {}, laws)

        t = pd.concat([predict(Translated(f.table.copy(), f.settings, f.subjects), trial) for f in tables])
        return np.log((t["estimate"] / t["value"]).to_numpy(float))

    shares = np.array([name not in RANGES for name in names])

    def loss(x: NDArray[Any]) -> float:
        off = errors(dict(zip(names, np.exp(x).tolist(), strict=True)), fed) / 0.1
        return float(np.nanmean(np.sqrt(1 + off**2)) + PULL * np.sum(x[shares] ** 2))

    ranges = [RANGES.get(name, SHARE) for name in names]
    start = np.log([r.start for r in ranges])
    simplex = np.vstack(
        [start, start + 0.4 * np.diag(np.where(start < -1, 2.0, np.where(start > 0.1, 2.0, -1.0)))]
    )  # a share moves down, a time up
    options = {"maxfev": 60 * len(names), "xatol": 0.01, "fatol": 1e-3, "initial_simplex": simplex}
    bounds = [(float(np.log(r.low)), float(np.log(r.high))) for r in ranges]
    best = minimize(loss, start, method="Nelder-Mead", bounds=bounds, options=options)
    values = {name: float(f"{value:.4g}") for name, value in zip(names, np.exp(best.x), strict=True)}
    unseen = [Translated(f.table[~f.table["feeds"]], f.settings, f.subjects) for f in some if not f.table["feeds"].all()]
    off = np.abs(np.expm1(errors(values, unseen))) if unseen else np.zeros(1)
    points, source = sum(len(f.table) for f in fed), "; ".join(sorted({str(f.table["source"].iloc[0]) for f in some}))
    note = f"a third of the runs; median error {np.nanmedian(off):.3f} on {len(off)} others"
    return Fit(values, source, points, round(float(np.nanmean(np.minimum(off, 5))), 4), note)

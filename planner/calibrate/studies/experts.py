"""Routed experts, tokens spread by a power law as routers do: layouts of experts are held out whole."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.fit import Range
from planner.calibrate.studies.matmul import BYTES, PLAIN, QUANTISED
from planner.model.columns import Array, Columns
from planner.model.ops import experts, matmul

KINDS = {dtype: (dtype, size) for dtype, size in BYTES.items()} | {"fp8_block": ("fp8", BYTES["fp8"])}
"""Variants, with the dtype whose peak they go by and the bytes of a weight: fp8 in blocks of 128 x 128 has kernels of its own."""
OTHER = ("nongated", "min_latency")
"""Kernels of other products than a gated layer's, and such as only some layouts were timed with."""
OWN = {"i": Range(0.2, 1e-3, 3), "t_r": Range(1e-8, 1e-11, 1e-6), "z": Range(0.3, 1e-3, 5), "y": Range(0.5, 1e-3, 10)}


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case a dtype."""
    usual = ~np.array([any(other in kernel for other in OTHER) for kernel in table["kernel"]])
    for variant in KINDS:
        yield from case(variant, table, usual & (table["dtype"] == variant), device, peaks)


def case(
    variant: str, table: Mapping[str, Any], chosen: Array, device: Columns, peaks: Mapping[str, float], prefix: str = ""
) -> Iterator[Case]:
    """The case of a variant from the rows ``chosen`` (N,) of a table, if the device computes its dtype and any has its spread."""
    dtype, size = KINDS[variant]
    chosen = chosen & (table["spread"] == "power_law_1.01")
    if dtype not in peaks or not chosen.any():
        return
    start = float(np.quantile(table["seconds"], 0.001)) / 2
    t = {name: values[chosen] for name, values in table.items()}
    weights = 3 * t["inner"] * t["hidden"] * t["experts"] / (t["tp"] * t["ep"]) * size
    sound = _tuned(t, weights, 2 * float(np.nan_to_num(device.cache[0], nan=matmul.CACHE)))
    left_out = f"{np.sum(~sound)} points of kernels timed untuned left out" if not sound.all() else ""
    t = {name: values[sound] for name, values in t.items()}
    inner, h = t["inner"] / t["tp"], t["hidden"]
    load = experts.routed(t["tokens"], t["visits"], t["experts"], t["ep"])
    held = load["rows"] * load["groups"]
    points = Columns(load).with_(
        up=2 * inner, down=inner, hidden=h, ranks=t["ep"], quantise=1.0, hot=1.0,
        weights=3 * inner * h * load["groups"] * size, activations=2 * (2 * h + 3 * inner) * held,
    )  # fmt: skip
    layouts = alike(h, t["inner"], t["experts"], t["visits"])
    ranges = {**(PLAIN if dtype == "bf16" else QUANTISED), "t0": Range(start, start / 3, start * 2), **OWN}
    predict = predictor(experts.COEFFICIENTS, device.with_(peak=peaks[dtype]), _time)
    sizes = experts.sizes(points, points.weights)
    yield Case("experts", prefix + variant, points, t["seconds"], layouts, ranges, predict, experts.SURFACE, sizes, left_out)


UNTUNED = 1.1


def _tuned(t: Mapping[str, Any], weights: Array, cache: float) -> Array:
    """Mask (N,) of the placements (layout, tp, ep) that were timed with a kernel fit for them.

    Some were not: on every device of the wheel, all of some placement takes several times as long as its neighbours. A
    device may not take longer than one with more work, nor, by more than the work is more, than one with less of it whose
    weights [B] outgrow the cache [B] as well. Whatever does, UNTUNED times at half of its numbers of tokens, is such a one.
    """
    layout = alike(*(t[name] for name in ("hidden", "inner", "experts", "visits")))
    sound = np.ones(len(layout), bool)
    for one in np.unique(layout):
        rows = np.flatnonzero(layout == one)
        tokens, column = np.unique(t["tokens"][rows], return_inverse=True)
        (tp, ep), first, line = np.unique(
            np.stack([t["tp"][rows], t["ep"][rows]]), axis=1, return_index=True, return_inverse=True
        )
        seconds = np.full((len(tp), len(tokens)), np.nan)
        seconds[line.reshape(-1), column] = t["seconds"][rows]
        large = weights[rows[first]] > cache
        slow = np.zeros(len(tp), bool)
        for i in range(len(tp)):
            more, less = (tp <= tp[i]) & (ep <= ep[i]), (tp >= tp[i]) & (ep >= ep[i]) & large
            most = np.vstack([seconds[more], (seconds * (tp * ep / (tp[i] * ep[i]))[:, None])[less]])
            slow[i] = np.nanmedian(seconds[i] / np.nanmin(most, axis=0)) > UNTUNED
        sound[rows] = ~slow[line.reshape(-1)]
    return sound


def _time(p: Columns, device: Columns, c: Columns) -> Array:
    return experts.time(p, p.weights, p.activations, device, c)

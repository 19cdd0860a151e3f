"""For each law: which measurements it is fitted to, in which form, and between which bounds its coefficients may move.

A study turns a table of kernel times and the device's datasheet columns into points, seconds and groups: shapes that are
held out together.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from planner.calibrate.fit import Fitted, Range, fit
from planner.model.columns import Array, Columns
from planner.model.ops import attention, collective, decode_attention, experts, matmul

Table = Mapping[str, Any]
BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5 + 1 / 16}

MATMUL = {
    "e": Range(0.85, 0.2, 1.2), "e_b": Range(0.8, 0.2, 1.2), "t0": Range(2.5e-6, 1e-7, 5e-5), "c": Range(10, 1e-3, 200),
    "k0": Range(100, 1e-3, 3000), "t_s": Range(1e-6, 1e-9, 2e-5), "e16": Range(0.5, 0.02, 1.5),
    "h": Range(1.5, 1, 6), "f": Range(0.6, 0.2, 1.2),
}  # fmt: skip
QUANTISED = {**MATMUL, "q": Range(1.0, 1e-3, 8), "t_q": Range(6e-6, 1e-8, 5e-5)}
START = 0.2  # how far, either way, the start of a quantised product may lie from that of a bf16 one on the same device
EXPERTS = {"i": Range(0.2, 1e-3, 3), "t_r": Range(1e-8, 1e-11, 1e-6)}
ATTENTION = {"e": Range(0.6, 0.05, 1.1), "e_b": Range(0.7, 0.1, 1.2), "t0": Range(5e-6, 5e-7, 5e-5), "kv0": Range(64, 1e-3, 1000)}
DECODE = {
    "e_b": Range(0.8, 0.1, 1.2), "t0": Range(8e-6, 5e-7, 5e-5), "t_b": Range(4e-6, 1e-8, 1e-4), "t_1": Range(1.5e-6, 1e-8, 1e-4),
    "m": Range(0.3, 1e-3, 2), "t_s": Range(5e-6, 1e-8, 1e-4), "r": Range(4, 1, 64), "h": Range(1.5, 1, 6),
    "f": Range(0.6, 0.2, 1.2),
}  # fmt: skip
COLLECTIVE = {
    "a": Range(5e-6, 1e-7, 1e-4), "b": Range(1e-6, 1e-9, 2e-5), "e_w": Range(0.7, 0.05, 1.2), "c": Range(1e-9, 1e-12, 1e-6),
    "g": Range(0.1, 1e-6, 3),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One fit to make: its law and variant, points, seconds, groups, and how to predict."""

    law: str
    variant: str
    points: Columns
    seconds: Array
    groups: Array
    ranges: Mapping[str, Range]
    predict: Callable[[Columns, Columns], Array]

    def run(self) -> Fitted:
        """Fit it."""
        return fit(self.predict, self.points, self.seconds, self.ranges, self.groups)


def cases(law: str, table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """Every fit a table allows; device has one row (bandwidth, units, up_bandwidth …), peaks FLOP/s by dtype."""
    return _CASES[law](table, device, peaks)


def _matmul(table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    start = _fastest(table)
    near = Range(start, start * (1 - START), start * (1 + START))  # else it cannot be told from the start of quantising
    for dtype, size in BYTES.items():
        chosen = table["dtype"] == dtype
        if dtype not in peaks or not chosen.any():
            continue
        m, n, k = (table[x][chosen] for x in "mnk")
        activation = 2 * (m * k + m * n)
        points = Columns(m=m, n=n, k=k, groups=np.ones(len(m)), moved=activation + n * k * size, activation=activation, hot=1.0)
        groups = np.unique(np.stack([n, k]), axis=1, return_inverse=True)[1].reshape(-1)
        predict = _predictor(matmul.COEFFICIENTS, device.with_(peak=peaks[dtype]), _time_matmul)
        ranges = MATMUL if dtype == "bf16" else {**QUANTISED, "t0": near}
        yield Case("matmul", dtype, points, table["seconds"][chosen], groups, ranges, predict)


def _fastest(table: Table) -> float:
    """Time of the smallest bf16 products: hardly more than the start of a kernel [s]."""
    plain = table["seconds"][table["dtype"] == "bf16"]
    return float(np.quantile(plain if len(plain) else table["seconds"], 0.001))


def _time_matmul(p: Columns, device: Columns, c: Columns) -> Array:
    return matmul.time(p, p.moved + c.q * p.activation, device, c) + c.t_q


def _attention(table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    chosen = (table["dtype"] == "bf16") & (table["cache_dtype"] == "bf16") & (table["window"] == 0) & (table["query"] > 1)
    t = {name: values[chosen] for name, values in table.items()}
    moved = 2 * t["batch"] * t["query"] * t["dim"] * (2 * t["heads"] + 2 * t["kv_heads"])
    points = Columns(
        batch=t["batch"], heads=t["heads"], query=t["query"], context=t["past"] + t["query"] / 2, dim=t["dim"], moved=moved
    )
    predict = _predictor(
        attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), lambda p, d, c: attention.time(p, p.moved, d, c)
    )
    yield Case("attention", "default", points, t["seconds"], _heads(t), ATTENTION, predict)


def _decode(table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    chosen = (table["dtype"] == "bf16") & (table["window"] == 0)
    t = {name: values[chosen] for name, values in table.items()}
    context = t["past"] + 1
    kv = 2 * 2 * t["batch"] * t["kv_heads"] * t["dim"] * context
    blocks, other = t["batch"] * t["kv_heads"], 4 * t["batch"] * t["heads"] * t["dim"]
    points = Columns(blocks=blocks, group=t["heads"] / t["kv_heads"], kv=kv, other=other, flop=np.zeros(len(kv)), hot=1.0)
    predict = _predictor(decode_attention.COEFFICIENTS, device.with_(peak_half=peaks["bf16"]), decode_attention.time)
    yield Case("decode_attention", "default", points, t["seconds"], _heads(t), DECODE, predict)


def _experts(table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """Tokens spread by a power law, as routers do; layouts (hidden, inner, experts, visits) are held out whole."""
    start = float(np.quantile(table["seconds"], 0.001)) / 2
    for dtype, size in BYTES.items():
        gated = ~np.array(["nongated" in k for k in table["kernel"]])
        chosen = (table["dtype"] == dtype) & (table["spread"] == "power_law_1.01") & gated
        if dtype not in peaks or not chosen.any():
            continue
        t = {name: values[chosen] for name, values in table.items()}
        inner, h = t["inner"] / t["tp"], t["hidden"]
        touched = t["experts"] * -np.expm1(t["tokens"] * np.log(np.maximum(1 - t["visits"] / t["experts"], 1e-12)))
        groups = np.maximum(1.0, touched / t["ep"])
        rows = t["tokens"] * t["visits"] / np.maximum(touched, 1.0)
        points = Columns(
            rows=rows, groups=groups, up=2 * inner, down=inner, hidden=h, ranks=t["ep"], quantise=1.0, hot=1.0,
            weights=3 * inner * h * groups * size, activations=2 * (2 * h + 3 * inner) * rows * groups,
        )  # fmt: skip
        layout = np.stack([h, t["inner"], t["experts"], t["visits"]])
        held = np.unique(layout, axis=1, return_inverse=True)[1].reshape(-1)
        ranges = {**(MATMUL if dtype == "bf16" else QUANTISED), "t0": Range(start, start / 3, start * 2), **EXPERTS}
        predict = _predictor(experts.COEFFICIENTS, device.with_(peak=peaks[dtype]), _time_experts)
        yield Case("experts", dtype, points, t["seconds"], held, ranges, predict)


def _time_experts(p: Columns, device: Columns, c: Columns) -> Array:
    return experts.time(p, p.weights, p.activations, device, c)


def _heads(t: Table) -> Array:
    """Head layouts: held out whole."""
    return np.unique(np.stack([t["heads"], t["kv_heads"], t["dim"]]), axis=1, return_inverse=True)[1].reshape(-1)


def _collective(table: Table, device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    kind = np.where(table["op"] == "alltoall", "all_to_all", table["op"])
    volume = np.zeros(len(kind))
    for name in np.unique(kind):
        rows = kind == name
        volume[rows] = collective.share(str(name), table["ranks"][rows]) * table["message"][rows]
    points = Columns(ranks=table["ranks"], volume=volume, bandwidth=np.full(len(kind), device.up_bandwidth[0]))
    predict = _predictor(collective.COEFFICIENTS, device, lambda p, d, c: collective.time(p.ranks, p.volume, p.bandwidth, c))
    groups = np.unique(table["message"], return_inverse=True)[1].reshape(-1)
    yield Case("collective", "default", points, table["seconds"], groups, COLLECTIVE, predict)


def _predictor(
    defaults: Mapping[str, float], device: Columns, time: Callable[[Columns, Columns, Columns], Array]
) -> Callable[[Columns, Columns], Array]:
    """The law with the device's one row spread over the points, and what is not fitted at its default."""

    def predict(points: Columns, coefficients: Columns) -> Array:
        spread = Columns({name: np.full(len(points), device[name][0]) for name in device}, length=len(points))
        fixed = {name: value for name, value in defaults.items() if name not in coefficients}
        return time(points, spread, coefficients.with_(**fixed))

    return predict


_CASES = {"matmul": _matmul, "attention": _attention, "decode_attention": _decode, "collective": _collective, "experts": _experts}

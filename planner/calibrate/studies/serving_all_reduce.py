"""The all-reduce that inference engines bring along, one kernel in graph replay: sizes of messages are held out whole.

A variant of the collectives: it starts several times faster than NCCL's, which engines too take for large messages. Rows
launched one by one tell of the host, and are left out. Messages are counted in elements of 16 bits, like NCCL's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from planner.calibrate.case import Case, alike, predictor
from planner.calibrate.studies.collective import BYTES, RANGES
from planner.model.columns import Columns
from planner.model.ops import collective


def cases(table: Mapping[str, Any], device: Columns, peaks: Mapping[str, float]) -> Iterator[Case]:
    """One case, where any row was replayed."""
    replayed = np.array([not str(kernel).endswith("eager") for kernel in table["kernel"]])
    rows = replayed & (table["dtype"] == "bf16") & (table["op"] == "all_reduce")
    if not rows.any():
        return
    ranks, message = table["ranks"][rows], BYTES["bf16"] * table["message"][rows]
    points = Columns(
        ranks=ranks, volume=collective.share("all_reduce", ranks) * message, bandwidth=np.full(len(ranks), device.up_bandwidth[0])
    )
    predict = predictor(collective.COEFFICIENTS, device, lambda p, d, c: collective.time(p.ranks, p.volume, p.bandwidth, c))
    sizes = {"ranks": points.ranks, "volume": points.volume}
    seconds, groups = table["seconds"][rows], alike(message)
    yield Case("collective", "serving_all_reduce", points, seconds, groups, RANGES, predict, collective.SURFACE, sizes)

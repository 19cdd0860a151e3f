"""Configurations of a serving system: what its workers are, how many requests they take, and how prompts are served.

A worker is a replica's shape on a setting (place × precision). Decoders are workers at a batch size, prefillers workers at a
number of prompt tokens a step. A configuration is a pair of them: of the same worker, where prompts are mixed into the steps;
or, disaggregated, of any two of one setting. Passes are timed once a decoder and once a prefiller, however many pairs there are.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array, Columns, product
from planner.schema.goals import Serve
from planner.schema.precision import CACHES, SPARSE
from planner.schema.workload import Architecture
from planner.search import estimate

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
DEGREES = (1, 2, 4, 8, 16)
STAGES = (1, 2, 4)
RANKS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Space:
    """Workers (W,), decoders (D,) and prefillers (P,), and of each configuration (N,) which decoder and which prefiller."""

    workers: Columns
    decoders: Columns
    prefillers: Columns
    decoder: Array
    prefiller: Array
    apart: Array
    """Whether prefillers are workers of their own (N,)."""

    def __len__(self) -> int:
        return len(self.decoder)


def workers(
    a: Architecture, serve: Serve, settings: Columns, node: Array, joined: Array, reach: Array, *, sparse: bool = False
) -> Columns:  # fmt: skip
    """Replicas of each setting: tensor, pipeline, expert and attention-data degrees that divide the model.

    settings (S,): place, precision. node, joined (S,): devices of an instance, and of its fastest network; NaN where none is
    published. reach (S,): devices a replica may have, over several instances. A pipeline goes over instances where one is too
    small; attention ranks and experts only mixtures have. sparse: two of every four weights are zero.
    """
    mixture = a.moe is not None
    grid = product(
        setting=np.arange(len(settings)), tp=np.array(DEGREES, float), pp=np.array(STAGES, float),
        adp=np.array(RANKS if mixture else (1,), float), wide=np.array((0.0, 1.0) if mixture else (0.0,)),
    )  # fmt: skip
    side, size = grid.tp * grid.adp, node[grid.setting]
    close = np.where(np.isnan(joined[grid.setting]), 1.0, joined[grid.setting])
    good = (a.num_heads % grid.tp == 0) & (a.num_layers >= grid.pp) & (side <= np.minimum(size, close))
    good &= (side * grid.pp <= size) | (side == size)  # a stage that goes on elsewhere fills its own instance
    good &= (grid.adp == 1) | (grid.wide > 0)  # ranks that attend apart split the experts among them
    good &= (grid.wide == 0) | (side > 1)
    if mixture and a.moe:
        good &= a.moe.num_experts % np.where(grid.wide > 0, side, 1.0) == 0
    good &= (grid.pp == 1) | (~np.isnan(joined[grid.setting]) & (side * grid.pp <= np.maximum(size, reach[grid.setting])))
    rows = grid.take(np.flatnonzero(good))
    n = len(rows)
    rows = rows.with_(
        ep=np.where(rows.wide > 0, rows.tp * rows.adp, 1.0), node=node[rows.setting],
        reach=reach[rows.setting], fused=np.full(n, 0.0 if serve.eager else 1.0),
        place=settings.place[rows.setting], precision=settings.precision[rows.setting], size=rows.tp * rows.pp * rows.adp,
        input_tokens=np.full(n, serve.input_tokens), output_tokens=np.full(n, serve.output_tokens),
        prefix=np.full(n, serve.prefix_hit), output_cv=np.full(n, serve.output_cv), input_cv=np.full(n, serve.input_cv),
        burstiness=np.full(n, serve.burstiness),
    )  # fmt: skip
    rows = estimate.with_precision(rows, rows.precision)
    if sparse:
        rows = rows.with_(weight=rows.weight * np.array([SPARSE[w] for w in rows.weight]))
    rows = rows.with_(kv=np.full(n, CACHES[serve.kv_cache])) if serve.kv_cache else rows
    if serve.adapters:
        count, rank = float(serve.adapters.count), float(serve.adapters.rank)
        rows = rows.with_(adapters=np.full(n, count), adapter_rank=np.full(n, rank))
    return rows


def space(
    of: Columns, serve: Serve, *, mixed: bool, apart: tuple[Array, Array] | None, batches: tuple[int, ...] = BATCHES,
    budgets: tuple[float, ...] = (),
) -> Space:  # fmt: skip
    """Pairs of workers ``of`` (W,): prompts mixed into the steps, and on workers of their own.

    apart: keys of each worker as a decoder and as a prefiller (W,); those with equal keys are paired, but none below 0.
    batches: requests in flight, up to the plan's; budgets: tokens of prompts that a step takes, by default the plan's.
    """
    many = sorted({*(b for b in batches if b <= serve.max_batch), serve.max_batch})
    decoders = product(worker=np.arange(len(of)), batch=np.array(many, float))
    prefillers = product(worker=np.arange(len(of)), budget=np.array(budgets or (serve.max_tokens,), float))
    pairs = []
    if mixed:
        pairs.append(_pairs(decoders.worker, prefillers.worker))
    if apart is not None:
        left, right = (key[side.worker] for key, side in zip(apart, (decoders, prefillers), strict=True))
        pairs.append(_pairs(np.where(left < 0, np.inf, left), right))
    kind = np.repeat([False] * mixed + [True] * (apart is not None), [len(p[0]) for p in pairs])
    decoder, prefiller = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return Space(of, decoders, prefillers, decoder, prefiller, kind)


def _pairs(left: Array, right: Array) -> tuple[Array, Array]:
    """Every pair of indexes (i, j) with left[i] equal to right[j]."""
    order = np.argsort(right, kind="stable")
    first, after = (np.searchsorted(right[order], left, side) for side in ("left", "right"))
    many = after - first
    i = np.repeat(np.arange(len(left)), many)
    start = np.repeat(np.cumsum(many) - many, many)
    return i, order[np.repeat(first, many) + np.arange(len(i)) - start]

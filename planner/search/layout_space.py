"""Every way to lay a training job out over devices, as columns, a chunk at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from planner.model import policy
from planner.model.columns import Array, Columns, product
from planner.model.operation import Machine
from planner.schema.workload import Architecture
from planner.search import estimate

CHUNK = 100_000
"""Layouts held at once: what fits caches and keeps a million of them far below a gigabyte."""
DEGREES = ("tp", "cp", "pp", "dp", "ep", "zero_stage", "micro_batch")
SHORT = 256.0
"""Tokens that a context rank has at least."""
LONG = 16_384.0
"""Tokens a sequence from which the usual search splits sequences over context ranks too."""


@dataclass(frozen=True)
class Job:
    """What shall be trained, and what a search may choose from. ``every``: all there is, instead of what is usual."""

    architecture: Architecture
    sequence: float
    global_batch: float
    optimizer: str = "adamw"
    lora_rank: int = 0
    recompute: tuple[str, ...] = ()
    every: bool = False
    fixed: dict[str, float] = field(default_factory=dict)
    """Columns that are given: tp, pp, cp, ep, micro_batch, zero_stage, virtual."""


@dataclass(frozen=True)
class Nodes:
    """The settings that a search goes over: devices a node (S,), and counts of nodes to try for each."""

    node: Array
    counts: Array
    most: float


def usable(job: Job, nodes: Nodes, machines: Machine) -> Columns:
    """Degrees that divide devices, heads, layers, sequence and batch: setting, instances, devices, tp, cp, pp, dp, micro_batch,
    num_micro, shape, place [indices of what micro-batches and sends depend on].
    """
    grid, limits = _limits(job, _grid(job, nodes), nodes, machines)
    grid = grid.take(np.all(list(limits.values()), axis=0))
    _, shape = grid.unique(("setting", "tp", "cp", "micro_batch")) if len(grid) else (grid, np.zeros(0, int))
    return grid.with_(shape=shape).take(np.argsort(shape, kind="stable"))  # alike ones share a chunk, and what it looks up


def _grid(job: Job, nodes: Nodes) -> Columns:
    a = job.architecture
    return product(
        setting=np.arange(len(nodes.node)), instances=nodes.counts, tp=_axis(job, "tp", _powers(16 if job.every else 8)),
        cp=_axis(job, "cp", _powers(64) if job.every else _powers(16) if job.sequence >= LONG else np.ones(1)),
        pp=_axis(job, "pp", _stages(a.num_layers, job.every)),
        micro_batch=_axis(job, "micro_batch", _powers(16 if job.every else 8)),
    )  # fmt: skip


def _limits(job: Job, grid: Columns, nodes: Nodes, machines: Machine) -> tuple[Columns, dict[str, Array]]:
    """The grid with devices, dp and num_micro, and by what it is limited: which rows keep each limit."""
    a, device = job.architecture, machines.device
    node, reach = nodes.node[grid.setting], device.up_size[grid.setting]
    grid = grid.with_(devices=grid.instances * node)
    grid = grid.with_(dp=grid.devices / (grid.tp * grid.cp * grid.pp))
    grid = grid.with_(num_micro=job.global_batch / (np.maximum(grid.dp, 1) * grid.micro_batch))
    near = np.isfinite(device.up_bandwidth[grid.setting])
    return grid, {
        "heads by tp": (a.num_heads % grid.tp == 0) & ((grid.tp == 1) | (near & (grid.tp <= reach))),
        "layers by pp": np.isin(grid.pp, _stages(a.num_layers, True)),
        "the sequence by cp": ((job.sequence % (2 * grid.cp) == 0) & (job.sequence / grid.cp >= SHORT)) | (grid.cp == 1),
        "how the devices are joined": joined(device.take(grid.setting), node, grid),
        "the number of devices": (grid.devices <= nodes.most) & (grid.dp >= 1) & (grid.dp % 1 == 0),
        "the global batch by dp and micro-batch": (grid.num_micro >= 1) & (grid.num_micro % 1 == 0),
    }  # fmt: skip


def joined(device: Columns, node: Array, rows: Columns) -> Array:
    """Whether it is known how rows.devices of rows.instances, each with ``node`` devices, are joined (N,)."""
    whole = node == device.node  # part of a node is rented without the node's network
    known = (np.isfinite(device.out_bandwidth) & whole) | (rows.instances == 1)
    slices = device.torus > 0  # a torus is rented in slices of any size
    known |= (rows.devices <= device.up_size) & (whole | slices)
    return np.asarray(known & ((rows.devices == 1) | (node == 1) | np.isfinite(device.up_bandwidth)))


def emptied(job: Job, nodes: Nodes, machines: Machine) -> str:
    """Which limit leaves nothing: in words, with what would keep it."""
    grid, limits = _limits(job, _grid(job, nodes), nodes, machines)
    left = np.ones(len(grid), bool)
    for name, kept in limits.items():
        if not np.any(left & kept):
            return f"What empties it is {name}" + _instead(job, name, grid.take(left)) + "."
        left &= kept
    return "Every pair of limits leaves some, all of them together none."


def _instead(job: Job, name: str, grid: Columns) -> str:
    a = job.architecture
    if name == "the global batch by dp and micro-batch":
        each = grid.dp * grid.micro_batch
        batch = float(np.min(np.ceil(job.global_batch / each) * each))
        return f": {job.global_batch:g} sequences do not divide; {batch:g} would"
    if name in ("heads by tp", "layers by pp"):
        of, axis = (a.num_heads, "tp") if name == "heads by tp" else (a.num_layers, "pp")
        asked = float(job.fixed.get(axis, 1))
        return f": {of} do not divide by {asked:g}; the nearest that does is {min(divisors(of), key=lambda d: abs(d - asked))}"
    return ""


def choices(job: Job) -> Columns:
    """What a layout chooses beside its degrees: sp, ring, ep, recompute, schedule, virtual, zero_stage, hybrid, offloads, kind
    [index of what a micro-batch depends on], sharing [index of what the exchange depends on].
    """
    a, one = job.architecture, np.ones(1)
    usual = ("none", "attention", "full")
    names = job.recompute or (policy.RECOMPUTE if job.every else usual)
    experts = _powers(min(256, a.moe.num_experts)) if a.moe else one
    rows = product(
        sp=np.array([1.0, 0.0]) if job.every else one, ring=np.array([1.0, 0.0]) if job.every else one,
        ep=_axis(job, "ep", experts), recompute=np.array([policy.RECOMPUTE.index(n) for n in names]),
        pipe=np.arange(len(_pipes(job))),
        zero_stage=_axis(job, "zero_stage", np.array([0.0, 1, 2, 3] if job.every else [1.0, 3])),
        hybrid=np.array([0.0, 1.0]) if job.every else np.zeros(1),
        offload_optimizer=np.array([0.0, 1.0]) if job.every else np.zeros(1),
        offload_activations=np.array([0.0, 1.0]) if job.every else np.zeros(1),
    )  # fmt: skip
    schedule, virtual = np.array(_pipes(job), float).T
    rows = rows.with_(schedule=schedule[rows.pipe].astype(int), virtual=virtual[rows.pipe])
    rows = rows.take((rows.hybrid == 0) | (rows.zero_stage == 3))
    _, kind = rows.unique(("sp", "ring", "ep", "recompute"))
    _, sharing = rows.unique(("ep", "zero_stage", "hybrid"))
    return rows.with_(kind=kind, sharing=sharing)


def _pipes(job: Job) -> list[tuple[int, float]]:
    """Schedule and stages a device."""
    interleaved = [float(v) for v in divisors(job.architecture.num_layers) if v > 1] if job.every else [2.0, 4.0, 8.0]
    pipes = [(policy.ONE_F_ONE_B, 1.0), *((policy.INTERLEAVED, v) for v in interleaved)]
    pipes += [(policy.ZERO_BUBBLE, 1.0)] if job.every else []
    wanted = job.fixed.get("virtual")
    return [(s, v) for s, v in pipes if wanted is None or v == wanted] or [(policy.INTERLEAVED, float(wanted or 1))]


def chunks(job: Job, grid: Columns, more: Columns, machines: Machine) -> Iterator[Columns]:
    """The layouts that make sense, a chunk at a time: each row of ``grid`` with each row of ``more`` that goes with it."""
    kinds = (grid.tp > 1) + 2 * (grid.cp > 1) + 4 * (grid.pp > 1)
    done = 0
    for kind in np.unique(kinds):
        tensor, context, piped = (bool(kind & bit) for bit in (1, 2, 4))
        able = (more.sp == 1) | tensor
        able &= (more.ring == 1) | context
        able &= ((more.pipe == 0) | piped) & ((more.zero_stage < 2) | (not piped))
        some, with_them = np.flatnonzero(kinds == kind), np.flatnonzero(able)
        step = max(1, CHUNK // max(1, len(with_them)))
        for start in range(0, len(some), step):
            part = some[start : start + step]
            done += len(part)
            rows = _joined(job, grid, more, np.repeat(part, len(with_them)), np.tile(with_them, len(part)), machines)
            if len(rows):
                yield rows.with_(done=done)


def _joined(job: Job, grid: Columns, more: Columns, g: Array, m: Array, machines: Machine) -> Columns:
    """Rows ``g`` of the grid with rows ``m`` of the choices, where they go together."""
    a, device = job.architecture, machines.device
    tp, cp, pp, setting = (grid[n][g] for n in ("tp", "cp", "pp", "setting"))
    ep, virtual, zero = more.ep[m], more.virtual[m], more.zero_stage[m]
    ranks = grid.dp[g] * cp * tp
    good = (more.ring[m] == 1) | (a.num_heads % (tp * cp) == 0)
    good &= (ep <= ranks) & (ranks % ep == 0) & ((virtual == 1) | (a.num_layers % (pp * virtual) == 0))
    good &= (virtual == 1) | (grid.num_micro[g] % pp == 0)
    good &= (zero == more.zero_stage.min()) | (ranks > tp)
    good &= (more.hybrid[m] == 0) | (ranks > device.up_size[setting])
    good &= (more.offload_optimizer[m] + more.offload_activations[m] == 0) | np.isfinite(device.host_link[setting])
    g, m = g[good], m[good]
    codes = {"micro": grid.shape[g] * len(more) + more.kind[m], "exchange": g * len(more) + more.sharing[m]}
    return _rows(job, grid.take(g).with_(**codes), more.take(m), machines)


def none(job: Job, grid: Columns, machines: Machine) -> Columns:
    """No layout at all, with every column of one."""
    more = choices(job)
    index = np.zeros(0, int)
    rows = _rows(job, grid.take(index).with_(micro=index, exchange=index), more.take(index), machines)
    rows = estimate.layouts(estimate.with_precision(rows, index))
    return rows.with_(seconds=np.zeros(0), fits=np.zeros(0))


def _rows(job: Job, grid: Columns, more: Columns, machines: Machine) -> Columns:
    near = np.maximum(1.0, np.floor(machines.device.up_size[grid.setting] / grid.tp))
    ranks = grid.dp * grid.cp
    shard = np.where(more.hybrid > 0, np.minimum(ranks, near), ranks)
    kept = {name: more[name] for name in more if name not in ("pipe", "kind", "sharing")}
    rows = grid.with_(**kept, shard=shard, sequence=job.sequence, lora_rank=float(job.lora_rank))
    return rows.with_(optimizer=list(policy.OPTIMIZERS).index(job.optimizer))


def named(row: Columns) -> dict[str, int | str]:
    """What one layout chose beside its degrees, as far as it is not the plainest choice."""
    said: dict[str, int | str] = {"recompute": policy.RECOMPUTE[int(row.recompute[0])]}
    if row.pp[0] > 1:
        said["schedule"] = policy.SCHEDULES[int(row.schedule[0])]
    if row.virtual[0] > 1:
        said["virtual"] = int(row.virtual[0])
    if row.tp[0] > 1 and not row.sp[0]:
        said["sequence_parallel"] = "no"
    if row.cp[0] > 1 and not row.ring[0]:
        said["context"] = "all to all"
    if row.shard[0] < row.dp[0] * row.cp[0]:
        said["sharded_over"] = int(row.shard[0])
    moved = [name for name in ("optimizer", "activations") if row[f"offload_{name}"][0]]
    return said | ({"offloaded": " and ".join(moved)} if moved else {})


def _axis(job: Job, name: str, values: Array) -> Array:
    return np.array([job.fixed[name]]) if name in job.fixed else values


def _powers(most: int) -> Array:
    return np.asarray(2.0 ** np.arange(0, 1 + np.floor(np.log2(most))))


def divisors(n: int) -> list[int]:
    """What divides n, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]


IDLE = 0.1
"""Share of the stages' time that may be lost where layers do not divide by their number."""


def _stages(layers: int, every: bool) -> Array:
    """Pipeline depths up to 128: every divisor of the layers; usually those that are powers of two and their trebles.

    A power of two that does not divide them is one too where stages that differ by a layer idle little: 61 layers, 16 stages.
    """
    powers = [2**i for i in range(8) if 2**i <= layers]
    usual = {d * f for d in powers for f in (1, 3)}
    able = {d for d in divisors(layers) if d <= 128 and (every or d in usual)}
    return np.array(sorted(able | {d for d in powers if layers / (d * -(-layers // d)) >= 1 - IDLE}), float)

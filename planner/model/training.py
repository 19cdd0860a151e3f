"""One optimizer step of a transformer on many devices: micro-batches through pipeline stages, gradients, the update.

``p`` holds, each (N,): tp, cp, pp, dp, ep, virtual [stages a device], micro_batch [sequences], num_micro, sequence
[tokens], zero_stage, shard [data-parallel ranks that share one copy], recompute [0 none, 1 attention only, 2 everything],
weight, gradient [bytes], fused.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.memory import sharing
from planner.model.operation import Machine, Op
from planner.model.ops import collective
from planner.model.passes import Pass, run

BACKWARD_ATTENTION = 2.5  # five products instead of two: FlashAttention (arXiv:2205.14135), appendix B
OPTIMIZER_BYTES = 30.0  # AdamW: reads fp32 weight, m, v and the gradient, writes three fp32 states and a 16-bit weight
ENDS = ("embedding", "logits")


@dataclass(frozen=True)
class Step:
    """A step's passes (N,): ``whole`` with seconds by part, model FLOP of all devices, and FLOP executed a device."""

    whole: Pass
    model_flop: Array

    @property
    def seconds(self) -> Array:
        """The whole step (N,) [s]."""
        return self.whole.seconds


def step(a: Columns, p: Columns, size: Columns, machine: Machine) -> Step:
    """Time of one optimizer step; size: parameters by part (layers, experts, embeddings)."""
    ops = transformer.forward(a, _pass(a, p), decode=False)
    body, ends = [o for o in ops if o.name not in ENDS], [o for o in ops if o.name in ENDS]
    ahead, back = run(body, machine), run(backward(body), machine)
    tail = run(ends, machine).and_(run(backward(ends), machine))
    again = run([replace(o, count=o.count * _recomputed(o, p)) for o in body], machine)
    stage = ahead.and_(back).and_(again).times(1 / p.pp)
    micro = stage.and_(tail)
    whole = micro.times(p.num_micro).plus("pipeline", _bubble(stage, p, machine, a))
    whole = whole.plus("communication", _gradients(size, p, machine, micro))
    whole = whole.plus("optimizer", _update(size, p, machine)).plus("overhead", machine.laws["engine"].training_step)
    model = 3 * (ahead.flop + tail.flop / 3) * p.num_micro * p.tp * p.cp * p.dp
    return Step(whole, model)


def _pass(a: Columns, p: Columns) -> Columns:
    """The forward pass of one micro-batch on one device."""
    causal = np.asarray(a.causal) > 0
    n = np.ones(len(p))
    return p.with_(
        batch=p.micro_batch, query=p.sequence / p.cp, context=np.where(causal, p.sequence / 2, p.sequence),
        cached=p.sequence, logits=p.micro_batch * p.sequence / p.cp, expert_tp=n, pooled=p.ep,
        head_weight=2 * n, activation=2 * n, kv=2 * n, split_norms=p.tp,
    )  # fmt: skip


def backward(ops: list[Op]) -> list[Op]:
    """Operators of the backward pass: two products for each product, twice the traffic of the rest."""
    back: list[Op] = []
    for op in ops:
        s = op.shape
        if op.kind == "matmul":
            inputs = replace(op, name=f"{op.name}, input gradient", shape={**s, "n": s["k"], "k": s["n"]})
            weights = replace(op, name=f"{op.name}, weight gradient", shape={**s, "m": s["n"], "n": s["k"], "k": s["m"]})
            back += [inputs, weights]
        elif op.kind == "experts":
            back.append(replace(op, count=2 * op.count))  # gradients of inputs and of weights, each the same products
        elif op.kind in ("attention", "mla"):
            longer = {**s, "products": s["products"] * BACKWARD_ATTENTION}
            back.append(replace(op, shape=longer, flop=op.flop * BACKWARD_ATTENTION, activation_bytes=2 * op.activation_bytes))
        elif op.kind == "stream":
            back.append(replace(op, activation_bytes=2 * op.activation_bytes))
        else:
            back.append(op)
    return back


def _recomputed(op: Op, p: Columns) -> Array:
    """1 where the backward pass runs ``op`` again."""
    return (p.recompute == 2) | ((p.recompute == 1) & (op.part == "attention"))


def _bubble(stage: Pass, p: Columns, machine: Machine, a: Columns) -> Array:
    """Idle time of the pipeline, and the sends between stages (Narayanan et al., arXiv:2104.04473, section 2.2)."""
    idle = (p.pp - 1) / p.virtual * stage.seconds
    message = p.micro_batch * p.sequence / p.cp * a.hidden_size * 2 / p.tp
    ranks = np.where(p.pp > 1, 2.0, 1.0)
    link = collective.bandwidth(machine.device, ranks, p.tp * p.cp * p.dp)
    send = collective.between("send", ranks, message, link, machine)
    return idle + 2 * p.virtual * p.num_micro * send


def _gradients(size: Columns, p: Columns, machine: Machine, micro: Pass) -> Array:
    """What of the data-parallel exchange does not hide behind the computation it overlaps with (N,) [s].

    ZeRO 1 and 2 reduce-scatter gradients and gather weights once a step, beside one micro-batch; ZeRO 3 gathers
    weights twice and scatters gradients in every micro-batch, beside all of it. Where only ``p.shard`` ranks share one
    copy (hybrid sharding), the copies sum their shards' gradients over the network between them once a step.
    """
    dense = size.layers / (p.tp * p.pp) + size.embeddings / p.tp
    expert = size.experts / (p.ep * p.pp)
    near, near_expert = sharing(p)
    often = np.where(p.zero_stage >= 3, p.num_micro, 1.0)
    total = np.zeros(len(p))
    for local, some, ranks, stride in (
        (dense, near, p.dp * p.cp, p.tp),
        (expert, near_expert, np.maximum(1.0, p.dp * p.cp * p.tp / p.ep), p.ep),
    ):
        link = collective.bandwidth(machine.device, some, stride)
        scatter = _exchange("reduce_scatter", p.gradient * local, some, link, machine)
        gather = _exchange("all_gather", 2.0 * local, some, link, machine)
        inside = (scatter + gather * np.where(p.zero_stage >= 3, 2.0, 1.0)) * often
        far = np.maximum(1.0, ranks / some)
        between = _exchange("all_reduce", p.gradient * local / some, far, machine.device.out_bandwidth, machine)
        total = total + np.where(local > 0, inside + between, 0.0)
    beside = micro.seconds * often
    return (beside**4 + total**4) ** 0.25 - beside


def _exchange(kind: str, message: Array, ranks: Array, link: Array, machine: Machine) -> Array:
    return collective.between(kind, ranks, collective.share(kind, ranks) * message, link, machine)


def _update(size: Columns, p: Columns, machine: Machine) -> Array:
    """AdamW over this device's shard (N,) [s]."""
    dense = size.layers / (p.tp * p.pp) + size.embeddings / p.tp
    near, near_expert = sharing(p)
    cut = p.zero_stage >= 1
    shard = dense / np.where(cut, near, 1.0) + size.experts / (p.ep * p.pp) / np.where(cut, near_expert, 1.0)
    c = machine.laws["stream"]
    return OPTIMIZER_BYTES * shard / (machine.device.bandwidth * c.e_b)

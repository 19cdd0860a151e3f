"""What the devices of a training step send each other, but within a layer: activations between stages, gradients, weights.

The columns of a step are those of ``training``.
"""

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families.transformer_size import adapter_width
from planner.model.operation import Machine
from planner.model.ops import collective
from planner.model.training_memory import sharing, stage_share


def sends(a: Columns, p: Columns, machine: Machine) -> Array:
    """A micro-batch's activations from one stage to the next (N,) [s]."""
    message = p.micro_batch * p.sequence / p.cp * a.hidden_size * 2 / p.tp
    ranks = np.where(p.pp > 1, 2.0, 1.0)
    link = collective.bandwidth(machine.device, ranks, p.tp * p.cp * p.dp)
    return collective.between("send", ranks, message, link, machine)


def exchange(size: Columns, a: Columns, p: Columns, machine: Machine) -> tuple[Array, Array]:
    """The data-parallel exchange, each (N,) [s]: in every micro-batch, and once a step.

    Gradients are scattered (in every micro-batch from ZeRO 2 on, which keeps a shard of them only) and weights gathered (twice
    in every micro-batch under ZeRO 3, once a step otherwise). Where only ``p.shard`` ranks share one copy (hybrid sharding),
    the copies sum their shards' gradients over the network between them once a step. Adapters' gradients are too few to count.
    """
    share = stage_share(a, p)
    dense = (size.layers * share + size.embeddings) / p.tp
    expert = size.experts * share / p.ep
    near, near_expert = sharing(p)
    trained = np.where(p.lora_rank > 0, 0.0, 1.0)
    kept, full = p.zero_stage < 2, p.zero_stage >= 3  # a whole copy of the gradients; no whole copy of the weights
    each, once = np.zeros(len(p)), np.zeros(len(p))
    for local, some, ranks, stride in (
        (dense, near, p.dp * p.cp, p.tp),
        (expert, near_expert, np.maximum(1.0, p.dp * p.cp * p.tp / p.ep), p.ep),
    ):
        if not np.any(local > 0):
            continue
        link = collective.bandwidth(machine.device, some, stride)
        scatter = shared("reduce_scatter", p.gradient * local, some, link, machine)
        gather = shared("all_gather", 2.0 * local, some, link, machine)
        far = np.maximum(1.0, ranks / some)
        between = shared("all_reduce", p.gradient * local / some, far, machine.device.out_bandwidth, machine)
        often = np.where(kept, 0.0, trained * scatter) + np.where(full, 2 * gather, 0.0)
        rarely = np.where(kept, trained * scatter, 0.0) + np.where(full, 0.0, trained * gather) + trained * between
        each = each + np.where(local > 0, often, 0.0)
        once = once + np.where(local > 0, rarely, 0.0)
    return each, once


def shared(kind: str, message: Array, ranks: Array, link: Array, machine: Machine) -> Array:
    """A collective of ``kind`` over ``ranks`` that each hold ``message`` bytes (N,) [s]."""
    return collective.between(kind, ranks, collective.share(kind, ranks) * message, link, machine)


def shard(size: Columns, a: Columns, p: Columns) -> Array:
    """Trained parameters that this device updates (N,)."""
    share = stage_share(a, p)
    dense, expert = (size.layers * share + size.embeddings) / p.tp, size.experts * share / p.ep
    near, near_expert = sharing(p)
    cut = p.zero_stage >= 1
    full = dense / np.where(cut, near, 1.0) + expert / np.where(cut, near_expert, 1.0)
    return np.where(p.lora_rank > 0, full * p.lora_rank * adapter_width(a) / np.maximum(size.total, 1), full)

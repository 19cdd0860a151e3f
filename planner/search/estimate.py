"""Rows of workload, machine and layout to throughput, latency and memory: the model wired together.

Everything a row needs is in columns of ``rows`` (N,): batch, input_tokens, output_tokens, tp, pp, ep, devices and the rest that
the scenario's function names. ``architectures`` and ``machine`` are already taken to N rows.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from planner.model import memory, serving, training, training_memory
from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.families.transformer_size import flatten, parameters
from planner.model.operation import Machine
from planner.model.speculative import Draft, layer_of
from planner.schema.precision import RECIPES
from planner.schema.workload import Architecture, Network, Sums

PRECISIONS = tuple(RECIPES)


def architecture_table(architectures: Sequence[Architecture]) -> tuple[Columns, Columns]:
    """Sizes of each architecture as columns (A,), and its parameters by part: layers, experts, embeddings, total."""
    flat = [flatten(a) for a in architectures]
    table = Columns({name: np.array([f[name] for f in flat], float) for name in (flat[0] if flat else {})}, length=len(flat))
    table = table.with_(causal=table.causal > 0, gated_ffn=table.gated_ffn > 0) if flat else table
    parts = {k: np.asarray(v, float) for k, v in parameters(table).items()}
    total = parts["total"]
    embeddings = parts["embeddings"]
    size = Columns(
        experts=parts["experts"], embeddings=embeddings, layers=total - parts["experts"] - embeddings, total=total,
        widest=np.maximum(table.ffn_size * (1 + table.gated_ffn), table.hidden_size), gated=1.0 + table.gated_ffn,
        visits=np.where(table.num_experts > 0, table.experts_per_token, 0), hidden=table.hidden_size,
        inner=table.expert_ffn_size, length=len(flat),
    )  # fmt: skip
    return table, size


SUMS = tuple(f.name for f in fields(Sums))


def network_table(networks: Sequence[Network]) -> Columns:
    """Summary and graph of each network as columns (M,); one whose graph nobody counted does all its work in dense products."""
    graphs = [n.sums or _plain(n) for n in networks]
    summary = {
        "macs": [n.macs.value for n in networks], "parameters": [n.parameters.value for n in networks],
        "activations": [n.activations.value if n.activations else g.moved / 2 for n, g in zip(networks, graphs, strict=True)],
    }  # fmt: skip
    sums = {name: [getattr(g, name) for g in graphs] for name in SUMS}
    return Columns({name: np.array(values, float) for name, values in {**summary, **sums}.items()}, length=len(networks))


def _plain(network: Network) -> Sums:
    activations = network.activations.value if network.activations else 0.0
    return Sums(dense=network.macs.value, moved=2 * activations, weights=network.parameters.value)


def with_precision(rows: Columns, codes: Array, *, quantised_cache: bool = True) -> Columns:
    """``rows`` with bytes an element for the precision of each (index into PRECISIONS)."""
    recipes = [RECIPES[name] for name in PRECISIONS]
    weight = np.array([r.weight for r in recipes])[codes]
    activation = np.array([r.activation for r in recipes])[codes]
    kv = np.array([r.kv for r in recipes])[codes]
    head = np.where(weight < 2, 2.0, weight)
    return rows.with_(weight=weight, head_weight=head, activation=activation, kv=kv if quantised_cache else np.maximum(kv, 2.0))


def as_pass(rows: Columns) -> Columns:
    """Inference rows with the columns a forward pass wants on top of tp, ep and adp [ranks that attend apart, and
    pool their tokens for the experts]; flash is 1 unless they say otherwise."""
    n = np.ones(len(rows))
    expert_tp = np.maximum(1.0, rows.tp * rows.adp / rows.ep)
    flash = rows.flash if "flash" in rows else n
    return rows.with_(expert_tp=expert_tp, pooled=rows.adp, split_norms=n, flash=flash, even=0 * n)


def most_requests(a: Columns, size: Columns, rows: Columns, machine: Machine) -> Array:
    """How many requests' KV caches fit beside the weights of one replica (N,); 0 where not one does.

    At any time the requests in flight are on average half done. An engine whose scheduler never evicts one (``rows.reserved``
    above 0) admits no more than would fit with all of their output. Where ``rows.reserve_after`` is above 0, the share that
    stays free is one of what the model and the driver's context leave, and not of all memory.
    """
    done = np.where(rows.reserved > 0, 1.0, 0.5) if "reserved" in rows else 0.5
    each = transformer.kv_bytes(a, rows, rows.input_tokens + rows.output_tokens * done) / rows.pp
    fixed = memory.serving(size, np.zeros(len(rows)), rows, np.maximum(rows.input_tokens, memory.CHUNK))
    held = fixed["weights"] + fixed["activations"]
    after = rows.reserve_after if "reserve_after" in rows else np.zeros(len(rows))
    free = np.where(
        after > 0, memory.usable(machine.device.capacity - memory.CONTEXT - held), memory.usable(machine.device.capacity) - held
    )
    return np.maximum(0.0, np.floor(free / each))


def serve(a: Columns, rows: Columns, machine: Machine, *, continuous: bool) -> serving.Service:
    """One replica's latency and rate at ``rows.batch``; where requests are always in flight, a further layer of the model may
    guess ``rows.guesses`` tokens ahead, of which the share ``rows.acceptance`` holds, each alone.
    """
    p = as_pass(rows)
    if not continuous:
        return serving.static_batch(a, p, machine)
    draft = Draft(layer_of(a), rows.guesses, rows.acceptance) if "guesses" in rows and np.any(rows.guesses > 0) else None
    return serving.continuous(a, p, machine, draft)


LAYOUT = {
    "tp": 1.0, "sp": 1.0, "cp": 1.0, "ring": 1.0, "balanced": 1.0, "pp": 1.0, "dp": 1.0, "ep": 1.0, "schedule": 0, "virtual": 1.0,
    "micro_batch": 1.0, "num_micro": 1.0, "zero_stage": 1.0, "recompute": 0, "optimizer": 0, "offload_optimizer": 0.0,
    "offload_activations": 0.0, "lora_rank": 0.0, "overlap": 1.0, "gradient": 4.0, "stored": 2.0, "fused": 1.0,
    "fused_loss": 1.0, "flash": 1.0,
}  # fmt: skip
"""What a training layout is unless it says otherwise; the columns are those of ``planner.model.training``."""


def layouts(rows: Columns) -> Columns:
    """Training rows with every column of a layout; data-parallel ranks share one copy of the model."""
    full = rows.with_(**{name: value for name, value in LAYOUT.items() if name not in rows})
    return full if "shard" in rows else full.with_(shard=full.dp * full.cp)


def train(a: Columns, size: Columns, rows: Columns, machine: Machine) -> training.Step:
    """One optimizer step of all devices."""
    return training.step(a, layouts(rows), size, machine)


def held(a: Columns, size: Columns, rows: Columns) -> dict[str, Array]:
    """Bytes on the fullest device of a training step, by term."""
    return training_memory.training(size, a, layouts(rows))

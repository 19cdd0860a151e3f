"""Bytes on the fullest device, term by term."""

import numpy as np

from planner.model.columns import Array, Columns

CHUNK = 8192.0  # tokens whose activations are held at once: what engines batch into one prefill pass
BLOCK = 16.0  # tokens of a page of the cache, vLLM's default (block_size, docs.vllm.ai): half of a request's last one is empty
RESERVE = (
    0.1  # of the capacity, for driver, runtime and workspaces: vLLM takes 0.9 by default (gpu_memory_utilization, docs.vllm.ai)
)

FRAGMENTED = 0.01  # of the capacity, which an allocator cannot fill
CONTEXT = (
    2.0**30
)  # bytes that PyTorch takes on a GPU before the first tensor: 300 MiB to 2 GiB (vram.asmirnov.xyz), and communicators


def usable(capacity: Array) -> Array:
    """Bytes a program can allocate of a device's memory (N,)."""
    return capacity * (1 - RESERVE)


def trainable(device: Columns) -> Array:
    """Bytes a training program can allocate of a device's memory (N,)."""
    return np.asarray(device.capacity * (1 - FRAGMENTED) - np.where(np.isfinite(device.units), CONTEXT, 0.0))


def weights(size: Columns, p: Columns) -> Array:
    """Weights on one device (N,) [B]: layers split tp × pp ways, experts over all of tp × adp × pp, embeddings tp ways.

    size: columns layers, experts, embeddings [parameters]; p: weight, head_weight [B], tp, pp, adp [ranks that attend apart].
    """
    split = p.tp * p.pp
    return (size.layers + size.experts / p.adp) * p.weight / split + size.embeddings * p.head_weight / p.tp


def serving(size: Columns, kv: Array, p: Columns, tokens: Array) -> dict[str, Array]:
    """What serving holds: weights, ``kv`` bytes of cache (N,), and the activations of ``tokens``: of a chunk of them at most, or
    where ``p.unpieced`` is above 0 of all, because the engine takes prompts whole.

    Buffers of routed experts hold every visit of every rank that pools its tokens, as any of them may come to this device's
    experts (flashinfer issue 4916: the workspace a rank needs grows with the width of data and expert parallelism): what goes
    in, the first product in 16 bits, what the activation makes of it, and what comes out in 16 bits.
    """
    chunk = np.minimum(tokens, np.where(p.unpieced > 0, np.inf, CHUNK) if "unpieced" in p else CHUNK)
    dense = chunk * size.widest / p.tp * p.activation * 4
    inner = size.inner / np.maximum(1.0, p.tp * p.adp / p.ep)
    routed = chunk * p.adp * size.visits * (size.hidden * (p.activation + 2) + inner * (2 * size.gated + p.activation))
    return {"weights": weights(size, p), "kv_cache": kv / p.pp, "activations": np.maximum(dense, routed)}

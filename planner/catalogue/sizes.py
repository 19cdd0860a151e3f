"""Whether the sizes of an architecture can be those of a transformer."""

from collections.abc import Iterator
from pathlib import Path

from planner.errors import InputError
from planner.schema.graph import AXES, Graph
from planner.schema.workload import Architecture, Workload

MOST = {"num_layers": 10_000, "hidden_size": 1_000_000, "ffn_size": 10_000_000, "vocab_size": 100_000_000, "max_context": 10**9}
LARGEST = 1e15
"""More elements than any operation has."""


def sound(workload: Workload, path: Path) -> None:
    """Raise InputError for a workload that describes nothing, or sizes that no transformer has."""
    one_of = (workload.architecture, workload.network or workload.graph or workload.parts, workload.of)
    if [bool(x) for x in one_of].count(True) != 1:
        raise InputError("needs exactly one of architecture, network, graph, parts and of", where=str(path))
    problem = unsound(workload.architecture) if workload.architecture else ""
    problem = problem or (next(_misshapen(workload.graph), "") if workload.graph else "")
    if problem:
        raise InputError(problem, where=str(path))


def unsound(a: Architecture) -> str:
    """What is wrong with the sizes, in words; empty where nothing is."""
    return next(_problems(a), "")


def _problems(a: Architecture) -> Iterator[str]:
    for name in ("hidden_size", "num_layers", "num_heads", "num_kv_heads", "head_dim", "vocab_size", "max_context"):
        if getattr(a, name) < 1:
            yield f"'{name}' is {getattr(a, name)}; it must be a positive whole number"
    for name, most in MOST.items():
        if getattr(a, name) > most:
            yield f"'{name}' is {getattr(a, name):,}, beyond any transformer's"
    if max(a.num_heads, a.head_dim) > MOST["hidden_size"]:
        yield "its heads are beyond any transformer's"
    if a.num_heads % a.num_kv_heads:
        yield f"{a.num_heads} attention heads cannot share {a.num_kv_heads} key-value heads evenly"
    if a.ffn_size < 1 and not a.moe:
        yield "'ffn_size' is 0"
    if a.window and not 0 < a.window.layers <= a.num_layers:
        yield f"a window in {a.window.layers} of {a.num_layers} layers"
    if a.mla and min(a.mla.kv_lora_rank, a.mla.qk_nope_head_dim + a.mla.qk_rope_head_dim, a.mla.v_head_dim) < 1:
        yield "a size of its latent attention is 0"
    yield from _moe_problems(a)


def _misshapen(graph: Graph) -> Iterator[str]:
    """Operations whose shape does not name the axes of their class, or has sizes that no operation has."""
    if not graph.operations:
        yield "its graph has no operations"
    for i, layer in enumerate(graph.operations):
        which = f"operation {i + 1} ({layer.op})"
        if set(layer.shape) != set(AXES[layer.op]):
            yield f"{which} has the shape {', '.join(layer.shape) or 'nothing'}; it needs {', '.join(AXES[layer.op])}"
        elif min(layer.shape.values()) < 1 or max(layer.shape.values()) > LARGEST:
            yield f"{which} has a size below 1 or above {LARGEST:g}"
        elif max(layer.count, layer.read, layer.written, layer.parameters) > LARGEST:
            yield f"{which} has a number above {LARGEST:g}"
        elif layer.op == "convolution" and layer.shape["groups"] > min(layer.shape["cin"], layer.shape["cout"]):
            yield f"{which} has more groups than channels"


def _moe_problems(a: Architecture) -> Iterator[str]:
    if a.moe is None:
        return
    if not 1 <= a.moe.experts_per_token <= a.moe.num_experts:
        yield f"routes a token to {a.moe.experts_per_token} of {a.moe.num_experts} experts"
    if not 1 <= a.moe.expert_ffn_size <= MOST["ffn_size"] or a.moe.num_experts > MOST["hidden_size"]:
        yield "the sizes of its experts are not those of any transformer"
    if a.moe.dense_layers > a.num_layers:
        yield f"{a.moe.dense_layers} of its {a.num_layers} layers are dense"

"""What a call of torch is, in the planner's words: its class, canonical shape, FLOP and bytes."""

from collections.abc import Callable
from math import prod

from planner.measure.call import Call, Spec
from planner.schema.measurement import Operation

SHORT = {
    "float32": "fp32", "bfloat16": "bf16", "float16": "fp16", "float64": "fp64", "float8_e4m3fn": "fp8", "float8_e5m2": "fp8",
}  # fmt: skip
Described = tuple[str, str, dict[str, float], float]
"""class, variant, shape, FLOP."""


def describe(call: Call) -> Operation:
    """The operation that a call is; what no rule knows is elementwise on its largest tensor."""
    name = call.op.split(".")[1].removesuffix("_")
    rule = _RULES.get(name) or next((rule for part, rule in _PARTS if part in name), _elementwise)
    op, variant, shape, flop = rule(name, call)
    tensors = call.tensors
    floats = [t for t in (*tensors, *call.outputs) if t.dtype in SHORT]
    dtype = SHORT[max(floats, key=lambda t: t.numel).dtype] if floats else "int"
    written = sum(t.bytes for t in call.outputs)
    if not moves_nothing(call):
        read = sum(touched_bytes(call, t) for t in tensors)
        return Operation(op, variant, dtype, shape, flop, float(read), float(written), call.key)
    return Operation("view", name, dtype, {"elements": 1.0}, key=call.key)


VIEWS = frozenset(
    "view _unsafe_view t transpose permute expand select slice unsqueeze squeeze split unbind detach alias as_strided chunk "  # noqa: SIM905
    "empty empty_like empty_strided new_empty split_with_sizes _reshape_alias unfold diagonal lift_fresh narrow real".split()
)
"""What moves nothing."""


def touched_bytes(call: Call, s: Spec) -> int:
    """Bytes of an argument that the call touches: of a table, the rows that are looked up."""
    name = call.op.split(".")[1]
    table = call.tensors[0]
    if s is not table or not any(part in name for part in ("embedding", "index_select")) or "backward" in name:
        return s.bytes
    looked_up = call.tensors[1].numel * (s.bytes // max(s.shape[0], 1))
    return min(s.bytes, looked_up) if "index_select" not in name else min(s.bytes, sum(o.bytes for o in call.outputs))


def moves_nothing(call: Call) -> bool:
    """Whether a call only looks at memory in another way, or sets some aside."""
    return call.op.split(".")[1] in VIEWS


def _layout(s: Spec) -> str:
    """t where the last but one axis is the contiguous one."""
    return "t" if len(s.stride) > 1 and s.stride[-1] != 1 and s.stride[-2] == 1 else "n"


def _matmul(name: str, call: Call) -> Described:
    a, b = call.tensors[-2:]
    batch = a.shape[0] if len(a.shape) == 3 else 1
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    shape = {"batch": float(batch), "m": float(m), "n": float(n), "k": float(k)}
    kind = "bmm" if len(a.shape) == 3 else "mm"
    return "matmul", f"{kind} {_layout(a)}{_layout(b)}", shape, 2.0 * batch * m * n * k


def _convolution(name: str, call: Call) -> Described:
    backward = "backward" in name
    x, weight = (call.tensors[1], call.tensors[2]) if backward else (call.tensors[0], call.tensors[1])
    out = call.tensors[0] if backward else call.outputs[0]
    groups = int(call.args[9 if backward else 8])
    up = bool(call.args[7 if backward else 6])  # transposed: the filter is laid at every place of what goes in
    laid = prod((x if up else out).shape[2:])
    taps = prod(weight.shape[2:])
    shape = {
        "batch": float(out.shape[0]), "places": float(laid), "cin": float(x.shape[1]), "cout": float(out.shape[1]),
        "taps": float(taps), "stride": float(call.args[4 if backward else 3][0]), "groups": float(groups),
    }  # fmt: skip
    last = x.stride[1] == 1 and x.shape[1] > 1
    kind = "depthwise" if groups == x.shape[1] and groups > 1 else "grouped" if groups > 1 else "transposed" if up else "dense"
    flop = 2.0 * out.shape[0] * laid * out.shape[1] * x.shape[1] / groups * taps
    asked = sum(bool(v) for v in call.args[10][:2]) if backward else 1
    variant = kind + (" backward" if backward else "") + (" channels_last" if last else "")
    return "convolution", variant, shape, flop * asked


def _attention(name: str, call: Call) -> Described:
    backward = "backward" in name
    q, k = call.tensors[1:3] if backward else call.tensors[:2]
    batch, heads, query, dim = q.shape
    kept = not backward and ("efficient" in name or "cudnn" in name)
    flags = call.args[6:] if kept else call.args  # before it: whether the sums are kept
    causal = any(a is True for a in flags) or any(k == "is_causal" and v is True for k, v in call.kwargs)
    shape = {"batch": float(batch), "heads": float(heads), "query": float(query), "context": float(k.shape[2]), "dim": float(dim)}
    flop = 4.0 * batch * heads * query * k.shape[2] * dim * (0.5 if causal and query > 1 else 1.0) * (2.5 if backward else 1.0)
    return "attention", ("causal" if causal else "full") + (" backward" if backward else ""), shape, flop


def _gather(name: str, call: Call) -> Described:
    backward = "backward" in name
    table = call.outputs[0] if backward else call.tensors[0]
    rows = prod(call.tensors[1].shape) if len(call.tensors) > 1 else 1
    shape = {"rows": float(rows), "width": float(table.shape[-1]), "table": float(table.numel)}
    return "gather", name, shape, 0.0


def _normalization(name: str, call: Call) -> Described:
    x = max(call.tensors, key=lambda t: t.numel)
    width = x.shape[1] if "batch_norm" in name and len(x.shape) > 1 else x.shape[-1]
    trains = any(a is True for a in call.args) or name == "cudnn_batch_norm_backward"
    training = "" if "batch_norm" not in name else " train" if trains else " eval"
    last = " channels_last" if len(x.shape) == 4 and x.stride[1] == 1 and x.shape[1] > 1 else ""
    return (
        "normalization",
        name.removeprefix("native_") + training + last,
        {"elements": float(x.numel), "width": float(width)},
        0.0,
    )


def _pooling(name: str, call: Call) -> Described:
    x = max((*call.tensors, *call.outputs), key=lambda t: t.numel)
    return "pooling", name, {"elements": float(x.numel)}, 0.0


def _optimizer(name: str, call: Call) -> Described:
    sizes = call.args[0] if isinstance(call.args[0], tuple) else (call.args[0],)
    elements = float(sum(s.numel for s in sizes if isinstance(s, Spec)))
    return "optimizer", name, {"elements": elements, "tensors": float(len(sizes))}, 0.0


def _elementwise(name: str, call: Call) -> Described:
    tensors = (*call.tensors, *call.outputs)
    largest = max(tensors, key=lambda t: t.numel) if tensors else None
    elements = float(largest.numel if largest else 1)
    kinds = {t.dtype for t in tensors if t.dtype in SHORT}
    cast = " cast" if len(kinds) > 1 and name in ("_to_copy", "copy") else ""
    strided = " strided" if name in ("clone", "copy", "_to_copy", "add", "mul", "cat") and not all(map(_dense, tensors)) else ""
    tanh = " tanh" if any(value == "tanh" for _, value in call.kwargs) else ""
    return "elementwise", name.removeprefix("_foreach_") + tanh + cast + strided, {"elements": elements}, 0.0


def _dense(s: Spec) -> bool:
    """Whether its last axis is contiguous (an axis of one element counts)."""
    return not s.stride or s.stride[-1] == 1 or s.shape[-1] == 1 or s.numel <= 1


def _scaled(name: str, call: Call) -> Described:
    a, b = call.tensors[:2]
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    return "matmul", f"mm {_layout(a)}{_layout(b)}", {"batch": 1.0, "m": float(m), "n": float(n), "k": float(k)}, 2.0 * m * n * k


_RULES: dict[str, Callable[[str, Call], Described]] = {
    "mm": _matmul, "addmm": _matmul, "bmm": _matmul, "baddbmm": _matmul, "_scaled_mm": _scaled,
    "_int_mm": _matmul, "convolution": _convolution, "convolution_backward": _convolution,
    "embedding": _gather, "embedding_dense_backward": _gather, "index_select": _gather, "_embedding_bag": _gather,
    "_embedding_bag_forward_only": _gather, "_fused_adamw": _optimizer, "_fused_sgd": _optimizer, "_fused_adam": _optimizer,
}  # fmt: skip
_PARTS: tuple[tuple[str, Callable[[str, Call], Described]], ...] = (
    ("scaled_dot_product", _attention), ("norm", _normalization), ("softmax", _normalization), ("pool", _pooling),
    ("mean", _pooling),
)  # fmt: skip

"""A model taken apart: parameters by part, and the operators of each phase with their work."""

from typing import Any

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.families.transformer_size import active_parameters, parameters
from planner.model.operation import Op
from planner.model.training import backward
from planner.schema.workload import Workload
from planner.search import estimate, networks

TOKENS = 1024.0


def anatomy(workload: Workload) -> dict[str, Any]:
    """``{"parameters": {...}, "phases": {phase: [operator, ...]}}`` in bf16 on one device, one sequence of 1,024 tokens."""
    if workload.architecture is None:
        return _network(workload)
    a, _ = estimate.architecture_table([workload.architecture])
    counted = {name: float(value[0]) for name, value in parameters(a).items() if value[0]}
    counted["active"] = float(active_parameters(a)[0])
    rows = estimate.with_precision(
        Columns(fused=1.0, tp=1.0, ep=1.0, adp=1.0, batch=1.0, length=1), np.array([estimate.PRECISIONS.index("bf16")])
    )
    p = estimate.as_pass(rows)
    context = TOKENS / 2 if workload.architecture.causal else TOKENS
    prefill = transformer.forward(a, p.with_(query=TOKENS, context=context, cached=TOKENS, logits=1.0), decode=False)
    phases = {"prefill": prefill}
    if workload.architecture.causal:
        phases["decode"] = transformer.forward(a, p.with_(query=1.0, context=TOKENS, cached=TOKENS, logits=1.0), decode=True)
    step = transformer.forward(a, p.with_(query=TOKENS, context=context, cached=TOKENS, logits=TOKENS), decode=False)
    phases["training step"] = [*step, *backward(step)]
    return {"parameters": counted, "phases": {name: [_op(op) for op in ops] for name, ops in phases.items()}}


def _network(workload: Workload) -> dict[str, Any]:
    p = Columns(batch=1.0, weight=2.0, activation=2.0, fused=1.0, length=1)
    phases = {"forward pass": networks.forward(workload, p), "training step": networks.step(workload, p)}
    counted = {"total": networks.parameters(workload)}
    return {"parameters": counted, "phases": {k: [_op(o) for o in v] for k, v in phases.items()}}


def _op(op: Op) -> dict[str, Any]:
    work = {name: _first(getattr(op, name)) for name in ("count", "flop", "weight_bytes", "activation_bytes", "kv_bytes")}
    shape = {k: _first(v) for k, v in op.shape.items() if k not in ("quantise", "hot")}  # circumstances, not sizes
    return {"name": op.name, "kind": op.kind, "shape": shape, **work}


def _first(column: Array) -> float:
    return float(np.broadcast_to(column, (1,))[0])


def summary(workload: Workload) -> dict[str, Any]:
    """id, name, parameters, active parameters and longest context; None where it has none."""
    row: dict[str, Any] = {"id": workload.id, "name": workload.name, "parameters": None, "active": None, "context": None}
    if workload.architecture:
        a, size = estimate.architecture_table([workload.architecture])
        row |= {"parameters": float(size.total[0]), "active": float(active_parameters(a)[0])}
        row |= {"context": workload.architecture.max_context}
    elif workload.network or workload.graph:
        row |= {"parameters": networks.parameters(workload)}
    return row

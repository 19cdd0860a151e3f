"""What a plan's traffic needs beyond its own lines: traces of requests, drafts, and what its fields allow together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from planner.catalogue.models import find_workload
from planner.catalogue.profiles import Profiles
from planner.errors import InputError
from planner.schema.plan import Plan
from planner.schema.workload import Workload

At = Callable[..., str]
FROM_TRACE = ("input_tokens", "output_tokens", "input_cv", "output_cv", "burstiness")
MOST_VARIED = 100.0


def with_trace(raw: Any, folder: Path, at: At) -> Any:
    """A raw plan whose ``serve.trace`` is read: lengths, how they vary, and burstiness are those of its requests, and its mean
    rate is the plan's unless that says one. InputError where the plan gives them too, or the trace has bad lines."""
    serve = raw.get("serve") if isinstance(raw, dict) else None
    name = serve.get("trace") if isinstance(serve, dict) else None
    if not isinstance(serve, dict) or not isinstance(name, str) or not name:
        return raw
    from planner.catalogue.traces import read_trace  # pandas, which other plans do without

    for field in FROM_TRACE:
        if field in serve:
            raise InputError("comes from the trace, so a plan with one leaves it out", where=at("serve", field))
    arrival, into, out = read_trace(folder / name)
    said = {"input_tokens": float(into.mean()), "output_tokens": float(out.mean()), "input_cv": _cv(into), "output_cv": _cv(out)}
    gaps = np.diff(arrival)
    if len(gaps) < 2 or not arrival[-1] > 0:
        raise InputError(
            "has too few requests to say how they arrive: three are needed, not all at once", where=str(folder / name)
        )
    said["burstiness"] = max(1e-3, _cv(gaps) ** 2)
    rate = {} if "requests" in serve else {"requests_per_second": float(len(gaps) / arrival[-1])}
    return {**raw, "serve": {**rate, **serve, **said}}


def _cv(values: Any) -> float:
    return float(np.std(values) / np.mean(values))


def check(plan: Plan, at: At) -> None:
    """What types alone do not say about how a model is served."""
    serve = plan.serve
    if plan.workload.sparsity and serve is None:
        raise InputError("is for serving only", where=at("workload", "sparsity"))
    if serve is None:
        return
    for name in ("input_cv", "output_cv", "burstiness"):
        if not getattr(serve, name) <= MOST_VARIED:
            raise InputError(f"{getattr(serve, name):g} is more than {MOST_VARIED:g}", where=at("serve", name))
    if serve.percentile is not None:
        if not serve.percentile < 1:
            raise InputError(
                f"{serve.percentile:g} is not a share below 1; write it like '99 %'", where=at("serve", "percentile")
            )
        if serve.ttft is None and serve.tpot is None:
            raise InputError("is of the limits ttft and tpot, and the plan has none", where=at("serve", "percentile"))
    if serve.speculation and not serve.speculation.acceptance < 1:
        what = f"{serve.speculation.acceptance:g} is not a share below 1; write it like '70 %'"
        raise InputError(what, where=at("serve", "speculation", "acceptance"))


def draft(plan: Plan, workload: Workload, profiles: Profiles, folder: Path, at: At) -> Workload | None:
    """The model that guesses, where the plan names one; it must be a smaller one that writes the same vocabulary."""
    if not plan.serve or not plan.serve.speculation or not plan.serve.speculation.draft:
        return None
    where = at("serve", "speculation", "draft")
    found = find_workload(plan.serve.speculation.draft, profiles, folder, where=where)
    if found.architecture is None or not found.architecture.causal:
        raise InputError(f"'{found.id}' does not generate text, so it cannot guess any", where=where)
    if workload.architecture and found.architecture.vocab_size != workload.architecture.vocab_size:
        what = f"'{found.id}' writes {found.architecture.vocab_size:,} tokens, {workload.id} {workload.architecture.vocab_size:,}"
        raise InputError(what, where=where, hint="A draft shares the vocabulary; without one, a layer of the model guesses.")
    return found

"""One training layout as it was asked for: checked, with the nearest that divides where it does not."""

from collections.abc import Sequence

from planner.errors import InputError
from planner.model import policy
from planner.model.columns import Columns
from planner.schema.workload import Architecture
from planner.search.layout_space import divisors


def layout(a: Architecture, devices: int, batch: int, sequence: int, asked: dict[str, float]) -> Columns:
    """Columns of a layout (1,): ``asked`` has tp, cp, pp, ep, virtual, micro_batch and whatever else a layout chooses.

    Raises InputError for what does not divide. ``batch``: sequences a step; 0 takes one micro-batch a data-parallel rank.
    """
    tp, cp, pp, micro = (int(asked[name]) for name in ("tp", "cp", "pp", "micro_batch"))
    _divides("heads", a.num_heads, "tp", tp, _within(a.num_heads, devices))
    _divides("layers", a.num_layers, "pp", pp, _within(a.num_layers, devices))
    if devices % (tp * cp * pp):
        able = [d for d in divisors(devices) if a.num_heads % d == 0][:12]
        what = f"tp {tp} × cp {cp} × pp {pp} does not divide {devices} devices"
        raise InputError(what, hint=f"Degrees that divide both devices and heads: {', '.join(map(str, able))}.")
    if cp > 1 and sequence % (2 * cp):
        near = max(2 * cp, round(sequence / (2 * cp)) * 2 * cp)
        raise InputError(
            f"a sequence of {sequence} tokens is not cut into {2 * cp} equal parts by cp {cp}", hint=f"{near} would be."
        )
    dp = devices // (tp * cp * pp)
    batch = batch or dp * micro
    if batch % (dp * micro):
        near = max(1, round(batch / (dp * micro))) * dp * micro
        what = f"a global batch of {batch} is no multiple of {dp} data-parallel ranks × micro-batch {micro}"
        raise InputError(what, hint=f"The nearest that is: {near}.")
    virtual = int(asked["virtual"])
    if virtual > 1:
        _divides(f"layers a stage, of {pp}", a.num_layers // pp, "virtual", virtual, divisors(a.num_layers // pp))
        if pp == 1 or (batch // (dp * micro)) % pp:
            raise InputError(f"interleaving needs stages and a multiple of {pp} micro-batches; there are {batch // (dp * micro)}")
    if asked["zero_stage"] >= 3 and pp > 1:
        raise InputError("ZeRO 3 does not go with pipeline stages", hint="Take --zero 1, or --pp 1.")
    ep = asked.get("ep") or _experts(a, dp * cp * tp)
    if a.moe is not None and (a.moe.num_experts % ep or (dp * cp * tp) % ep):
        able = [d for d in divisors(a.moe.num_experts) if (dp * cp * tp) % d == 0]
        raise InputError(f"ep {ep:g} divides neither experts nor ranks evenly", hint=f"Possible: {', '.join(map(str, able))}.")
    schedule = policy.INTERLEAVED if virtual > 1 else asked.get("schedule", policy.ONE_F_ONE_B)
    more = {"dp": dp, "num_micro": batch // (dp * micro), "sequence": sequence, "ep": ep, "schedule": schedule}
    return Columns({name: float(value) for name, value in {**asked, **more}.items()}, length=1)


def _experts(a: Architecture, ranks: int) -> float:
    """As many ways as ranks allow, up to eight."""
    return 1.0 if a.moe is None else float(max(d for d in divisors(a.moe.num_experts) if ranks % d == 0 and d <= 8))


def _within(of: int, most: int) -> list[int]:
    return [d for d in divisors(of) if d <= most]


def _divides(what: str, of: int, name: str, by: int, able: Sequence[int]) -> None:
    if of % by:
        near = min(able, key=lambda d: (abs(d - by), d))
        raise InputError(f"{name} {by} does not divide {of} {what}", hint=f"The nearest that does: {name} {near}.")

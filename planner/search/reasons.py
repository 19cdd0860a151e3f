"""Why a candidate is out, and what holds it back, in words with figures."""

from planner import units
from planner.model.columns import Columns
from planner.model.passes import Pass
from planner.schema.inputs import Inputs
from planner.search.listings import Place
from planner.search.options import Explained

LABELS = {"ttft": "time to first token", "tpot": "time per output token", "latency": "latency"}


def reason(excess: dict[str, float], inputs: Inputs, place: Place, e: Explained, i: int, device: Columns) -> str:
    """The first limit that an option breaks, or "" where it keeps them all."""
    name = next((name for name, over in excess.items() if not over <= 1), "")
    if not name:
        return ""
    if excess[name] != excess[name]:
        return "cannot be estimated: nothing is published about how its devices are joined"
    if name in _SAID:
        return _SAID[name](name, excess[name], inputs, place, e, i)
    value = float(e.latency[name][i])
    at_best = f"{LABELS[name]} is {units.duration(value)} at best, bound by {_bound(name, e, i, device)}"
    return f"{at_best}; the plan allows {units.duration(value / excess[name])}"


def _bound(name: str, e: Explained, i: int, device: Columns) -> str:
    """What a latency that is too long is mostly made of."""
    if name == "ttft" and "queued" in e.rows and e.rows.queued[i]:
        return "the queue"
    return bottleneck(e.behind.get(name, e.one), i, device)


def _many(name: str, over: float, inputs: Inputs, place: Place, e: Explained, i: int) -> str:
    return f"needs {int(e.rows.devices[i]):,} devices; the plan allows {inputs.plan.hardware.max_devices:,}"


def _dear(name: str, over: float, inputs: Inputs, place: Place, e: Explained, i: int) -> str:
    budget = inputs.plan.economics.budget
    assert budget is not None
    return f"costs {units.money(over * budget[0], budget[1])}; the budget is {units.money(*budget)}"


def _long(name: str, over: float, inputs: Inputs, place: Place, e: Explained, i: int) -> str:
    took = float(e.latency["duration"][i])
    many = int(e.rows.devices[i])
    on = f"{many:,} device{'' if many == 1 else 's'}"
    return f"takes {units.duration(took)} on {on}; the deadline is {units.duration(took / over)}"


def _memory(name: str, over: float, inputs: Inputs, place: Place, e: Explained, i: int) -> str:
    parts = {k: float(v[i]) for k, v in e.memory.items()}
    largest = max(parts, key=parts.__getitem__)
    most = f"{units.show(parts[largest], 'byte')} of it {largest.replace('_', ' ')}"
    has = units.show(float(e.capacity[i]), "byte")
    return f"does not fit: needs {units.show(sum(parts.values()), 'byte')} on each device ({most}), which has {has}"


_SAID = {"memory": _memory, "devices": _many, "budget": _dear, "deadline": _long}


def bottleneck(one: Pass, i: int, device: Columns) -> str:
    """What most of a step goes to; products are told apart by whether FLOP or bytes take longer at the datasheet's rates."""
    parts = {name: float(seconds[i]) for name, seconds in one.parts.items()}
    largest = max(parts, key=parts.__getitem__)
    if largest in ("matmul", "convolution", "attention", "experts"):
        compute = one.flop[i] / device.peak[0]
        return "compute" if compute > one.moved[i] / device.bandwidth[0] else "memory bandwidth"
    memory = dict.fromkeys(("elementwise", "lookup", "weights"), "memory bandwidth")
    return {**memory, "pipeline": "pipeline bubble"}.get(largest, largest)

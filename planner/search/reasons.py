"""Why a candidate is out, and what holds it back, in words with figures."""

from planner import units
from planner.model.columns import Columns
from planner.model.passes import Pass
from planner.schema.inputs import Inputs
from planner.search.listings import Place
from planner.search.options import Explained

LABELS = {"ttft": "time to first token", "tpot": "time per output token", "latency": "latency"}


def reason(excess: dict[str, float], inputs: Inputs, place: Place, e: Explained, i: int) -> str:
    """The first limit that an option breaks, or "" where it keeps them all."""
    name = next((name for name, over in excess.items() if not over <= 1), "")
    if not name:
        return ""
    if name == "memory":
        return _memory(place, e, i)
    if name == "devices":
        return f"needs {int(e.rows.devices[i]):,} devices; the plan allows {inputs.plan.hardware.max_devices:,}"
    if name == "budget":
        budget = inputs.plan.economics.budget
        assert budget is not None
        return f"costs {units.money(excess[name] * budget[0], budget[1])}; the budget is {units.money(*budget)}"
    if name == "deadline":
        assert inputs.plan.train is not None and inputs.plan.train.deadline
        took = units.duration(float(e.latency["duration"][i]))
        return f"takes {took} on {int(e.rows.devices[i]):,} devices; the deadline is {units.duration(inputs.plan.train.deadline)}"
    value = float(e.latency[name][i])
    return f"{LABELS[name]} is {units.duration(value)} at best; the plan allows {units.duration(value / excess[name])}"


def _memory(place: Place, e: Explained, i: int) -> str:
    parts = {k: float(v[i]) for k, v in e.memory.items()}
    largest = max(parts, key=parts.__getitem__)
    name = largest.replace("_", " ")
    has = units.show(float(e.capacity[i]), "byte")
    alone = f"{name} alone need" if parts[largest] > float(e.capacity[i]) else f"with {name} it needs"
    amount = parts[largest] if parts[largest] > float(e.capacity[i]) else sum(parts.values())
    return f"does not fit: {alone} {units.show(amount, 'byte')} on each device, which has {has}"


def bottleneck(one: Pass, i: int, device: Columns) -> str:
    """What most of a step goes to; products are told apart by whether FLOP or bytes take longer at the datasheet's rates."""
    parts = {name: float(seconds[i]) for name, seconds in one.parts.items()}
    largest = max(parts, key=parts.__getitem__)
    if largest in ("matmul", "attention"):
        compute = one.flop[i] / device.peak[0]
        return "compute" if compute > one.moved[i] / device.bandwidth[0] else "memory bandwidth"
    return {"elementwise": "memory bandwidth", "pipeline": "pipeline bubble"}.get(largest, largest)

"""Why a candidate is out, and what holds it back, in words with figures."""

from collections.abc import Sequence

import numpy as np

from planner import units
from planner.model.columns import Columns
from planner.model.operation import Machine
from planner.model.passes import Pass
from planner.schema.inputs import Inputs
from planner.schema.precision import RECIPES
from planner.search import networks, train
from planner.search.listings import NOBODY, Listing, Place
from planner.search.machines import arithmetic
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
    memory = dict.fromkeys(("elementwise", "lookup", "decode", "weights"), "memory bandwidth")
    return {**memory, "pipeline": "pipeline bubble"}.get(largest, largest)


def hostless(inputs: Inputs, listing: Listing) -> str:
    """That a card is sold alone and the plan prices no host for it, or ""."""
    alone = listing.offer.needs_host and inputs.plan.economics.host_price is None
    return "is sold without a host; economics.host_price would include one" if alone else ""


def unpriced(listing: Listing) -> str:
    """That nobody sourced a price, or ""."""
    unpriced = listing.price.source == NOBODY
    return "has no price in the catalogue: an offer of your own (--profiles DIR) would give it one" if unpriced else ""


def from_where(inputs: Inputs, place: Place, machines: Machine, setting: int) -> str:
    """From how many devices on a training run would fit, where that is more than the plan allows."""
    if inputs.plan.train is None:
        return ""
    devices = train.fits_from(inputs, inputs.plan.train, place, machines.take(np.array([setting])))
    return f"; it would from {devices:,} devices on" if devices else ""


def impossible(inputs: Inputs, place: Place, wanted: Sequence[str]) -> str:
    """Why no option could even be formed on a place in the precisions ``wanted``."""
    able = [p for p in wanted if arithmetic(place.device, p)]
    memory = place.device.level("main")
    if not able:
        dtypes = " or ".join(dict.fromkeys(d for p in wanted for d in RECIPES[p].arithmetic))
        why = f"{place.device.name} has no published peak in {dtypes}"
    elif inputs.plan.workload.sparsity and place.device.sparse_speedup is None:
        why = f"no speed of {place.device.name} is published for weights that are {inputs.plan.workload.sparsity} sparse"
    elif why := networks.unsuited(inputs.workload, place.device):
        pass
    elif not place.device.links and (memory is None or memory.bandwidth is None):
        why = f"the memory bandwidth of {place.device.name} is not published"
    elif inputs.workload.architecture and not arithmetic(place.device, "bf16"):
        why = f"{place.device.name} computes in no 16-bit format, which attention needs"
    elif (
        inputs.workload.architecture
        and (memory is None or memory.capacity is None)
        and not (place.system.host and place.system.host.memory)
    ):
        why = f"the memory of {place.system.name} is not published"
    elif not inputs.workload.architecture:
        why = f"nothing is published about how the devices of {place.system.name} are joined, over which it shares its tables"
    else:
        why = "no layout divides the model over it within the plan's number of devices"
    return why
